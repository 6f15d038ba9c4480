"""Whether the memory of a run's load generator stayed flat; shared by the runs of this folder."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from genload.runlog.reader import open_run

LIMIT = 0.05


def stayed_flat(directory: Path, title: str) -> bool:
    """Print the load generator's memory by tenths of the run, its sampler and inspector included; whether
    the last is at most 5 % above the second (the first holds start-up).
    """
    samples = open_run(directory).samples()
    memory_bytes = [one.values["client.memory"] for one in samples if "client.memory" in one.values]
    tenth = len(memory_bytes) // 10
    levels = [median(memory_bytes[i * tenth : (i + 1) * tenth]) / 2**20 for i in range(10)]
    growth = levels[-1] / levels[1] - 1
    print(f"{title}: client memory by tenths, MiB: " + " ".join(f"{level:.1f}" for level in levels))
    print(f"{title}: growth from the second to the last: {growth:+.2%} (limit {LIMIT:.0%})", flush=True)
    return growth <= LIMIT
