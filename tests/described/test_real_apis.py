"""The suites of real generation APIs, each against an imitation of its service: a whole job, its traps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from genload import extensions
from genload.artifacts.inputs.images import ImageSource
from genload.artifacts.inspector import shared
from genload.artifacts.usual import inspection_of
from genload.drivers.job_driver import JobDriver
from genload.drivers.job_result import JobResult
from genload.service import JOB_STAGES, ONE_CALL_STAGES
from genload.settings.loader import load_suite
from genload.settings.service import Poll

from .imitations import IMITATIONS, WORK_S, WORKFLOW, Imitation, served

pytestmark = pytest.mark.processes  # the one that inspects meshes

SUITES = extensions.builtin_folder("config") / "suites"
UNTOLD = tuple(stage for stage in JOB_STAGES if stage != "queue")

Run = Callable[..., tuple[JobResult, Imitation]]


@pytest.fixture(autouse=True, scope="module")
def no_inspector_left() -> Iterator[None]:
    yield
    shared().close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One job of a built-in suite against its imitation."""
    (tmp_path / "workflow.json").write_text(json.dumps(WORKFLOW), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(name: str, trap: str = "", *overrides: str) -> tuple[JobResult, Imitation]:
        with served(IMITATIONS[name](trap)) as imitation:
            loaded = load_suite(
                name, folders=[SUITES], wings=extensions.Wings(), host=imitation.url, overrides=overrides
            )
            service = loaded.suite.service.model_copy(update={"poll": Poll(interval_s=0.02)})
            client = extensions.attribute("services", service.api, "Client")(service)
            client.ready()
            image = ImageSource(seed=1).image("local", 0, 1)
            inspect = inspection_of(client)
            result = JobDriver(client, image, service=service, inspect=inspect, rng=Random(1)).run()
            assert client.in_flight() in (None, 0)
            client.close()
            return result, imitation

    return run


@pytest.mark.parametrize(
    ("suite", "stages", "calls"),
    [
        (
            "sglang_meshes",
            UNTOLD,
            ["POST /v1/meshes", "GET /v1/meshes/job-0", "GET /v1/meshes/job-0/content"],
        ),
        ("hunyuan3d", ONE_CALL_STAGES, ["POST /generate"]),
        ("hunyuan3d_send", UNTOLD, ["POST /send", "GET /status/job-0"]),
        ("localai_3d", ONE_CALL_STAGES, ["POST /3d/generations", "GET /generated-3d/job-0.glb"]),
        ("trellis_nim", ONE_CALL_STAGES, ["POST /v1/infer"]),
        (
            "gradio",
            ONE_CALL_STAGES,
            [
                "POST /gradio_api/upload",
                "POST /gradio_api/call/generate",
                "GET /gradio_api/call/generate/job-0",
                "GET /gradio_api/file=/cache/gradio/job-0/out.glb",
            ],
        ),
        (
            "comfyui",
            JOB_STAGES,
            ["POST /upload/image", "POST /prompt", "GET /api/jobs/job-0", "GET /view", "GET /queue"],
        ),
    ],
)
def test_a_job_of_each_api_goes_its_way_to_an_inspected_mesh(
    run: Run, suite: str, stages: tuple[str, ...], calls: list[str]
) -> None:
    result, imitation = run(suite)

    assert (result.outcome, result.error) == ("ok", "")
    assert result.numbers["faces"] == 80 and result.numbers["valid"] == 1
    assert set(result.stages) == set(stages)
    assert list(dict.fromkeys(imitation.asked))[1:] == calls  # after the question whether it is ready
    assert result.stages["run"] == pytest.approx(WORK_S, abs=0.2)


def test_sglang_tells_its_own_time_and_memory(run: Run) -> None:
    numbers = run("sglang_meshes")[0].numbers

    assert numbers["inference_s"] == pytest.approx(WORK_S) and numbers["gpu_peak"] == 9e9


def test_a_mesh_of_sglang_s_that_is_in_the_cloud_is_fetched_by_its_url(run: Run) -> None:
    result, _ = run("sglang_meshes", "cloud")
    assert result.error_class == "http_400" and "cloud storage" in result.error

    other_way = ('service.request.result.path=""', "service.request.result.url=url")
    assert run("sglang_meshes", "cloud", *other_way)[1].asked[-1].endswith("/signed")


def test_a_trellis_that_is_hosted_is_polled_by_the_id_of_a_header(run: Run) -> None:
    result, imitation = run("trellis_nim", "hosted")

    assert (result.outcome, result.error, result.job_id) == ("ok", "", "job-0")
    assert "GET /v2/nvcf/pexec/status/job-0" in imitation.asked and "accept" in result.stages


def test_comfyui_s_own_stamps_are_a_number_of_the_record(run: Run) -> None:
    assert run("comfyui")[0].numbers["execution_s"] == pytest.approx(0.150)


@pytest.mark.parametrize(
    ("suite", "trap", "error_class", "words"),
    [
        ("sglang_meshes", "failed", "job_failed", "CUDA out of memory"),
        ("hunyuan3d", "broken", "job_failed", "NETWORK ERROR DUE TO HIGH TRAFFIC"),
        ("hunyuan3d_send", "broken", "stuck", "has been 'processing' for more than"),
        ("localai_3d", "no_model", "http_500", "could not load model"),
        ("trellis_nim", "invalid", "http_422", "not a valid data URI"),
        ("gradio", "failed", "job_failed", "CUDA out of memory"),
        ("gradio", "cut", "bad_answer", "ended without 'complete'"),
        ("comfyui", "invalid", "http_400", "Prompt outputs failed validation"),
        ("comfyui", "failed", "job_failed", "Allocation on device"),
    ],
)
def test_what_each_api_says_of_a_failure_is_told_in_its_words(
    run: Run, suite: str, trap: str, error_class: str, words: str
) -> None:
    hasty = ("service.request.poll.stuck_after=300ms",) if error_class == "stuck" else ()
    result, _ = run(suite, trap, *hasty)

    assert (result.outcome, result.error_class) == ("failed", error_class)
    assert words in result.error


def test_a_service_that_is_another_one_is_not_ready(run: Run, tmp_path: Path) -> None:
    with served(IMITATIONS["sglang_meshes"]("")) as other:
        loaded = load_suite("comfyui", folders=[SUITES], wings=extensions.Wings(), host=other.url)
        client: Any = extensions.attribute("services", "job", "Client")(loaded.suite.service)
        with pytest.raises(Exception, match="http_404"):
            client.ready()
        client.close()
