"""Every request is recorded, counted and told of, once, whoever listens."""

from __future__ import annotations

from typing import Any

import pytest
from locust.env import Environment
from locust.exception import StopUser

from genload.harness.recorder import Recorder
from genload.harness.request_event import RequestEvent, RequestFailedError
from genload.runlog.records import RequestRecord


def record(**fields: Any) -> RequestRecord:
    return RequestRecord(
        source="", n=0, name="speech", type="POST", duration_s=0.2, bytes_received=7, **fields
    )


def fired(environment: Environment, *ended: RequestRecord) -> list[RequestRecord]:
    """What the recorder has of them."""
    recorded: list[RequestRecord] = []
    event = RequestEvent(environment, Recorder(recorded.append))
    for each in ended:
        event.fire(each)
    return recorded


def test_the_record_and_locust_s_statistics_are_the_same_whether_others_listen_or_not() -> None:
    requests = [{}, {"outcome": "failed", "error_class": "timeout"}, {"intended_s": -1.0}]
    alone, watched = Environment(), Environment()
    for environment in (alone, watched):
        environment.create_local_runner()
    watched.events.request.add_listener(lambda **_: None)
    records = [fired(each, *(record(**fields) for fields in requests)) for each in (alone, watched)]
    assert records[0] == records[1] and [each.n for each in records[0]] == [0, 1, 2]
    for environment in (alone, watched):
        entry = environment.stats.get("speech", "POST")
        assert (entry.num_requests, entry.num_failures, entry.total_content_length) == (3, 1, 21)
        assert (entry.min_response_time, entry.max_response_time) == (200.0, 1200.0)
        [error] = environment.stats.errors.values()
        assert "timeout" in str(error.error)


def test_who_comes_to_listen_hears_of_every_request_from_then_on() -> None:
    environment = Environment()
    environment.create_local_runner()
    recorded: list[RequestRecord] = []
    event = RequestEvent(environment, Recorder(recorded.append))
    heard: list[Any] = []
    event.fire(record())
    listener = environment.events.request.add_listener(lambda **told: heard.append(told))
    event.fire(record())
    event.fire(record(outcome="failed", error_class="refused"))
    environment.events.request.remove_listener(listener)
    event.fire(record())
    assert [told["name"] for told in heard] == ["speech", "speech"]
    assert heard[0]["response_time"] == 200.0 and heard[0]["exception"] is None
    assert isinstance(heard[1]["exception"], RequestFailedError)
    assert len(recorded) == environment.stats.num_requests == 4


def test_a_listener_that_stops_the_user_comes_after_the_record() -> None:
    environment = Environment()
    recorded: list[RequestRecord] = []

    def stop(**_: Any) -> None:
        raise StopUser

    environment.events.request.add_listener(stop)
    event = RequestEvent(environment, Recorder(recorded.append))
    with pytest.raises(StopUser):
        event.fire(record())
    assert len(recorded) == 1
