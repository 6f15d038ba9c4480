"""How right the answer of a search for a capacity is: runs against the testbed, whose capacity is known.

The testbed has 2 to 5 slots of about 20 s a job (5 % of scatter) at time scale 0.02. What it holds is
computed by a long simulation of the same. Limits lie where a level of two minutes, 11 to 40 jobs, can tell
one user more whichever way the slots happen to be out of step; with many slots that is a mean, because
neighbours differ by less than a p95 scatters then. Printed are each answer, whether its bracket has the true
number and is narrow, how long the load took for the settling and measuring times of its levels, and how
often the answer was proven (which says what a search this short can prove). A run that is not valid, because
the machine was busy with other work, is repeated. Then the real speech engine, slowed by CPU time before
each write of a stream, is searched several times over: answers may differ by one listener.

    python bench/capacity.py [--runs 8 | --runs 0-39] [--repeats 5] [--work 60ms] [--into FILE]

With `--into`, each run is added to that file of JSON lines, and what is in it already is not run again.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from genload.analysis.evidence.percentiles import percentile
from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.simulation import Client, simulate
from genload.settings.phases import Phase, Timeline

SERVICE_S, SCATTER, SCALE = 20.0, 0.05, 0.02
World = tuple[int, str, float]
# Slots, the statistic that must be below so many seconds.
WORLDS: tuple[World, ...] = (
    *((2, "p95", 27.0), (3, "p95", 26.0), (4, "mean", 23.0), (5, "mean", 22.5)),
    *((2, "p95", 48.0), (3, "p95", 47.0), (3, "mean", 43.5), (4, "mean", 43.0)),
)
LEAST_RIGHT, MOST_TIME, TRIES = 0.9, 1.3, 3
SETTLE_S, MEASURE_S = 60.0, 120.0
JOBS = """
extends: orfeas
watch_idle: 0s
monitors: {{gpu: null, host: null, exposition: null, readiness: null}}
reconcile: {{}}
scenarios:
  search:
    capacity: {{of: users, to: 32, step: {{settle: {settle_s:g}s, measure: {measure_s:g}s}}, holds: [soon]}}
    criteria: {{soon: "generate.duration.{stat} < {limit_s:g}s"}}
"""
LISTENERS = """
extends: kokoro
watch_idle: 0s
monitors: {gpu: null, host: null, readiness: null}
scenarios:
  search:
    capacity: {of: users, to: 32, step: {settle: 3s, measure: 12s}, holds: [soon]}
    request: {texts: {lengths: [short]}}
    criteria: {soon: speech.duration.p95 < 2s}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=_numbers, default=range(8), help="so many, or those of these numbers")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", default="60ms", help="CPU time before each write of a stream")
    parser.add_argument("--into", type=Path, help="where runs are kept")
    asked = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # each run is seen as it ends
    with tempfile.TemporaryDirectory() as name:
        kept = Kept(asked.into)
        held = jobs(Path(name), asked.runs, kept)
        return 0 if listeners(Path(name), asked.repeats, asked.work, kept) and held else 1


def _numbers(text: str) -> range:
    """``8`` is the first eight, ``10-19`` ten of them."""
    first, dash, last = text.rpartition("-")
    return range(int(first), int(last) + 1) if dash else range(int(last))


class Kept:
    """What was found earlier, in a file of JSON lines; nothing where there is none."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file is not None and file.exists() else []
        self._found: dict[str, dict[str, Any]] = dict(map(json.loads, lines))

    def get(self, name: str, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The results of that name: those kept, or else what `find` finds, kept if it is valid."""
        if name in self._found:
            return self._found[name]
        for _ in range(TRIES):
            document = find()
            found = {key: document[key] for key in ("capacity", "verdict", "duration_seconds")}
            if found["verdict"]["valid"]:
                break
            print(f"  {name}: not valid: {found['verdict']['reasons'][0]['text']}")
        else:
            return found
        if self._file is not None:
            with self._file.open("a") as file:
                file.write(json.dumps([name, found]) + "\n")
        return found


