"""Runs that end early: what was in flight is waited for, or recorded as unfinished; the report is
complete.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run

pytestmark = pytest.mark.processes

# 82 s are 2 s here: long enough to be interrupted in the middle.
SCALE = "0.025"
TIMEOUT_S = 60


def interrupted_run(
    testbed: Callable[..., Any], start_locust: Callable[..., Any], *signals: int
) -> tuple[Any, Any, str]:
    """(testbed, process, output) of a run that got these signals while three jobs were in flight."""
    server = testbed(service_time="82s", slots=20, time_scale=SCALE, seed=1)
    process = start_locust("--headless", "--scenario", "demo/normal", "--time-scale", SCALE, "-H", server.url)
    deadline = time.monotonic() + TIMEOUT_S
    while len(server.truth_records()) < 4:  # the warm-up and the first three
        assert process.poll() is None and time.monotonic() < deadline, "the load did not get under way"
        time.sleep(0.05)
    time.sleep(1.0)  # into the next three
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    output, _ = process.communicate(timeout=TIMEOUT_S)
    return server, process, output


def jobs_of(tmp_path: Path) -> list[Any]:
    (folder,) = (tmp_path / "results").glob("*/normal")
    return [record for record in open_run(folder).requests() if record.operation and not record.warmup]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_waits_for_what_is_in_flight(
    number: int, testbed: Callable[..., Any], start_locust: Callable[..., Any], tmp_path: Path
) -> None:
    server, process, output = interrupted_run(testbed, start_locust, number)
    jobs = jobs_of(tmp_path)
    assert process.returncode == 130, output
    assert {job.outcome for job in jobs} == {"ok"}
    assert sum(job.drained for job in jobs) == 3
    assert {row["job_id"] for row in server.truth_records()} >= {job.job_id for job in jobs}
    assert "interrupted" in output.lower()
    assert "Traceback" not in output
    assert list((tmp_path / "results").glob("*/results_normal.json"))


# The third comes in the middle of the report, which it must not break off.
@pytest.mark.parametrize("times", [2, 3])
def test_ctrl_c_again_does_not_wait_and_still_records(
    times: int, testbed: Callable[..., Any], start_locust: Callable[..., Any], tmp_path: Path
) -> None:
    _, process, output = interrupted_run(testbed, start_locust, *[signal.SIGINT] * times)
    jobs = jobs_of(tmp_path)
    assert process.returncode == 130, output
    assert sorted({job.outcome for job in jobs}) == ["ok", "unfinished"]
    assert len(jobs) == 6
    assert "Traceback" not in output
