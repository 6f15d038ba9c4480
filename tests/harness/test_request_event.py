"""Every request is recorded, counted and told of, once, whoever listens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from locust.env import Environment
from locust.exception import StopUser

from genload.harness.live import LiveStats
from genload.harness.recorder import BLOCK, Recorder
from genload.harness.request_event import RequestEvent, RequestFailedError
from genload.runlog.records import RequestRecord


def record(**fields: Any) -> RequestRecord:
    return RequestRecord(
        source="", n=0, name="speech", type="POST", duration_s=0.2, bytes_received=7, **fields
    )


def fired(environment: Environment, *ended: RequestRecord) -> list[RequestRecord]:
    """What the recorder has of them."""
    recorded: list[RequestRecord] = []
    recorder = Recorder(recorded.extend)
    event = RequestEvent(environment, recorder)
    for each in ended:
        event.fire(each)
    recorder.hand_on()
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
    recorder = Recorder(recorded.extend)
    event = RequestEvent(environment, recorder)
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
    recorder.hand_on()
    assert len(recorded) == environment.stats.num_requests == 4


def test_a_listener_that_stops_the_user_comes_after_the_record() -> None:
    environment = Environment()
    recorded: list[RequestRecord] = []

    def stop(**_: Any) -> None:
        raise StopUser

    environment.events.request.add_listener(stop)
    recorder = Recorder(recorded.extend)
    event = RequestEvent(environment, recorder)
    with pytest.raises(StopUser):
        event.fire(record())
    recorder.hand_on()
    assert len(recorded) == 1


def test_records_are_handed_on_together_and_at_once_where_one_may_decide_how_the_run_goes_on() -> None:
    blocks: list[list[int]] = []
    recorder = Recorder(lambda records: blocks.append([each.n for each in records]))
    for each in (record(), record(), record(outcome="failed"), record(warmup=True), record()):
        recorder.add(each)
    assert blocks == [[0, 1, 2], [3]]
    for _ in range(BLOCK):
        recorder.add(record())
    assert blocks[2:] == [list(range(4, BLOCK))]
    recorder.hand_on()
    recorder.hand_on()
    assert blocks[3:] == [list(range(BLOCK, BLOCK + 5))]
    recorder.add(record())
    recorder.reset("w1", 0.0)  # another run is not given what nobody asked for in this one
    recorder.hand_on()
    assert len(blocks) == 4


def test_who_looks_at_live_totals_has_counted_what_waits() -> None:
    waiting = [record(operation="speech", phase="steady")] * 2
    live = LiveStats("speech", Path("nowhere"), hand_on=lambda: live.add([waiting.pop()]))
    assert live.total.completed == 1
    assert live.phases["steady"].completed == 2


def test_of_a_listener_who_left_locust_counts_nothing() -> None:
    environment = Environment()
    environment.create_local_runner()
    heard: list[Any] = []
    environment.events.request.add_listener(lambda **told: heard.append(told))
    assert [each.outcome for each in fired(environment, record(outcome="left"))] == ["left"]
    assert not heard and environment.stats.num_requests == 0
