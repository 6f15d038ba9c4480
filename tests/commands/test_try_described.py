"""`genload try` on described services: every step of each real API, and the way out of a failure."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from genload.client import Answer, Seen
from genload.client.answer import Headers, Times
from genload.commands.try_.guide import advice
from genload.commands.try_.trial import Trial
from genload.commands.try_.view import TrialView
from genload.targets import RunRequest, checked

from ..described.imitations import IMITATIONS, WORKFLOW, served

STEPS = {
    "sglang_meshes": ["POST /v1/meshes", "GET /v1/meshes/job-0", "GET /v1/meshes/job-0/content", "stage run"],
    "hunyuan3d": ["POST /generate", "stage upload", "stage run", "stage download"],
    "hunyuan3d_send": ["POST /send", "GET /status/job-0", '"model_base64": "'],
    "localai_3d": ["POST /3d/generations", "GET /generated-3d/job-0.glb"],
    "trellis_nim": ["POST /v1/infer", '"artifacts": [{"base64": "'],
    "gradio": ["POST /gradio_api/upload", "POST /gradio_api/call/generate", "event: complete"],
    "comfyui": ["POST /upload/image", "POST /prompt", "GET /api/jobs/job-0", "GET /view?filename=…"],
}

Try = Callable[..., tuple[int, str]]


@pytest.fixture
def genload_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Try:
    """One request of a built-in suite to its imitation: exit code, and what was shown."""
    (tmp_path / "workflow.json").write_text(json.dumps(WORKFLOW), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run(suite: str, trap: str = "", *overrides: str) -> tuple[int, str]:
        shown = io.StringIO()
        with served(IMITATIONS[suite](trap)) as imitation:
            quick = ("monitors.host=null", "monitors.gpu=null", "service.poll.interval=50ms")
            request = RunRequest((suite,), host=imitation.url, seed=1, overrides=(*quick, *overrides))
            (target,) = checked(request)
            code = Trial(target, TrialView(Console(file=shown, width=2000, highlight=False))).run()
        return int(code), shown.getvalue()

    return run


@pytest.mark.processes
@pytest.mark.parametrize("suite", STEPS)
def test_every_step_of_a_real_api_is_shown(genload_try: Try, suite: str) -> None:
    code, shown = genload_try(suite)

    assert code == 0 and "succeeded in" in shown and "faces 80" in shown, shown
    assert [step for step in STEPS[suite] if step not in shown] == []
    assert f"next: genload run {suite}" in shown


@pytest.mark.processes
def test_a_failure_ends_with_what_failed_what_was_sent_what_came_and_what_to_change(
    genload_try: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_MINE", "swordfish")
    header = 'service.headers={Authorization: "Bearer ${env:SECRET_OF_MINE}"}'
    code, shown = genload_try("sglang_meshes", "", "service.request.poll.state=state", header)

    assert code == 1 and "swordfish" not in shown
    end = shown[shown.index("what failed") :]
    assert "the step 'poll', missing_value" in end
    assert "GET /v1/meshes/job-0" in end and "came back    200 " in end and '"status": "queued"' in end
    assert "to change    service.request.poll.state" in end


@pytest.mark.processes
def test_the_service_s_own_words_are_no_mistake_of_the_suite_s(genload_try: Try) -> None:
    _, shown = genload_try("comfyui", "failed")
    end = shown[shown.index("what failed") :]

    assert "the job: the service says so, job_failed" in end and "to change    nothing" in end


@pytest.mark.parametrize(
    ("error_class", "error", "status", "step", "key", "found"),
    [
        ("missing_value", "service.request.poll.state: the path …", 200, "poll", "service.request.poll",
         "service.request.poll.state"),
        ("http_404", "Not Found", 404, "submit", "service.request", "service.request.path"),
        ("http_405", "no", 405, "poll", "service.request.poll", "service.request.poll.method"),
        ("http_422", "image: missing", 422, "submit", "service.request", "service.request"),
        ("http_401", "who are you", 401, "submit", "service.request", "service.headers"),
        ("http_302", "redirected", 302, "download", "service.request.result", "service.follow_redirects"),
        ("http_500", "CUDA error", 500, "submit", "service.request", "service.request"),
        ("refused", "nobody", 0, "submit", "service.request", "service.host"),
        ("timeout", "late", 0, "poll", "service.request.poll", "service.timeout"),
        ("rejected", "busy", 503, "submit", "service.request", "service.retry"),
        ("not_a_mesh", "out.glb: …", 200, "", "service.request", "service.request"),
        ("not_splats", "out.ply: …", 200, "", "service.request", "service.request"),
        ("not_a_picture", "out.png: …", 200, "", "service.request", "service.request"),
        ("too_small", "out.bin: …", 200, "", "service.request", "service.request"),
        ("job_failed", "CUDA error", 200, "", "service.request", ""),
        ("http_404", "Not Found", 404, "submit", "", ""),
    ],
)  # fmt: skip
def test_each_failure_names_the_key_to_change(
    error_class: str, error: str, status: int, step: str, key: str, found: str
) -> None:
    named, words = advice(error_class, error, status, step, key)

    assert named == found and words


def test_polls_that_are_answered_alike_take_ever_fewer_lines() -> None:
    shown = io.StringIO()
    view = TrialView(Console(file=shown, width=200, highlight=False))
    for body in [b'{"state": 1}'] * 21 + [b'{"state": 2}'] * 2:
        kind = Headers([(b"Content-Type", b"application/json")])
        answer = Answer(200, "OK", kind, body, (), Times(), 1, 1, True)
        view.exchange(Seen("GET /jobs/7 HTTP/1.1", [], b"", answer, None))
    lines = [line.split("again: ")[1] for line in shown.getvalue().splitlines() if "again: " in line]

    alike = ["the same", *(f"the same, {n} times now" for n in (2, 4, 8, 16))]
    assert [line.partition("; ")[2] for line in lines] == [*alike, "", "the same"]
    assert shown.getvalue().count('{"state": 1}') == shown.getvalue().count('{"state": 2}') == 1