def jobs(folder: Path, runs: range, kept: Kept) -> bool:
    """Whether enough brackets have the true capacity, and no search took much longer than its levels."""
    right, narrow, proven, longest, valid = 0, 0, 0, 0.0, 0
    for seed in runs:
        world = WORLDS[seed % len(WORLDS)]
        found = kept.get(f"run {seed}", partial(job_search, folder, world, seed))
        if not found["verdict"]["valid"]:
            continue
        valid += 1
        capacity, true = found["capacity"], truth(world)
        low, high = capacity["highest_observed"] or 0, capacity["lowest_observed_not"] or 0
        took = found["duration_seconds"] / (len(capacity["levels"]) * SCALE * (SETTLE_S + MEASURE_S))
        right, narrow = right + (low <= true < high), narrow + (high - low <= max(1, 0.15 * low))
        longest, proven = max(longest, took), proven + (low > 0 and capacity["highest_proven"] == low)
        print(
            f"  run {seed}, {world[0]} slots, {world[1]} < {world[2]:g} s: true {true}, found {low:g} to "
            f"{high:g} ({len(capacity['levels'])} levels, {took:.2f} times their time):"
            f" {capacity['sentence']}"
        )
    print(
        f"jobs: of {valid} brackets {right} are right and {narrow} narrow, the slowest load took "
        f"{longest:.2f} times its levels (limit {MOST_TIME}), {proven} proven; "
        f"{len(runs) - valid} runs were not valid"
    )
    return min(right, narrow) >= LEAST_RIGHT * len(runs) and longest <= MOST_TIME


def job_search(folder: Path, world: World, seed: int) -> dict[str, Any]:
    """One search of a testbed whose service times are drawn by the seed."""
    slots, stat, limit_s = world
    suite = JOBS.format(settle_s=SETTLE_S, measure_s=MEASURE_S, stat=stat, limit_s=limit_s)
    service = ("--service-time", f"{SERVICE_S:g}s", "--spread", str(SCATTER), "--slots", str(slots))
    with served(*service, "--seed", str(seed), "--time-scale", str(SCALE)) as host:
        return searched(folder, suite, host, "--time-scale", str(SCALE), "--seed", str(seed))


@cache
def truth(world: World) -> int:
    """The most users that are served within the limit, by a long simulation of each."""
    slots, stat, limit_s = world
    sigma = np.sqrt(np.log1p(SCATTER**2))
    times_s = np.random.default_rng(1).lognormal(np.log(SERVICE_S) - sigma**2 / 2, sigma, 4096)
    service = AssumedService(slots, times_s, np.zeros(4096, dtype=np.bool_))

    def observed_s(users: int) -> float:
        timeline = Timeline((Phase("settling", 300.0, users), Phase("level", 20_000.0, users)))
        requests = simulate(timeline, Client(), service).requests
        times_s = np.array([r.end_s - r.start_s for r in requests if r.phase == "level"])
        return float(times_s.mean()) if stat == "mean" else percentile(times_s, 95) or 0.0

    return max(users for users in range(1, 3 * slots + 2) if observed_s(users) < limit_s)


def listeners(folder: Path, repeats: int, work: str, kept: Kept) -> bool:
    """Whether repeated answers of a real engine differ by one listener at most."""
    answers = []
    options = ("--api", "kokoro", "--engine", "hibari", "--slots", "1", "--chunk", "500ms", "--work", work)
    with served(*options) as host:
        for seed in range(repeats):
            find = partial(searched, folder, LISTENERS, host, "--seed", str(seed))
            found = kept.get(f"listeners {seed}", find)
            if found["verdict"]["valid"]:
                answers.append(found["capacity"]["highest_observed"] or 0)
                print(f"  listeners {seed}: {found['capacity']['sentence']}")
    spread = max(answers, default=0) - min(answers, default=0)
    print(
        f"listeners of a real engine, {work} of CPU before each write: {answers}, {spread:g} apart (limit 1)"
    )
    return spread <= 1 and len(answers) == repeats


@contextmanager
def served(*options: str) -> Iterator[str]:
    """A testbed of its own: its address."""
    command = [sys.executable, "-m", "testbed", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if told := re.search(r"listening on (http://\S+)", line):
                yield told[1]
                return
        raise SystemExit("the testbed has ended before it listened")
    finally:
        process.terminate()
        process.wait()


def searched(folder: Path, suite: str, host: str, *options: str) -> dict[str, Any]:
    """The results of one search."""
    (folder / "searched.yaml").write_text(suite)
    results = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, "-m", "genload", "run", str(folder / "searched.yaml/search"), "--host", host]
    done = subprocess.run(
        [*command, "--results", str(results), *options], check=False, capture_output=True, text=True
    )
    found = list(results.glob("*/results_search.json"))
    if not found:
        raise SystemExit(done.stdout + done.stderr)
    document: dict[str, Any] = json.loads(found[0].read_text())
    return document


if __name__ == "__main__":
    raise SystemExit(main())
