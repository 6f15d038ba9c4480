"""Statistics in blocks tell what Locust's own tell of the same requests."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust import env
from locust.stats import RequestStats

from genload.harness.locust_hooks import count_in_blocks
from genload.harness.locust_statistics import BLOCK, BlockStats

REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["speech", "generate"]),
        st.sampled_from(["POST", "JOB"]),
        st.none() | st.integers(0, 200_000),
        st.integers(0, 10**9),
        st.sampled_from([0.0, 0.25, 1.0, 3.0]),
    ),
    max_size=3 * BLOCK,
)


class Moments:
    """A wall clock that is moved on."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def wall() -> Any:
    moments = Moments()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", moments)
        yield moments


def told(stats: Any) -> list[Any]:
    entries = sorted(stats.serialize_stats(), key=lambda entry: (entry["name"], entry["method"]))
    return [stats.num_requests, stats.total.serialize(), *entries]


@given(REQUESTS, st.sets(st.integers(0, 3 * BLOCK), max_size=5))
def test_they_are_those_of_locust(wall: Moments, requests: list[Any], looks: set[int]) -> None:
    theirs, own = RequestStats(), BlockStats()
    for place, (name, method, time_ms, length, pause_s) in enumerate(requests):
        wall.now_s += pause_s
        for stats in (theirs, own):
            stats.log_request(method, name, time_ms, length)
        if place in looks:
            assert told(own) == told(theirs)
    assert told(own) == told(theirs)
    assert own.total.get_response_time_percentile(0.95) == theirs.total.get_response_time_percentile(0.95)


def test_what_was_logged_before_a_reset_is_not_counted_after_it() -> None:
    for forget in (BlockStats.reset_all, BlockStats.clear_all):
        stats = BlockStats()
        stats.log_request("POST", "speech", 10, 1)
        forget(stats)
        stats.log_request("POST", "speech", 20, 2)
        assert (stats.num_requests, stats.total.total_content_length) == (1, 2)
        assert stats.get("speech", "POST").min_response_time == 20


def test_what_cannot_be_counted_takes_no_other_request_with_it(caplog: pytest.LogCaptureFixture) -> None:
    stats: Any = BlockStats()
    for time_ms in (10, "soon", 30):
        stats.log_request("POST", "speech", time_ms, 1)
    assert stats.get("speech", "POST").max_response_time == 30
    assert "could not be counted" in caplog.text


def test_they_take_the_place_of_locust_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    environments: Any = env
    monkeypatch.setattr(environments, "RequestStats", environments.RequestStats)
    count_in_blocks()
    environment = env.Environment()
    assert isinstance(environment.stats, BlockStats)
    assert isinstance(environment.create_local_runner().stats, BlockStats)
    environment.events.request.fire(request_type="POST", name="speech", response_time=10, response_length=1)
    assert environment.stats.num_requests == 1
