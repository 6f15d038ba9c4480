"""A suite that was killed in the middle of a scenario goes on, and no job of it is lost."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from genload.runlog.reader import open_run

from ..busy_machine import VALIDITY

pytestmark = [pytest.mark.processes, pytest.mark.faults]

LONG_S = 200


def jobs_of(folder: Path) -> list[str]:
    return [record.job_id for record in open_run(folder).requests() if record.operation and record.job_id]


def test_a_suite_that_was_killed_goes_on_with_the_scenario_that_was_cut_off(
    testbed: Callable[..., Any],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="300ms", slots=8)  # the second takes ten seconds
    scenario = "{warmup: {jobs: 0}, criteria: {all_good: generate.failed == 0}, "
    suite = tmp_path / "own.yaml"
    suite.write_text(
        "service: {api: orfeas, poll: {interval: 50ms}}\nlocustfile: generation3d\n"
        f"monitors: {{host: {{interval: 200ms}}}}\nvalidity: {VALIDITY}\nscenarios:\n"
        f"  first: {scenario} shape: {{kind: baseline, users: 1, iterations: 3}}}}\n"
        f"  second: {scenario} shape: {{kind: baseline, users: 2, iterations: 60}}}}\n"
    )
    command = [sys.executable, "-m", "genload", "run", str(suite), "--host", server.url, "--seed", "5"]
    results = ["--results", str(tmp_path / "results")]
    killed = subprocess.Popen([*command, *results], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not any(jobs_of(file.parent) for file in tmp_path.glob("results/*/second/requests.jsonl")):
            assert killed.poll() is None
            time.sleep(0.05)
    finally:
        family = [*psutil.Process(killed.pid).children(recursive=True), psutil.Process(killed.pid)]
        for process in family:
            process.kill()
        killed.wait(LONG_S)
        psutil.wait_procs(family, timeout=LONG_S)

    [folder] = (tmp_path / "results").iterdir()
    first = (folder / "first" / "requests.jsonl").read_bytes()
    command = [sys.executable, "-m", "genload", "run", "--resume", str(folder)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LONG_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    words = " ".join(done.stdout.split())
    assert "first has been run" in words and "second was cut off: it is run again" in words
    assert (folder / "first" / "requests.jsonl").read_bytes() == first
    cut_off = folder / "cut_off" / "second-1"
    recorded = [*jobs_of(folder / "first"), *jobs_of(folder / "second")]
    assert (len(jobs_of(folder / "first")), len(jobs_of(folder / "second"))) == (3, 60)
    known = {line["job_id"] for line in server.truth_records()}
    assert len(jobs_of(cut_off)) > 0 and {*recorded, *jobs_of(cut_off)} <= known
    assert open_run(folder / "second").header.seed == open_run(cut_off).header.seed == 5
    assert re.search(r"first +PASS", words) and re.search(r"second +PASS", words)
