"""Every fault of the testbed in whole runs: each job's error class against what befell it, one by one."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.reader import read_mesh
from testbed.relief import DEFAULT_DIMENSIONS_MM, FORMATS, make_cube, make_empty, make_relief, plain_image

from ..busy_machine import LIMITS

pytestmark = [pytest.mark.processes, pytest.mark.faults]

# Which class each fault must have; "" is a success. Silence costs seconds, so it is rarer than the rest.
OFTEN = {
    "error": "http_500",
    "error@upload": "http_500",
    "error@poll": "http_500",
    "error@download": "http_500",
    "html": "not_a_mesh",
    "html@upload": "bad_answer",
    "html@submit": "bad_answer",
    "html@poll": "bad_answer",
    "endless": "too_large",
    "endless@poll": "too_large",
    "truncated": "truncated",
    "truncated@submit": "truncated",
    "truncated@poll": "truncated",
    "reset": "reset",
    "reset@upload": "reset",
    "reset@poll": "reset",
    "reset@download": "reset",
    "fail": "job_failed",
    "cube": "placeholder",
    "duplicate": "duplicate_output",
    "empty-mesh": "empty_mesh",
    "nan-vertices": "nan_vertices",
    "wrong-format": "",
}
RARE = {
    "hang": "receive_timeout",
    "hang@upload": "receive_timeout",
    "hang@poll": "receive_timeout",
    "hang@download": "receive_timeout",
    "slow-loris": "timeout",
    "slow-loris@poll": "timeout",
}
CLASSES = {"": "", **OFTEN, **RARE}
# What a job may end as when the service as a whole was away, or lost what it knew.
WHOLE = {
    "refused": {"refused", "reset"},
    "restart": {"refused", "reset", "truncated", "job_lost"},
    "slow-start": {"rejected"},
    "crash": {"refused", "reset", "truncated"},
}
REFUSALS = ("reject", "reject-bare", "limit", "limit-bare")
RATES = [f"{name}=3.5%" for name in OFTEN] + [f"{name}=1.5%" for name in RARE]
JOBS = 120

SUITE: dict[str, Any] = {
    "service": {
        "api": "orfeas",
        "timeout": "6s",
        "receive_timeout": "2s",
        "max_answer": "1MiB",
        "poll": {"interval": "100ms"},
        "retry": {"max_retries": 1, "default_wait": "50ms", "max_wait": "100ms"},
        "request": {"lost_after": "1s"},
    },
    "locustfile": "generation3d",
    "monitors": {
        "exposition": {
            "interval": "500ms",
            "series": {
                "server.memory": "process_resident_memory_bytes",
                "gpu.memory_used": "orfeas_gpu_memory_bytes",
            },
        }
    },
    "watch_idle": "0s",
    "reports": ["results_json"],
    "validity": {**LIMITS, "min_coverage": "1%"},
}

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, run_genload: Run) -> Run:
    """Run one scenario against a testbed; its Outcome."""

    def one(server: Any, **scenario: Any) -> Any:
        suite = {**SUITE, "scenarios": {"faults": {"warmup": {"jobs": 0}, **scenario}}}
        path = tmp_path / "faults.yaml"
        path.write_text(yaml.safe_dump(suite), encoding="utf-8")
        return run_genload(str(path), "--host", server.url, "--seed", "5")

    return one


@pytest.fixture
def faulty(testbed: Run) -> Run:
    """A testbed with faults: ``faulty("cube=5%", seed=3)``; a job takes 0.2 s, and none waits."""

    def start(*faults: str, **options: Any) -> Any:
        program = [sys.executable, "-m", "testbed", *(f"--fault={fault}" for fault in faults)]
        return testbed(program=program, service_time="200ms", slots=16, **options)

    return start


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_broken_mesh_is_told_in_every_format(file_format: str) -> None:
    order = {"file_format": file_format, "dimensions_mm": DEFAULT_DIMENSIONS_MM}
    with_nan = make_relief(plain_image(), quality=3, nan_vertices=True, **order)
    for content, error_class in (
        (make_empty(file_format=file_format), "empty_mesh"),
        (with_nan, "nan_vertices"),
    ):
        with pytest.raises(MeshError) as caught:
            read_mesh(content, file_format)
        assert caught.value.error_class == error_class
    assert read_mesh(make_cube(**order), file_format).is_box
    assert not read_mesh(make_relief(plain_image(), quality=3, **order), file_format).is_box


def result_of(criterion: str, outcome: Any) -> str:
    rows = outcome.result("faults")["verdict"]["criteria"]
    (row,) = [row for row in rows if row["name"] == criterion]
    return str(row["result"])


def test_each_job_has_the_class_of_the_fault_that_befell_it(faulty: Run, run: Run) -> None:
    growing = ("memory-growth=2MiB", "gpu-growth=512MiB")
    server = faulty(*RATES, *growing, seed=179)
    outcome = run(
        server,
        shape={"kind": "baseline", "users": 8, "iterations": JOBS},
        failure_pause="0s",
        criteria={
            "few_errors": "generate.error_rate < 1%",
            "memory_flat": {"must": False, "holds": "server.memory.growth < 20%"},
            "gpu_memory_flat": {"must": False, "holds": "gpu.memory_used.growth < 20%"},
        },
    )
    assert outcome.code == 1, outcome.output
    server.end()
    jobs, truth = outcome.jobs("faults"), {row["request_id"]: row for row in server.truth_records()}
    assert len(jobs) == JOBS
    assert sorted(truth) == sorted(job.request_id for job in jobs)

    told = [(truth[job.request_id]["faults"], job.error_class, job.error) for job in jobs]
    wrong = [one for one in told if one[1] != CLASSES[one[0]]]
    first_of_many = [one for one in wrong if one[:2] == ("duplicate", "")]
    assert [one for one in wrong if one not in first_of_many] == []
    assert len(first_of_many) == 1  # nothing to compare the first one with
    assert {job.outcome for job in jobs if job.error_class} == {"failed"}
    for job in jobs:
        row = truth[job.request_id]
        assert job.job_id == row["job_id"] or "@upload" in row["faults"]
        if row["faults"] == "wrong-format":
            assert job.numbers["format_honoured"] == 0

    met = Counter(fault for fault, _, _ in told)
    # Which faults the first 120 images draw is the seed's doing alone.
    assert {name for name in CLASSES if met[name] == 0} == set()
    counted = Counter(error for _, error, _ in told if error)
    assert outcome.result("faults")["errors"] == dict(counted)
    assert result_of("memory_flat", outcome) == result_of("gpu_memory_flat", outcome) == "fail"


def test_refusals_are_tried_again_and_then_told(faulty: Run, run: Run) -> None:
    server = faulty(*(f"{name}=15%" for name in REFUSALS), seed=1)
    shape = {"kind": "baseline", "users": 4, "iterations": 40}
    outcome = run(server, shape=shape, failure_pause="0s", criteria={"all": "generate.failed == 0"})
    assert outcome.code == 1, outcome.output
    server.end()
    jobs, truth = outcome.jobs("faults"), {row["request_id"]: row for row in server.truth_records()}
    assert sorted(truth) == sorted(job.request_id for job in jobs)
    for job in jobs:
        row = truth[job.request_id]
        assert job.numbers["rejections"] == row["rejections"]
        refused_to_the_end = job.numbers["rejections"] > SUITE["service"]["retry"]["max_retries"]
        assert job.error_class == ("rejected" if refused_to_the_end else "")
        assert row["outcome"] == ("not_accepted" if refused_to_the_end else "completed")
        assert not refused_to_the_end or set(row["faults"].split(",")) <= set(REFUSALS)
    assert {job.numbers["rejections"] for job in jobs} == {0, 1, 2}


@pytest.mark.parametrize("faults", [("refused=800ms@4", "restart=10"), ("crash=7",)])
def test_what_befalls_the_whole_service_is_seen_in_each_job(
    faults: tuple[str, ...], faulty: Run, run: Run
) -> None:
    server = faulty(*faults, seed=1)
    outcome = run(
        server,
        shape={"kind": "normal", "users": 4, "duration": "8s"},
        failure_pause="100ms",
        criteria={
            "few_errors": "generate.error_rate < 1%",
            "uptime": {"must": False, "holds": "server.up.min == 1 and server.restarts.max == 0"},
        },
    )
    assert outcome.code == 1, outcome.output
    server.end()
    jobs, truth = outcome.jobs("faults"), {row["request_id"]: row for row in server.truth_records()}
    assert set(truth) <= {job.request_id for job in jobs}
    met = set()
    for job in jobs:
        # A job without a line never got as far as its order.
        row = truth.get(job.request_id) or {"faults": ",".join(WHOLE), "outcome": "", "downloads": 0}
        fetched = row["outcome"] == "completed" and row["downloads"] == 1
        allowed = {name for fault in row["faults"].split(",") for name in WHOLE.get(fault, ())}
        if job.outcome == "ok":
            assert fetched, (job, row)
        else:  # truth notes a download before its last byte: a crash may still take that along
            assert job.error_class in (allowed if not fetched else {"truncated"}), (job, row)
        met |= set(row["faults"].split(",")) if row["outcome"] else set()
    assert met >= {"", *(fault.partition("=")[0] for fault in faults)}
    assert {job.outcome for job in jobs} == {"ok", "failed"}
    assert result_of("uptime", outcome) == "fail"
