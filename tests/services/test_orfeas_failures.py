"""What the ORFEAS client makes of refusals, failures, pages of proxies and silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic
from typing import Any

import pytest

from genload import extensions
from genload.service import JobInput, ServiceError, Step
from genload.settings.service import Service

JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
IMAGE = JobInput("genload-1.png", b"\x89PNG not really", "image/png")
PAGE_503 = (
    b"<html><head><title>503 Service &amp; more</title><style>b {}</style></head>"
    b"<body><h1>503 Service &amp; more</h1>\n<hr>nginx</body></html>"
)
WELCOME = b"<!doctype html><title>Welcome to nginx!</title>"

Make = Callable[..., Any]


def failure(call: Callable[..., Any], *arguments: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "retry_after_s", "words"),
    [
        (
            (503, {"error": "Models are loading", "status": "models_loading", "retry_after": 5}),
            5.0,
            "Models are loading",
        ),
        ((429, {"error": "Rate limit exceeded"}), None, "Rate limit exceeded"),
        ((429, {"error": "slow"}, {"Retry-After": "12"}), 12.0, "slow"),
        ((503, {"retry_after": "7.5"}, {"Retry-After": "60"}), 7.5, "Whatever"),
        ((503, {"retry_after": -3}), 0.0, "Whatever"),
        ((503, {"retry_after": "soon"}), None, "Whatever"),
        ((503, {"retry_after": float("inf")}), None, "Whatever"),
        ((503, {"retry_after": None}), None, "Whatever"),
        ((503, PAGE_503), None, "503 Service & more nginx"),
        ((503, PAGE_503, {"Retry-After": "30"}), 30.0, "503 Service & more nginx"),
        ((503, b"", {"Retry-After": "tomorrow"}), None, "Whatever"),
        ((503, b"[1]"), None, "[1]"),
    ],
)
@pytest.mark.parametrize("path", ["/api/upload-image", "/api/generate-3d"])
def test_a_refusal_asks_for_a_pause(
    make: Make, path: str, answer: Any, retry_after_s: float | None, words: str
) -> None:
    client, _ = make({path: [answer]})
    error = failure(client.upload, IMAGE) if path.endswith("image") else failure(client.submit, IMAGE, JOB)

    assert error.rejected and error.error_class == "rejected" and error.status == answer[0]
    assert error.retry_after_s == retry_after_s
    assert error.message == words


def test_a_retry_after_date_is_understood(make: Make) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    client, _ = make({"/api/generate-3d": [(503, b"", {"Retry-After": date})]})

    assert failure(client.submit, IMAGE, JOB).retry_after_s == pytest.approx(100, abs=5)


@pytest.mark.parametrize(
    ("answer", "error_class", "words"),
    [
        ((400, {"error": "Invalid image", "details": "Executable code detected"}), "http_400", "Executable"),
        ((409, {"error": "Job already running"}), "http_409", "already running"),
        ((413, b"<html><title>413 Request Entity Too Large</title>"), "http_413", "Too Large"),
        ((500, b""), "http_500", "Whatever"),
        ((502, b"<html><b>502 Bad Gateway</b>"), "http_502", "502 Bad Gateway"),
        ((301, b"", {"Location": "https://elsewhere/"}), "http_301", "https://elsewhere/"),
        ((201, {"job_id": JOB}), "http_201", "Whatever"),
    ],
)
def test_a_failure_keeps_its_status_and_words(make: Make, answer: Any, error_class: str, words: str) -> None:
    client, _ = make({"/api/upload-image": [answer]})
    steps: list[Step] = []
    client.on_step = steps.append
    error = failure(client.upload, IMAGE)

    assert (error.error_class, error.rejected, error.status) == (error_class, False, answer[0])
    assert words in error.message
    assert (steps[0].error_class, steps[0].status) == (error_class, answer[0])


def test_redirects_are_followed_as_far_as_the_suite_says(make: Make) -> None:
    script = {
        "/api/upload-image": [(308, b"", {"Location": "/v2/upload-image"})],
        "/v2/upload-image": [{"job_id": JOB}],
    }
    client, service = make(script, follow_redirects=1)
    steps: list[Step] = []
    client.on_step = steps.append

    assert client.upload(IMAGE) == JOB
    assert [request.path for request in service.received] == list(script)
    assert service.received[0].body == service.received[1].body
    assert len(steps) == 1 and steps[0].bytes_sent > 2 * len(service.received[0].body)


@pytest.mark.parametrize("answer", [WELCOME, {"status": "uploaded"}, {"job_id": 7}, b"{", b'"text"'])
def test_a_200_of_another_service_is_a_bad_answer(make: Make, answer: Any) -> None:
    client, _ = make({"/api/upload-image": [answer], "/api/generate-3d": [answer]})

    assert failure(client.upload, IMAGE).error_class == "bad_answer"
    assert failure(client.submit, IMAGE, JOB).error_class == "bad_answer"


def test_a_page_instead_of_json_is_quoted(make: Make) -> None:
    client, _ = make({"/api/upload-image": [WELCOME]})

    assert "Welcome to nginx!" in failure(client.upload, IMAGE).message


def test_a_connection_closed_without_an_answer_keeps_the_client_s_class(make: Make) -> None:
    client, _ = make({"/api/upload-image": [None]})
    steps: list[Step] = []
    client.on_step = steps.append
    error = failure(client.upload, IMAGE)

    assert error.error_class == steps[0].error_class == "reset"
    assert not error.rejected and steps[0].bytes_sent > 0


def test_nothing_listening_is_refused_and_its_time_is_connecting(dead_port: int) -> None:
    service = Service(api="orfeas", host=f"http://127.0.0.1:{dead_port}")
    client = extensions.attribute("services", "orfeas", "Client")(service)
    steps: list[Step] = []
    client.on_step = steps.append

    assert failure(client.upload, IMAGE).error_class == "refused"
    assert steps[0].connect_s == pytest.approx(steps[0].end_s - steps[0].start_s, abs=0.05)


def test_a_call_ends_with_its_job_s_deadline(make: Make, scripted: Any) -> None:
    client, service = make({"/api/upload-image": [{"job_id": JOB}]})
    client.deadline_s = monotonic() - 1

    assert failure(client.upload, IMAGE).error_class == "timeout"
    assert service.received == []
