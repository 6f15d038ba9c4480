"""The ORFEAS client, the driver, the images and the inspector together, against the embedded service."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import gevent
import pytest

from genload import extensions
from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.inputs.images import ImageSource
from genload.drivers.job_driver import JobDriver
from genload.drivers.job_result import JobResult
from genload.settings.service import Poll, Retry, Service

pytestmark = pytest.mark.processes


def service_of(url: str, **request: Any) -> Service:
    data = {"api": "orfeas", "host": url, "request": request}
    service = Service.model_validate(data, context={"wings": extensions.Wings()})
    quick = {"poll": Poll(interval_s=0.05), "retry": Retry(default_wait_s=0.05, max_wait_s=0.1)}
    return service.model_copy(update=quick)


def run_jobs(service: Service, users: int, jobs_each: int = 1) -> list[JobResult]:
    images, registry = ImageSource(seed=11), OutputRegistry()
    client_class = extensions.attribute("services", "orfeas", "Client")

    def user(number: int) -> list[JobResult]:
        client = client_class(service)
        results = []
        for k in range(jobs_each):
            image = images.image("local", number, k)
            rng = Random(number)
            job = JobDriver(
                client, image, service=service, inspect=client.inspect, rng=rng, registry=registry
            )
            results.append(job.run())
        client.close()
        return results

    greenlets = [gevent.spawn(user, number) for number in range(users)]
    gevent.joinall(greenlets, raise_error=True)
    return [result for greenlet in greenlets for result in greenlet.value]


def test_records_and_the_service_s_truth_agree_within_the_poll_bound(testbed: Callable[..., Any]) -> None:
    service = testbed(service_time="400ms", slots=2)
    results = run_jobs(service_of(service.url), users=3, jobs_each=2)

    assert [(result.outcome, result.error) for result in results] == [("ok", "")] * 6
    assert all(result.numbers["faces"] > 12 for result in results)
    truth = {line["job_id"]: line for line in service.truth_records()}
    assert len(truth) == 6
    for result in results:
        line = truth[result.job_id]
        before_s = sum(result.stages[stage] for stage in ("connect", "upload", "accept"))
        finish_s = result.end_s - result.stages["download"]
        # Bounds, not tolerances: both clocks are this host's, and causes come before effects. Which part of
        # "connect" belongs to the download is not recorded, so each side has all of it.
        assert result.start_s < line["upload_s"] < line["accepted_s"] < result.start_s + before_s
        earliest_s = finish_s - result.stages["connect"] - result.numbers["poll_bound_s"]
        assert earliest_s < line["end_s"] < finish_s
        assert line["output_bytes"] < result.bytes_received


def test_every_format_that_the_service_makes_is_read(testbed: Callable[..., Any]) -> None:
    url = testbed(service_time="50ms").url
    results = {
        form: run_jobs(service_of(url, format=form), users=1)[0] for form in ("stl", "obj", "glb", "ply")
    }

    assert {form: result.error for form, result in results.items()} == dict.fromkeys(results, "")
    assert all(result.numbers["format_honoured"] == 1 for result in results.values())


def test_a_full_service_that_refuses_is_no_capacity(testbed: Callable[..., Any]) -> None:
    service = testbed(service_time="2s", slots=1, when_full="refuse")
    results = run_jobs(service_of(service.url), users=3)

    assert sorted(result.error_class for result in results) == ["", "no_capacity", "no_capacity"]


def test_refused_orders_are_retried_and_counted(testbed: Callable[..., Any]) -> None:
    service = testbed(service_time="50ms", slots=8, fault="reject=50%", seed=3)
    results = run_jobs(service_of(service.url), users=4, jobs_each=4)

    assert {result.error_class for result in results} <= {"", "rejected"}
    assert sum(result.numbers["rejections"] for result in results) > 4
    assert all(result.numbers["rejections"] == 4 for result in results if result.outcome == "failed")
    assert any(result.outcome == "ok" and result.numbers["rejections"] for result in results)


def test_the_service_is_known_as_a_testbed_and_its_gauge_is_read(testbed: Callable[..., Any]) -> None:
    service = testbed(service_time="82s", time_scale=0.5)
    settings = service_of(service.url)
    client = extensions.attribute("services", "orfeas", "Client")(settings)
    client.ready()
    before = client.in_flight()
    image = ImageSource(seed=2).image("local", 0, 0)
    client.submit(image, client.upload(image))
    during = client.in_flight()
    client.close()

    assert client.time_scale() == 0.5
    assert (before, during) == (0, 1)
