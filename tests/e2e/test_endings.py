"""Runs that end early: what was in flight is waited for, or recorded as unfinished; the report is
complete.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run

from .conftest import in_progress

pytestmark = pytest.mark.processes

# 82 s are 2 s here: long enough to be interrupted in the middle.
SCALE = "0.025"
TIMEOUT_S = 60


@dataclass
class Run:
    """A run, its testbed, the folder of its results, and the signals that it gets while three jobs are in
    flight.
    """

    signals: tuple[int, ...]
    server: Any
    process: subprocess.Popen[str]
    results: Path
    output: str = ""

    def interrupt(self) -> None:
        """Send the signals, and wait for the end."""
        deadline = time.monotonic() + TIMEOUT_S
        # The warm-up and the first three have ended, and the next three are under way.
        while len(self.server.truth_records()) < 4 or in_progress(self.server) < 3:
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline, "the load did not get under way"
            time.sleep(0.05)
        for number in self.signals:
            self.process.send_signal(number)
            time.sleep(0.2)
        self.output, _ = self.process.communicate(timeout=TIMEOUT_S)

    def jobs(self) -> list[Any]:
        (folder,) = self.results.glob("*/normal")
        return [record for record in open_run(folder).requests() if record.operation and not record.warmup]


@pytest.fixture
def interrupted(
    testbed: Callable[..., Any], start_locust: Callable[..., Any], brisk: tuple[str, str], tmp_path: Path
) -> Callable[..., list[Run]]:
    """A run for each row of signals, to its end. All at once: they wait for modelled jobs, and for nothing
    else.
    """

    def begin(signals: tuple[int, ...]) -> Run:
        server = testbed(service_time="82s", slots=20, time_scale=SCALE, seed=1)
        results = tmp_path / "-".join(str(int(number)) for number in signals)
        scenario = ("--headless", "--scenario", "demo/normal", "--time-scale", SCALE, "-H", server.url)
        return Run(signals, server, start_locust(*scenario, *brisk, "--results", str(results)), results)

    def run(*rows: tuple[int, ...]) -> list[Run]:
        runs = [begin(signals) for signals in rows]
        with ThreadPoolExecutor(len(runs)) as pool:
            for _ in pool.map(Run.interrupt, runs):
                pass
        return runs

    return run


def test_one_signal_waits_for_what_is_in_flight(interrupted: Callable[..., list[Run]]) -> None:
    for run in interrupted((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGHUP,)):
        jobs = run.jobs()
        assert run.process.returncode == 130, (run.signals, run.output)
        assert {job.outcome for job in jobs} == {"ok"}
        assert sum(job.drained for job in jobs) == 3
        assert {row["job_id"] for row in run.server.truth_records()} >= {job.job_id for job in jobs}
        assert "interrupted" in run.output.lower()
        assert "Traceback" not in run.output
        assert list(run.results.glob("*/results_normal.json"))


def test_ctrl_c_again_does_not_wait_and_still_records(interrupted: Callable[..., list[Run]]) -> None:
    # The third comes in the middle of the report, which it must not break off.
    for run in interrupted((signal.SIGINT,) * 2, (signal.SIGINT,) * 3):
        jobs = run.jobs()
        assert run.process.returncode == 130, (run.signals, run.output)
        assert sorted({job.outcome for job in jobs}) == ["ok", "unfinished"]
        assert len(jobs) == 6
        assert "Traceback" not in run.output
