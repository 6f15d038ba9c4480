"""Runs that end early: what was in flight is waited for, or recorded as unfinished; the report is
complete.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import LoadEnded, RunEnded

from .conftest import in_progress

pytestmark = pytest.mark.processes

# 82 s are 2 s here: long enough to be interrupted in the middle.
SCALE = "0.025"
TIMEOUT_S = 120
# Far beyond what any of these tests waits.
LONG = tuple(
    word
    for key in ("scenarios.normal.shape.duration", "service.timeout", "service.receive_timeout")
    for word in ("--set", f"{key}=10h")
)


@dataclass
class Run:
    """A run, its testbed, the folder of its results, and the signals that it gets with jobs in flight."""

    signals: tuple[int, ...]
    server: Any
    process: subprocess.Popen[str]
    results: Path
    output: str = ""

    def interrupt(self, wait_until: Callable[..., None]) -> None:
        """Send the signals, and wait for the end."""
        # The warm-up and the first three have ended, and others are under way.
        wait_until(lambda: len(self.server.truth_records()) >= 4, self.process)
        wait_until(lambda: in_progress(self.server) >= 1, self.process)
        with self.server.standing_still():
            # The third comes in the middle of the report.
            for number, sign in zip(self.signals, (LoadEnded, RunEnded, RunEnded), strict=False):
                self.process.send_signal(number)
                wait_until(lambda kind=sign: self.events_of(kind), self.process)
        self.output, _ = self.process.communicate(timeout=TIMEOUT_S)

    def events_of(self, kind: type[Any]) -> list[Any]:
        runs = [open_run(file.parent) for file in self.results.glob("*/normal/run.json")]
        return [event for run in runs for event in run.events() if isinstance(event, kind)]

    def jobs(self, *, warmup: bool = False) -> list[Any]:
        (folder,) = self.results.glob("*/normal")
        return [one for one in open_run(folder).requests() if one.operation and one.warmup == warmup]


@pytest.fixture
def interrupted(
    testbed: Callable[..., Any],
    start_locust: Callable[..., Any],
    wait_until: Callable[..., None],
    brisk: tuple[str, str],
    tmp_path: Path,
) -> Callable[..., list[Run]]:
    """A run for each row of signals, to its end. All at once: they wait for modelled jobs, and for nothing
    else.
    """

    def begin(signals: tuple[int, ...]) -> Run:
        server = testbed(service_time="82s", slots=20, time_scale=SCALE, seed=1)
        results = tmp_path / "-".join(str(int(number)) for number in signals)
        scenario = ("--headless", "--scenario", "demo/normal", "--time-scale", SCALE, "-H", server.url, *LONG)
        return Run(signals, server, start_locust(*scenario, *brisk, "--results", str(results)), results)

    def run(*rows: tuple[int, ...]) -> list[Run]:
        runs = [begin(signals) for signals in rows]
        with ThreadPoolExecutor(len(runs)) as pool:
            for _ in pool.map(lambda run: run.interrupt(wait_until), runs):
                pass
        return runs

    return run


def test_one_signal_waits_for_what_is_in_flight(interrupted: Callable[..., list[Run]]) -> None:
    for run in interrupted((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGHUP,)):
        jobs = run.jobs()
        assert run.process.returncode == 130, (run.signals, run.output)
        assert {job.outcome for job in jobs} == {"ok"}
        assert any(job.drained for job in jobs)
        known = {row["job_id"] for row in run.server.truth_records()}
        assert known == {job.job_id for job in jobs} | {job.job_id for job in run.jobs(warmup=True)}
        assert "interrupted" in run.output.lower()
        assert "Traceback" not in run.output
        assert list(run.results.glob("*/results_normal.json"))


def test_ctrl_c_again_does_not_wait_and_still_records(interrupted: Callable[..., list[Run]]) -> None:
    # The third must not break off the report.
    for run in interrupted((signal.SIGINT,) * 2, (signal.SIGINT,) * 3):
        jobs = run.jobs()
        assert run.process.returncode == 130, (run.signals, run.output)
        assert {job.outcome for job in jobs} == {"ok", "unfinished"}
        run.server.end()
        known = {row["job_id"] for row in run.server.truth_records()}
        assert {job.job_id for job in jobs if job.outcome == "ok"} <= known
        assert known <= {job.job_id for job in jobs} | {job.job_id for job in run.jobs(warmup=True)}
        assert "Traceback" not in run.output
