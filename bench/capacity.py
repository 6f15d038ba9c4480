"""How right the answer of a search for a capacity is: runs against the testbed, whose capacity is known.

The testbed has 2, 3, 4 or 6 slots of 20 s a job at time scale 0.02; its users are to be served within 30 s at
p95. What it holds is computed by a long simulation of the same. Printed are each answer, whether its bracket
has the true number, how long the load took for the settling and measuring times of its levels, and how often
the answer was proven (which says what a search this short can prove). Then the real speech engine, slowed
by CPU time before each write of a stream, is searched several times over: answers may differ by one listener.

    python bench/capacity.py [--runs 8] [--repeats 5] [--work 20ms]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from genload.analysis.evidence.percentiles import percentile
from genload.analysis.plan import constant
from genload.analysis.plan.simulation import Client, simulate
from genload.settings.phases import Phase, Timeline

SERVICE_S, SLOWEST_S, SCALE = 20.0, 30.0, 0.02
SLOTS = (2, 3, 4, 6)
LEAST_RIGHT, MOST_TIME = 0.9, 1.3
JOBS = """
extends: orfeas
watch_idle: 0s
monitors: {gpu: null, host: null, exposition: null, readiness: null}
reconcile: {}
scenarios:
  search:
    capacity: {of: users, to: 32, step: {settle: 30s, measure: 2min}, holds: [soon]}
    criteria: {soon: generate.duration.p95 < 30s}
"""
LISTENERS = """
extends: kokoro
watch_idle: 0s
monitors: {gpu: null, host: null, readiness: null}
scenarios:
  search:
    capacity: {of: users, to: 16, step: {settle: 3s, measure: 15s}, holds: [soon]}
    request: {texts: {lengths: [short]}}
    criteria: {soon: speech.duration.p95 < 2s}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", default="20ms", help="CPU time before each write of a stream")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        held = jobs(Path(name), arguments.runs)
        return 0 if listeners(Path(name), arguments.repeats, arguments.work) and held else 1


def jobs(folder: Path, runs: int) -> bool:
    """Whether enough brackets have the true capacity, and no search took much longer than its levels."""
    right, proven, longest = 0, 0, 0.0
    valid = 0
    for seed in range(runs):
        slots = SLOTS[seed % len(SLOTS)]
        options = ("--service-time", f"{SERVICE_S:g}s", "--slots", str(slots), "--time-scale", str(SCALE))
        with served(*options) as host:
            found = searched(folder, JOBS, host, "--time-scale", str(SCALE), "--seed", str(seed))
        capacity = found["capacity"]
        if not found["verdict"]["valid"]:
            print(f"  {slots} slots: not valid: {found['verdict']['reasons'][0]['text']}")
            continue
        valid += 1
        low, high, true = capacity["highest_observed"], capacity["lowest_observed_not"], truth(slots)
        is_right = low <= true < high and high - low <= max(1, 0.15 * low)
        planned_s = len(capacity["levels"]) * SCALE * 150.0
        took = found["duration_seconds"] / planned_s
        right, longest = right + is_right, max(longest, took)
        proven += capacity["highest_proven"] == low
        print(f"  {slots} slots (true {true}): {capacity['sentence']} [{took:.2f} times its levels]")
    print(
        f"jobs: {right} of {valid} brackets are right, the slowest load took {longest:.2f} times its levels "
        f"(limit {MOST_TIME}), {proven} proven; {runs - valid} runs were not valid"
    )
    return right >= LEAST_RIGHT * valid and longest <= MOST_TIME


def truth(slots: int) -> int:
    """The most users that are served within the limit at p95, by a long simulation of each."""

    def p95_s(users: int) -> float:
        timeline = Timeline((Phase("settling", 300.0, users), Phase("level", 20_000.0, users)))
        requests = simulate(timeline, Client(), constant(SERVICE_S, slots)).requests
        return percentile(np.array([r.end_s - r.start_s for r in requests if r.phase == "level"]), 95) or 0.0

    return max(users for users in range(1, 2 * slots + 2) if p95_s(users) < SLOWEST_S)


def listeners(folder: Path, repeats: int, work: str) -> bool:
    """Whether repeated answers of a real engine differ by one listener at most."""
    answers = []
    options = ("--api", "kokoro", "--engine", "hibari", "--slots", "1", "--chunk", "500ms", "--work", work)
    with served(*options) as host:
        for seed in range(repeats):
            found = searched(folder, LISTENERS, host, "--seed", str(seed))
            capacity = found["capacity"]
            if not found["verdict"]["valid"]:
                print(f"  not valid: {found['verdict']['reasons'][0]['text']}")
                continue
            answers.append(capacity["highest_observed"] or 0)
            print(f"  {capacity['sentence']}")
    spread = max(answers, default=0) - min(answers, default=0)
    print(
        f"listeners of a real engine, {work} of CPU before each write: {answers}, {spread:g} apart (limit 1)"
    )
    return spread <= 1


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
