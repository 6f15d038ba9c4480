"""What genload tried again within its requests: refusals that it waited out, polls without an answer."""

from __future__ import annotations

import numpy as np

from genload.analysis.evidence.estimate import BoolArray
from genload.analysis.judged import Retries, WaitedOut
from genload.analysis.table import RequestTable
from genload.runlog.records import WAITED_OUT


def retries(table: RequestTable) -> Retries | None:
    """Those of a whole load; None where nothing was tried again."""
    found = [
        WaitedOut(call=call, count=count, seconds=float(np.nansum(table.numbers[f"{WAITED_OUT}{call}_s"])))
        for call in _calls(table)
        if (count := int(np.nansum(table.numbers[f"{WAITED_OUT}{call}"])))
    ]
    lost = table.column("lost_polls")
    lost_polls = 0 if lost is None else int(np.nansum(lost))
    if not found and not lost_polls:
        return None
    share = own_share(table, np.ones(len(table), dtype=np.bool_))
    return Retries(waited_out=found, lost_polls=lost_polls, share_of_mean=share)


def own_share(table: RequestTable, rows: BoolArray) -> float | None:
    """The share of the mean duration of these requests' successes that genload paused after refusals; None
    without a success."""
    good = rows & table.ok
    total_s = float(table.duration_s[good].sum())
    waited_s = sum(float(np.nansum(table.numbers[f"{WAITED_OUT}{call}_s"][good])) for call in _calls(table))
    return waited_s / total_s if total_s > 0 else None


def _calls(table: RequestTable) -> list[str]:
    """The calls of which some were refused and tried again, in the order of their names."""
    names = [name.removeprefix(WAITED_OUT) for name in table.numbers if name.startswith(WAITED_OUT)]
    return sorted(name for name in names if f"{name}_s" in names)
