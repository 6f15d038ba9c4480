"""Loads that end before their time because going on would tell nothing more."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import Interrupted, LoadEnded, LoadStarted

pytestmark = pytest.mark.processes


def run_of(tmp_path: Path) -> Any:
    (folder,) = (tmp_path / "results").glob("*/short")
    return open_run(folder)


def load_s(run: Any) -> float:
    (begin,) = [event.t_s for event in run.events() if isinstance(event, LoadStarted)]
    (end,) = [event.t_s for event in run.events() if isinstance(event, LoadEnded)]
    return float(end - begin)


def report_again(run: Any) -> int:
    command = [sys.executable, "-m", "genload", "report", str(run.folder.parent)]
    return subprocess.run(command, capture_output=True, timeout=200).returncode


def test_a_service_that_only_fails_is_given_up(
    testbed: Callable[..., Any],
    run_locust: Callable[..., Any],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="100ms", slots=20, fault="fail=100%")
    target = short_suite(duration="5min", more="give_up: {consecutive_failures: 12}")
    outcome = run_locust("--scenario", target, "-H", server.url)
    run = run_of(tmp_path)
    assert outcome.code == 4, outcome.output
    told = re.search(r"the service was given up: (\d+) requests in a row failed", outcome.output)
    assert told and int(told[1]) >= 12  # at the next look after the twelfth
    assert "GIVEN UP" in outcome.output
    assert load_s(run) < 200
    jobs = [record for record in run.requests() if record.operation]
    assert 12 <= len(jobs) <= 12 + 3 * 20  # users go on until the next look, at most a second later
    assert not run.missing_records()
    assert report_again(run) == 4


def test_a_service_that_is_gone_is_given_up_one_that_comes_back_is_not(
    testbed: Callable[..., Any],
    running: Callable[..., Any],
    wait_until: Callable[..., None],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="100ms", slots=20)
    target = short_suite(duration="5min", more="give_up: {down_for: 10s}")
    process = running("--scenario", target, "-H", server.url)
    wait_until(lambda: len(server.truth_records()) > 6, process)
    server.end()
    again = testbed(service_time="100ms", slots=20, port=int(server.url.rpartition(":")[2]))
    wait_until(lambda: len(again.truth_records()) > 6, process)
    again.end()
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 4, output
    assert "the service was given up: it was not there for" in output
    jobs = [record for record in run_of(tmp_path).requests() if record.operation]
    assert "refused" in {job.error_class for job in jobs}


@pytest.mark.parametrize("command", ["locust", "genload run"])
def test_a_criterion_that_can_no_longer_hold_ends_the_load(
    command: str,
    testbed: Callable[..., Any],
    run_locust: Callable[..., Any],
    run_genload: Callable[..., Any],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="300ms", slots=20, fault="fail=20%", seed=1)
    criteria = "slow: {must: false, holds: generate.completed >= 100000}, none_failed: generate.failed == 0"
    options = (short_suite(duration="5min", criteria=criteria), "--abort-on", "hopeless")
    if command == "locust":
        outcome = run_locust("--scenario", *options, "-H", server.url)
    else:
        outcome = run_genload(*options, "--host", server.url)
    run = run_of(tmp_path)
    assert outcome.code == 1, outcome.output
    assert "none_failed can no longer hold: generate.failed == 0" in outcome.output
    assert load_s(run) < 200
    assert not any(isinstance(event, Interrupted) for event in run.events())
    # In flight at that moment were others: they are waited for, and count.
    assert {record.outcome for record in run.requests()} == {"ok", "failed"}
    summary = json.loads((run.folder.parent / "results_short.json").read_text())
    assert summary["verdict"]["valid"] is True
    assert report_again(run) == 1


def test_without_being_asked_for_a_lost_criterion_ends_nothing(
    testbed: Callable[..., Any],
    run_locust: Callable[..., Any],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = testbed(service_time="300ms", slots=20, fault="fail=100%")
    outcome = run_locust("--scenario", short_suite(duration="3s"), "-H", server.url)
    assert outcome.code == 1, outcome.output
    assert load_s(run_of(tmp_path)) >= 2.9
