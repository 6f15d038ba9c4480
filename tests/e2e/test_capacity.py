"""A search for a capacity with real processes: a master with workers, and one that somebody interrupts."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.errors import ExitCode
from genload.runlog.reader import open_run
from genload.runlog.records import Acknowledged, Announced, SearchEnded

from ..busy_machine import VALIDITY
from .conftest import Outcome

pytestmark = pytest.mark.processes

SUITE = (
    f"validity: {VALIDITY}\n"
    + """
service: {api: orfeas, timeout: 30s, poll: {interval: 20ms}}
locustfile: generation3d
monitors: {}
watch_idle: 0s
scenarios:
  search:
    capacity: {of: users, to: 8, step: {settle: 300ms, measure: 1.2s}, holds: [soon]}
    warmup: {jobs: 0}
    failure_pause: 0s
    criteria: {soon: generate.duration.p95 < 20s}
"""
)


def test_two_slots_hold_two_users_of_two_workers(
    testbed: Callable[..., Any], run_genload: Callable[..., Outcome], tmp_path: Path
) -> None:
    refused = SUITE.replace("soon: generate.duration.p95 < 20s", "soon: generate.failed == 0")
    # Between levels, the last request of a user who leaves would have one of the slots.
    refused = refused.replace("to: 8,", "to: 8, drain: true,")
    (tmp_path / "own.yaml").write_text(refused)
    server = testbed(service_time="400ms", slots=2, when_full="refuse")
    outcome = run_genload("own.yaml/search", "--host", server.url, "--workers", "2")
    assert outcome.code == ExitCode.PASSED, outcome.output
    found = outcome.result("search")["capacity"]
    failed = Counter(job.phase for job in outcome.jobs("search") if job.outcome == "failed")
    too_many = {level["value"] for level in found["levels"] if failed[f"level{level['level']}"]}
    held = {level["value"] for level in found["levels"]} - too_many
    assert min(too_many) > 2, "two slots refuse nobody of two users"
    assert found["highest_observed"] == max(value for value in held if value < min(too_many))
    assert found["lowest_observed_not"] == min(value for value in too_many if value > max(held))
    assert {level["outcome"] for level in found["levels"] if level["value"] in held} == {"holds"}
    beginning, _, _ = found["sentence"].partition(" soon does not hold")
    assert beginning in outcome.output
    events = list(open_run(outcome.suite_folder / "search").events())
    announced = [event for event in events if isinstance(event, Announced) and event.to]
    acknowledged = {(event.source, event.number) for event in events if isinstance(event, Acknowledged)}
    assert (
        announced
        and {("w0", e.number) for e in announced} | {("w1", e.number) for e in announced} == acknowledged
    )
    page = (outcome.suite_folder / "report.html").read_text()
    assert "Capacity curve" in page and "Levels, in the order in which they were measured" in page
    assert beginning in (outcome.suite_folder / "summary.md").read_text()


def test_ctrl_c_gives_the_bracket_so_far(
    testbed: Callable[..., Any], running: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(SUITE.replace("measure: 1.2s", "measure: 3s"))
    server = testbed(service_time="100ms", slots=8)
    process = running("--scenario", str(tmp_path / "own.yaml/search"), "-H", server.url)
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if "so far: holds" in line:  # a level has held, and another is at work
            process.send_signal(signal.SIGINT)
            break
    output, _ = process.communicate(timeout=200)
    outcome = Outcome(process.returncode, seen + output, tmp_path / "results")
    assert outcome.code == ExitCode.INTERRUPTED, outcome.output
    found = outcome.result("search")["capacity"]
    assert found["end"] == "interrupted" and 1 <= found["highest_observed"] < 8
    assert found["sentence"].startswith("interrupted: so far it holds ")
    assert found["levels"][-1]["outcome"] in ("not finished", "holds")
    events = open_run(outcome.suite_folder / "search").events()
    assert not any(isinstance(event, SearchEnded) for event in events)


def test_a_service_that_takes_nothing_is_full_before_any_load(
    testbed: Callable[..., Any], run_genload: Callable[..., Outcome], tmp_path: Path
) -> None:
    suite = SUITE.replace("warmup: {jobs: 0}", "warmup: {jobs: 1}").replace("timeout: 30s", "timeout: 2s")
    (tmp_path / "own.yaml").write_text(suite)
    server = testbed(service_time="100ms", slots=2, fault="limit-bare=100%")
    outcome = run_genload("own.yaml/search", "--host", server.url)
    assert outcome.code == ExitCode.UNAVAILABLE, outcome.output
    assert "the service is full, or broken, before any load: none of the 1 requests" in outcome.output
    assert "Traceback" not in outcome.output
    # A whole record of what was asked before the load, and no answer to what was never looked for.
    log = open_run(outcome.suite_folder / "search")
    assert {record.phase for record in log.requests()} == {"warmup"}
    assert "capacity" not in outcome.result("search")


def test_a_level_above_what_this_machine_has_is_refused_and_leaves_nothing(
    testbed: Callable[..., Any], run_genload: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(SUITE.replace("to: 8", "to: 100000000"))
    outcome = run_genload("own.yaml/search", "--host", testbed(service_time="100ms", slots=2).url)
    assert outcome.code == ExitCode.USAGE, outcome.output
    assert "100,000,000 users need" in outcome.output and "Traceback" not in outcome.output
    assert "ask for fewer users" in outcome.output
    assert not outcome.results.exists()
