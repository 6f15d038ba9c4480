"""Described services against the testbed's plain API and its truth log: one blocking call, polled jobs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import gevent
import pytest

from genload import extensions
from genload.artifacts.inputs.images import ImageSource
from genload.artifacts.usual import inspection_of
from genload.drivers.job_driver import JobDriver
from genload.drivers.job_result import JobResult
from genload.settings.service import Poll, Retry, Service

pytestmark = pytest.mark.processes

ALLOWED_S = 0.020
ONE_CALL = {"path": "/v1/generate", "multipart": {"image": "{image}", "format": "glb"}, "format": "glb"}
POLLED = {
    "path": "/v1/jobs",
    "json": {"image": "{image.data_uri}", "format": "stl", "quality": 5},
    "capture": {"id": "id"},
    "poll": {
        "path": "/v1/jobs/{id}",
        "state": "status",
        "values": {"queued": "pending", "running": "running", "completed": "completed", "failed": "failed"},
        "words": "error.message",
    },
    "result": {"url": "output.url"},
    "cancel": {"method": "DELETE", "path": "/v1/jobs/{id}"},
    "numbers": {"inference_s": {"path": "inference_time_s", "unit": "s"}},
}

CLASSES = {
    "fail": ("http_500", "job_failed"),
    "cube": ("placeholder", "placeholder"),
    "empty-mesh": ("empty_mesh", "empty_mesh"),
    "reset@submit": ("reset", "reset"),
    "truncated@submit": ("truncated", "truncated"),
    "html@submit": ("bad_answer", "bad_answer"),
    "error": ("http_500", "http_500"),
    "reject": ("rejected", "rejected"),
}
"""By fault: the error class of one blocking call, and of a polled job."""


def service_of(url: str, request: dict[str, Any], **settings: Any) -> Service:
    data = {"api": "job", "host": url, "request": request, **settings}
    service = Service.model_validate(data, context={"wings": extensions.Wings()})
    quick = {"poll": Poll(interval_s=0.05), "retry": Retry(default_wait_s=0.05, max_wait_s=0.1)}
    return service.model_copy(update=quick)


def run_jobs(service: Service, users: int, jobs_each: int = 1) -> list[JobResult]:
    images, client_class = ImageSource(seed=11), extensions.attribute("services", "job", "Client")

    def user(number: int) -> list[JobResult]:
        client, rng = client_class(service), Random(number)
        results = []
        for k in range(jobs_each):
            image = images.image("local", number, k)
            inspect = inspection_of(client)
            results.append(JobDriver(client, image, service=service, inspect=inspect, rng=rng).run())
        client.close()
        return results

    greenlets = [gevent.spawn(user, number) for number in range(users)]
    gevent.joinall(greenlets, raise_error=True)
    return [result for greenlet in greenlets for result in greenlet.value]


def by_request(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["request_id"]: line for line in lines}


def test_a_blocking_call_s_stages_are_the_truth_s_within_20_ms(testbed: Callable[..., Any]) -> None:
    service = testbed(api="job", service_time="400ms", slots=3)
    results = run_jobs(service_of(service.url, ONE_CALL), users=3, jobs_each=5)

    assert [(result.outcome, result.error) for result in results] == [("ok", "")] * 15
    assert all(tuple(result.stages) == ("connect", "upload", "run", "download") for result in results)
    assert all(result.numbers["format_honoured"] == 1 for result in results)
    truth = by_request(service.truth_records())
    late_s, told_late_s = [], []
    for result in results:
        line = truth[result.request_id]
        run_s = result.stages["run"]
        # What the service itself took, from the arrival of the request until it began to answer.
        late_s.append(abs(run_s - (line["download_start_s"] - line["arrival_s"])))
        # Bounds, not tolerances: causes come before effects.
        sent_s = result.start_s + result.stages["connect"] + result.stages["upload"]
        assert result.start_s < line["accepted_s"] and sent_s + run_s > line["end_s"]
        told_late_s.append(line["download_end_s"] - result.end_s)
        assert result.numbers["polls"] == 0 and result.numbers["server_duration_s"] == run_s
        assert line["output_bytes"] < result.bytes_received
    # A busy machine holds up some of them, on either side.
    assert min(late_s) < ALLOWED_S and min(told_late_s) < ALLOWED_S


def test_a_blocking_call_waits_in_the_queue_as_long_as_the_service_does(testbed: Callable[..., Any]) -> None:
    service = testbed(api="job", service_time="300ms", slots=1, spread=0)
    results = run_jobs(service_of(service.url, ONE_CALL), users=3)

    truth = by_request(service.truth_records())
    waits_s = [line["start_s"] - line["arrival_s"] for line in truth.values()]
    assert max(waits_s) > 0.2  # behind another one, however late a busy machine lets each come
    for result in results:
        line = truth[result.request_id]
        assert result.stages["run"] > line["start_s"] - line["arrival_s"] + 0.3


def test_only_the_job_s_own_timeout_ends_the_silence_of_a_blocking_call(testbed: Callable[..., Any]) -> None:
    url = testbed(api="job", service_time="1500ms", spread=0).url
    patient = service_of(url, ONE_CALL, receive_timeout="1s")
    hasty = service_of(url, {**ONE_CALL, "headers": {"X-Testbed-Fault": "hang"}}, timeout="700ms")

    assert run_jobs(patient, users=1)[0].outcome == "ok"
    result = run_jobs(hasty, users=1)[0]
    assert result.error_class == "timeout" and result.duration_s >= 0.7
    assert result.stages["run"] > 0 and "download" not in result.stages


def test_polled_jobs_have_their_stages_and_the_service_s_own_numbers(testbed: Callable[..., Any]) -> None:
    service = testbed(api="job", service_time="400ms", slots=2)
    results = run_jobs(service_of(service.url, POLLED), users=3, jobs_each=2)

    assert [(result.outcome, result.error) for result in results] == [("ok", "")] * 6
    truth = by_request(service.truth_records())
    for result in results:
        line = truth[result.request_id]
        assert result.job_id == line["job_id"]
        finish_s = result.end_s - result.stages["download"]
        earliest_s = finish_s - result.stages["connect"] - result.numbers["poll_bound_s"]
        assert earliest_s < line["end_s"] < finish_s
        assert result.numbers["inference_s"] == pytest.approx(line["end_s"] - line["start_s"])


def test_faults_of_either_way_have_their_classes(testbed: Callable[..., Any]) -> None:
    url = testbed(api="job", service_time="50ms", slots=20).url
    one_call, polled = [], []
    for fault in CLASSES:
        asked = {"headers": {"X-Testbed-Fault": fault}}
        one_call += run_jobs(service_of(url, {**ONE_CALL, **asked}), users=1)
        polled += run_jobs(service_of(url, {**POLLED, **asked}), users=1)

    assert {(r.outcome, r.error_class) for r in one_call} >= {("failed", c) for c, _ in CLASSES.values()}
    assert [r.error_class for r in one_call] == [of_one_call for of_one_call, _ in CLASSES.values()]
    assert [r.error_class for r in polled] == [of_polls for _, of_polls in CLASSES.values()]
