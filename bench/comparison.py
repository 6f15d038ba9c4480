"""How often a comparison is wrong, and how often it finds what is there; and what it costs: ``python
bench/comparison.py``, some minutes.

Every line is a world whose truth is known, and many comparisons in it, by the whole gate: mean, p50, p95,
error rate and throughput judged together. Printed is how often each verdict comes out.

flagged: of builds that are equal it should be 5 % at most; of one that is slower, the power.
passed: "no regression" is said; of a build that is slower by more than the tolerance it should be 5 % at
most. In all other cases neither can be said.

At the end two runs of 1,000,000 requests are compared by `genload compare` in a process of its own.

    python bench/comparison.py [--times 1000] [--requests 1000000] [--table]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path

from parts.gate import World, shares
from parts.large_run import write_run

WRONG, POWER = 0.05, 0.90
HEADS = (
    "world",
    "equal: flagged",
    "equal: passed",
    "5% slower: flagged",
    "10% slower: flagged",
    "10% slower: passed",
)
LIMIT_S, LIMIT_BYTES = 8.0, 6 * 10**8


def worlds() -> Iterator[tuple[str, World]]:
    """Equal builds and slower ones, each with what it is about."""
    for rounds in (3, 5, 10):
        for noise in (0.02, 0.03, 0.05):
            yield f"{rounds} rounds, noise {noise:.0%}", World(noise, rounds=rounds)
    yield "5 rounds, noise 2%, drift 5% a round", World(0.02, drift=0.05)
    yield "5 rounds, noise 5%, drift 5% a round", World(0.05, drift=0.05)
    yield "5 rounds, noise 5%, heavy tails", World(0.05, heavy=True)
    yield "5 rounds, noise 2%, the new build's 3 times that", World(0.02, new_noise=3.0)
    for learned in (6, 10, 20):
        for rounds in (1, 3, 5):
            name = f"{rounds} run{'s' * (rounds > 1)} a side, noise 2%, floor of {learned} equal runs"
            yield name, World(0.02, rounds=rounds, learned=learned)
    yield "1 run a side, noise 5%, floor of 20 equal runs", World(0.05, rounds=1, learned=20)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=1000, help="comparisons in each world")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--table", action="store_true", help="the table of docs/compare.md, and nothing else")
    asked = parser.parse_args()
    held = _calibrated(asked.times, as_table=asked.table)
    if not asked.table:
        held = _large(asked.requests) and held
    return 0 if held else 1


def _calibrated(times: int, *, as_table: bool) -> bool:
    slack = 2 * sqrt(WRONG * (1 - WRONG) / times)
    print(_row(HEADS, as_table=as_table))
    if as_table:
        print("|---" * len(HEADS) + "|")
    all_held = True
    for name, world in worlds():
        equal, slow, slower = (shares(replace(world, slower=by), times) for by in (1.0, 1.05, 1.1))
        cells = [equal.get("regression", 0.0), equal.get("no_regression", 0.0), slow.get("regression", 0.0)]
        cells += [slower.get("regression", 0.0), slower.get("no_regression", 0.0)]
        held = cells[0] <= WRONG + slack and cells[4] <= WRONG + slack
        if world == World(0.02):
            held = held and cells[3] >= POWER
        all_held = all_held and held
        told = [name, *(f"{cell:.1%}" for cell in cells)]
        print(_row(told, as_table=as_table) + ("" if held or as_table else "  NOT HELD"), flush=True)
    return all_held


def _row(cells: Sequence[str], *, as_table: bool) -> str:
    if as_table:
        return f"| {' | '.join(cells)} |"
    return f"{cells[0]:50}" + "".join(f"{cell:>21}" for cell in cells[1:])


def _large(count: int) -> bool:
    """Whether two large runs are compared within the limits."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [Path(folder) / name / "normal" for name in ("base", "new")]
        for run, slower in zip(runs, (1.0, 1.1), strict=True):
            write_run(run, count, slower=slower)
        began_s = time.monotonic()
        command = [sys.executable, "-m", "genload", "compare", *map(str, runs), "--html"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s, cpu_s = time.monotonic() - began_s, usage.ru_utime + usage.ru_stime
    peak_bytes, code = usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)
    held = wall_s <= LIMIT_S and peak_bytes <= LIMIT_BYTES and code == 3
    # One run a side has no verdict: 3.
    print(
        f"genload compare of two runs of {count:,} requests: {wall_s:.1f} s (limit {LIMIT_S:.0f}; CPU "
        f"{cpu_s:.1f} s), {peak_bytes / 1e6:.0f} MB (limit {LIMIT_BYTES / 1e6:.0f}), exit code {code}: "
        f"{'held' if held else 'NOT HELD'}"
    )
    return held


if __name__ == "__main__":
    sys.exit(main())
