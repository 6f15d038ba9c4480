"""What a master costs: its CPU for each record that workers hand over, and its memory as records become many.

Real `locust --master` and `--worker` processes with a suite of speech; the users of the workers
(`parts/repeated.py`) only say that requests were made, so that two cores hold sixteen workers. Records are
counted in the run directory, where the master writes them. Printed is its CPU in µs a record, with live
totals, criteria, display and ticks (18 µs are 1.8 % of a core for 1,000 records a second), and beside it that
of the monitors' process. Then one worker hands over many. Now and then it stands still for a moment, and the
master's memory is looked at.

    python bench/master.py [--rounds 3] [--seconds 10] [--rate 2000] [--records 1000000]

Exit code 1 where a limit does not hold.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import median

import psutil
from parts.answers import Server, answers
from parts.genload_commands import speech
from parts.outside import cpu_s, started, wait_for
from parts.rounds import two_cores

WORKERS = (1, 4, 16)
USERS = 16
MOST_US = 18.0
FEW, MOST_GROWTH = 10_000, 1.3
FAST_PER_S = 10_000
LOOK_S, RESTS_S = 0.1, 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="looked at in each round")
    parser.add_argument("--rate", type=float, default=2000.0, help="records a second, of all workers")
    parser.add_argument("--records", type=int, default=1_000_000, help="of the run whose memory is looked at")
    arguments = parser.parse_args()
    _, server_core = two_cores()
    with tempfile.TemporaryDirectory() as name, answers(server_core, Path(name)) as server:
        costs = cost_us(server, arguments.rate, arguments.seconds, arguments.rounds)
        growth = memory_growth(server, arguments.records)
    sys.exit(max(costs) > MOST_US or growth > MOST_GROWTH)


class Master:
    """One that runs, seen from outside.

    Args:
        records: the file in which it writes what came.
    """

    def __init__(self, process: psutil.Popen, workers: Sequence[psutil.Popen], records: Path) -> None:
        self.process, self._workers, self._records = process, workers, records
        self._offset = self._count = 0

    @property
    def count(self) -> int:
        """Records written until now."""
        if self._records.exists():
            with self._records.open("rb") as file:
                file.seek(self._offset)
                while block := file.read(1 << 20):
                    self._count += block.count(b"\n")
                self._offset = file.tell()
        return self._count

    def memory_at_rest(self) -> int:
        """Its own bytes while the workers stand still and nothing is under way; too short to lose one."""
        for worker in self._workers:
            worker.suspend()
        time.sleep(RESTS_S)
        try:
            size: int = self.process.memory_full_info().uss
            return size
        finally:
            for worker in self._workers:
                worker.resume()


@contextmanager
def loaded(server: Server, workers: int, rate: float) -> Iterator[Master]:
    """A master whose workers hand over so many records a second, once they do."""
    os.environ["REPEATED_PER_S"] = f"{rate / USERS:g}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = speech("off", workers, server.host, folder, USERS, "bench/parts/repeated.py")
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        with started(commands, cores, folder) as (process, *others):
            master = Master(process, others, folder / "run" / "load" / "requests.jsonl")
            wait_for(lambda: master.count > 2 * USERS, process, settles_s=0.0)
            yield master


def cost_us(server: Server, rate: float, seconds: float, rounds: int) -> list[float]:
    """The master's own CPU a record, by workers."""
    found: dict[int, list[tuple[float, float, float]]] = {workers: [] for workers in WORKERS}
    for _, workers in product(range(rounds), WORKERS):
        with loaded(server, workers, rate) as master:
            found[workers].append(one_look(master, seconds))
    for workers, seen in found.items():
        own, helpers, per_s = (median(column) for column in zip(*seen, strict=True))
        each = " ".join(f"{one:.1f}" for one, *_ in seen)
        print(
            f"{workers:2} workers: {own:.1f} µs of CPU a record ({each}), monitors {helpers:.1f},"
            f" at {per_s:,.0f} of {rate:,.0f} records/s (at most {MOST_US:g})",
            flush=True,
        )
    return [median(own for own, *_ in seen) for seen in found.values()]


def one_look(master: Master, seconds: float) -> tuple[float, float, float]:
    """µs of CPU a record, of the master itself and of the processes that it has started; records a second."""
    time.sleep(seconds / 4)
    pids = [master.process.pid, *(child.pid for child in master.process.children())]
    count, began_s, before = master.count, time.monotonic(), cpu_s(pids)
    time.sleep(seconds)
    after, done = cpu_s(pids), master.count - count
    own, *helpers = ((after[pid] - before[pid]) / done * 1e6 for pid in pids)
    return own, sum(helpers), done / (time.monotonic() - began_s)


def memory_growth(server: Server, records: int) -> float:
    """How many times its memory after a few records the master needs after many."""
    sizes: dict[int, float] = {}
    with loaded(server, 1, FAST_PER_S) as master:
        for at in sorted({FEW, *(records * tenth // 10 for tenth in range(1, 11))}):
            while master.count < at and master.process.poll() is None:
                time.sleep(LOOK_S)
            sizes[at] = master.memory_at_rest() / 1e6
    print("memory: " + ", ".join(f"{size:.1f} MB after {at:,}" for at, size in sizes.items()))
    growth = sizes[records] / sizes[FEW]
    print(f"        {growth:.2f} times as much after {records:,} as after {FEW:,} (at most {MOST_GROWTH:g})")
    return growth


if __name__ == "__main__":
    main()
