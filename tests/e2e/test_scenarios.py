"""Each scenario once, at a small scale, against the testbed: its records against the testbed's truth,
one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from genload.analysis.judge import judge
from genload.extensions import builtin_folder

from ..busy_machine import PATIENT
from .beside_plan import beside_plan

pytestmark = pytest.mark.processes

SCALE = "0.01"
# An hour of sustained load is 36 s even at this scale: a sixth of it shows the same, and is what a window of
# its criteria takes. In ten minutes the seventh of a user's jobs of 85 s ends with the load, and it has an
# eighth, or has not; in 390 s it has five of them if they take 78 to 97 s, in 636 s eight of 80 to 90 s.
SHORTER = (
    "scenarios.normal.shape.duration=390s",
    "scenarios.sustained.shape.duration=636s",
    "service.timeout=3000s",  # a machine that stands still for three of its own seconds fails no job
)
RESULTS_SCHEMA = builtin_folder("config") / "schema" / "results.schema.json"


@pytest.mark.parametrize(
    ("scenario", "workers"),
    [("baseline", "auto"), ("normal", "auto"), ("peak", "2"), ("spike", "auto"), ("sustained", "auto")],
)
def test_a_scenario_reports_what_really_happened(
    scenario: str,
    workers: str,
    testbed: Callable[..., Any],
    run_genload: Callable[..., Any],
    brisk: tuple[str, str],
) -> None:
    server = testbed(service_time="82s", slots=20, time_scale=SCALE, seed=1)
    shorter = [option for setting in SHORTER for option in ("--set", setting)]
    options = "--time-scale", SCALE, "--seed", "7", *shorter, *brisk, "--workers", workers
    outcome = run_genload(f"demo/{scenario}", "--host", server.url, *options)
    result = outcome.result(scenario)
    assert outcome.code == result["verdict"]["exit_code"], outcome.output
    jobs = outcome.jobs(scenario)
    check_against_truth(jobs, server.truth_records())
    check_statistics(result, [job for job in jobs if not job.warmup])
    jsonschema.validate(result, json.loads(RESULTS_SCHEMA.read_text()))
    assert sum(job.warmup for job in jobs) == 1
    assert {job.outcome for job in jobs} == {"ok"}
    assert {job.source for job in jobs} == ({"local"} if workers == "auto" else {"w0", "w1"})
    beside = beside_plan(outcome.suite_folder / scenario, "demo", *SHORTER)
    assert beside.agrees, beside
    # Each user's last job begins while the load goes on, and ends behind it: what was begun, was completed.
    assert beside.completed == len(jobs) - 1


def check_against_truth(jobs: list[Any], truth: list[dict[str, Any]]) -> None:
    """attempted = accepted = finished = recorded, and never less time measured than the server took."""
    of_truth = {row["job_id"]: row for row in truth}
    assert sorted(job.job_id for job in jobs) == sorted(of_truth)
    assert len(of_truth) == len(truth) == len({job.request_id for job in jobs})
    for job in jobs:
        row = of_truth[job.job_id]
        assert row["request_id"] == job.request_id
        assert row["outcome"] == "completed"
        assert job.duration_s >= row["end_s"] - row["arrival_s"]
        assert sum(job.stages.values()) == pytest.approx(job.duration_s, abs=1e-6)
        assert 0 <= job.numbers["poll_bound_s"] <= job.duration_s


def check_statistics(result: dict[str, Any], jobs: list[Any]) -> None:
    """The report's numbers are numpy's on the records."""
    durations = np.array([job.duration_s for job in jobs])
    assert result["total_requests"] == result["successful_requests"] == len(jobs)
    assert result["avg_duration"] == pytest.approx(durations.mean())
    assert result["min_duration"] == pytest.approx(durations.min())
    assert result["max_duration"] == pytest.approx(durations.max())
    for percent in (50, 95, 99):
        expected = np.percentile(durations, percent, method="inverted_cdf")
        assert result[f"p{percent}_duration"] == pytest.approx(expected)


def test_a_scenario_that_cannot_hold_fails_and_says_why(
    testbed: Callable[..., Any], run_genload: Callable[..., Any], brisk: tuple[str, str]
) -> None:
    # As specified, peak wants 50 successes of 10 users in 5 minutes: 82 s a generation allow at most 40.
    server = testbed(service_time="82s", slots=20, time_scale=SCALE, seed=1)
    outcome = run_genload("orfeas/peak", "--host", server.url, "--time-scale", SCALE, *PATIENT, *brisk)
    result = outcome.result("peak")
    assert outcome.code == 1, outcome.output
    assert outcome.output.count("orfeas/peak  FAIL") == 1
    assert result["validation"]["overall"] is False
    failed = {row["name"]: row for row in result["verdict"]["criteria"] if row["result"] == "fail"}
    assert {row["evidence"] for row in failed.values()} == {"exact"}
    assert all(0 < row["value"] <= 40 for row in failed.values())  # a busy machine makes fewer


def test_a_process_of_a_suite_only_records(
    testbed: Callable[..., Any],
    run_locust: Callable[..., Any],
    short_suite: Callable[..., str],
    tmp_path: Path,
) -> None:
    # `genload run` judges what it leaves; that the criterion fails is nothing that this process knows.
    server, folder = testbed(service_time="100ms", slots=3), tmp_path / "suite"
    target = short_suite(criteria="none: generate.attempted == 0", duration="1s")
    outcome = run_locust("--scenario", target, "-H", server.url, "--suite-folder", str(folder))
    assert outcome.code == 0, outcome.output
    assert [path.name for path in folder.iterdir()] == ["short"]
    assert "FAIL" not in outcome.output
    assert judge(folder / "short").verdict.exit_code == 1


def test_a_service_that_refuses_when_full_is_reported_as_it_was(
    testbed: Callable[..., Any], run_genload: Callable[..., Any], brisk: tuple[str, str]
) -> None:
    server = testbed(service_time="82s", slots=3, when_full="refuse", time_scale=SCALE, seed=1)
    outcome = run_genload(
        "orfeas/peak",
        "--host",
        server.url,
        "--time-scale",
        SCALE,
        "--set",
        "scenarios.peak.failure_pause=82s",
        *brisk,
    )
    jobs, truth = outcome.jobs("peak"), server.truth_records()
    assert sorted(job.job_id for job in jobs) == sorted(row["job_id"] for row in truth)
    refused = {row["job_id"] for row in truth if row["outcome"] != "completed"}
    assert {job.job_id for job in jobs if job.outcome == "failed"} == refused
    assert refused
    assert outcome.result("peak")["errors"] == {
        "no_capacity": len([j for j in jobs if j.job_id in refused and not j.warmup])
    }


def test_no_service_is_one_clear_line_and_exit_code_4(
    dead_port: int, run_genload: Callable[..., Any], tmp_path: Path
) -> None:
    outcome = run_genload(
        "demo/baseline", "--host", f"http://127.0.0.1:{dead_port}", "--set", "service.ready_timeout=1s"
    )
    assert outcome.code == 4
    assert "waiting for it, 1 s at most" in outcome.output
    assert "was not ready within" in outcome.output
    assert "Traceback" not in outcome.output


def test_plain_locust_tells_a_wrong_host_before_it_begins(
    dead_port: int, run_locust: Callable[..., Any]
) -> None:
    host = f"http://127.0.0.1:{dead_port}"
    outcome = run_locust("--scenario", "demo/baseline", "-H", host, "--set", "service.ready_timeout=100ms")
    before, _, _ = outcome.output.partition("Shape test starting")
    assert f"no one listens at {host} (Connection refused); waiting for it" in before
    assert outcome.code == 4


def test_load_of_another_time_than_the_service_is_refused(
    testbed: Callable[..., Any], run_genload: Callable[..., Any]
) -> None:
    half, real = (testbed(service_time="82s", slots=20, time_scale=declared) for declared in ("0.5", "1"))
    asked_for = ((half, "0.01"), (real, "0.01"), (half, "1"))

    def refused(server: Any, asked: str) -> Any:
        return run_genload("demo/baseline", "--host", server.url, "--time-scale", asked)

    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(refused, *one) for one in asked_for]
    for outcome in (each.result() for each in outcomes):
        assert outcome.code == 2, outcome.output
        assert "--time-scale" in outcome.output
        assert not list(outcome.results.rglob("run.json"))
    assert half.truth_records() == real.truth_records() == []
