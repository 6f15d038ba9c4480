"""Jobs that are followed by events, against the testbed and its truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import gevent
import pytest

from genload import extensions
from genload.artifacts.inputs.images import ImageSource
from genload.drivers.job_driver import JobDriver
from genload.drivers.job_result import JobResult
from genload.service.updates import Updates
from genload.settings.service import Poll, Service

from .test_orfeas_testbed import service_of

pytestmark = pytest.mark.processes

LONG_S = 30.0


@pytest.fixture
def follow() -> Iterator[Callable[..., tuple[list[JobResult], Updates]]]:
    """A factory: jobs of several users who hear of them over one connection."""
    opened: list[Updates] = []
    images = ImageSource(seed=11)

    def start(
        url: str, users: int, jobs_each: int, told: list[str], poll: Poll
    ) -> tuple[list[JobResult], Updates]:
        service: Service = service_of(url, updates="socketio").model_copy(update={"poll": poll})
        client_class = extensions.attribute("services", "orfeas", "Client")
        updates: Updates = client_class.updates(service)
        updates.open(told.append)
        opened.append(updates)

        def user(number: int) -> list[JobResult]:
            client, results = client_class(service), []
            for k in range(jobs_each):
                updates.wait_until_heard(LONG_S)
                image = images.image("local", number, k)
                options: dict[str, Any] = {
                    "inspect": client.inspect,
                    "rng": Random(number),
                    "updates": updates,
                }
                results.append(JobDriver(client, image, service=service, **options).run())
            client.close()
            return results

        greenlets = [gevent.spawn(user, number) for number in range(users)]
        gevent.joinall(greenlets, raise_error=True)
        return [result for greenlet in greenlets for result in greenlet.value], updates

    yield start
    for updates in opened:
        updates.close()


def test_the_end_of_a_job_is_told_within_the_bound_that_its_record_states(
    testbed: Callable[..., Any], follow: Any
) -> None:
    service = testbed(service_time="300ms", slots=2)
    told: list[str] = []
    results, updates = follow(service.url, 3, 2, told, Poll(interval_s=60.0))

    assert [(result.outcome, result.error, result.numbers["polls"]) for result in results] == [
        ("ok", "", 0)
    ] * 6
    assert told == [] and updates.connections == 1
    truth = {line["job_id"]: line for line in service.truth_records()}
    for result in results:
        line, numbers = truth[result.job_id], result.numbers
        assert numbers["told_by_event"] == 1 and 3 <= numbers["updates"] <= 4
        seen_s = result.end_s - result.stages["download"]
        # As in the test of polls: which part of "connect" belongs to the download is not recorded.
        earliest_s = seen_s - result.stages["connect"] - numbers["poll_bound_s"]
        assert line["end_s"] < seen_s and earliest_s < line["told_s"]


def test_users_whose_connection_drops_poll_and_lose_nothing(testbed: Callable[..., Any], follow: Any) -> None:
    service = testbed(service_time="200ms", slots=2, fault="updates-cut=1h@2")
    told: list[str] = []
    results, updates = follow(service.url, 3, 2, told, Poll(interval_s=0.1))

    assert [(result.outcome, result.error) for result in results] == [("ok", "")] * 6
    truth = {line["job_id"]: line for line in service.truth_records()}
    by_event = [result for result in results if result.numbers["told_by_event"]]
    assert len(by_event) <= 2  # those that ended before the connection was cut
    assert all(truth[result.job_id]["told_s"] is not None for result in by_event)
    second_s = sorted(line["end_s"] for line in truth.values())[1]
    nobody_listened = [line["told_s"] for line in truth.values() if line["end_s"] >= second_s]
    assert nobody_listened == [None] * len(nobody_listened)
    assert all(result.numbers["polls"] > 0 for result in results if result not in by_event)
    assert updates.connections == 1 and len(told) == 1 and "jobs are polled" in told[0]
