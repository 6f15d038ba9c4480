"""When a job's service is polled, by a simulated clock."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genload.drivers.job_result import JobResult
from genload.settings.service import Poll

from ..clock import Clock
from .scripted_job import DONE, RUNNING, SERVICE, Scripted, job_of


def run_of(service_s: float, poll: Poll, seed: int) -> tuple[JobResult, list[float]]:
    """A job that takes so long once it is accepted, and the pauses between its polls."""
    clock = Clock()
    client = Scripted(SERVICE.model_copy(update={"poll": poll}), clock)
    accepted_s = clock.now_s
    client.poll = lambda job_id: DONE if clock.now_s - accepted_s >= service_s else RUNNING  # type: ignore
    return job_of(client, rng=Random(seed)).run(), clock.slept


@pytest.mark.parametrize("seed", range(100))
def test_a_job_of_82_s_is_polled_at_most_55_times(seed: int) -> None:
    result, pauses = run_of(82.0, Poll(), seed)

    assert 48 <= result.numbers["polls"] <= 55
    assert 0.18 <= pauses[0] <= 0.28 and max(pauses) <= 2.4


@given(st.floats(0.05, 90.0), st.integers(0, 2**32))
@settings(max_examples=200)
def test_the_end_of_a_job_is_seen_within_the_first_pause_and_an_eighth_of_its_age(
    service_s: float, seed: int
) -> None:
    result, _ = run_of(service_s, Poll(), seed)

    late_s = result.numbers["server_duration_s"] - service_s
    assert -1e-9 <= late_s <= result.numbers["poll_bound_s"]
    assert result.numbers["poll_bound_s"] <= min(1.25 * (0.2 + 0.14 * service_s), 2.4) + 0.05


def test_pauses_grow_with_the_job_s_age_up_to_the_interval() -> None:
    poll = Poll(interval_s=10.0, first_s=1.0, age_share=0.5)
    assert [poll.pause_s(age_s) for age_s in (0.0, 2.0, 8.0, 100.0)] == [2.0, 4.0, 10.0, 10.0]
    assert Poll(interval_s=0.05).pause_s(0.0) == 0.05


@given(st.integers(0, 2**32), st.floats(0.0, 0.9))
@example(0, 2.2e-308)  # 1 divided by its share of the interval is no float
@settings(max_examples=50)
def test_polls_are_jittered_within_their_share(seed: int, jitter: float) -> None:
    clock = Clock()
    service = SERVICE.model_copy(update={"poll": Poll(interval_s=2.0, jitter=jitter, adaptive=False)})
    client = Scripted(service, clock, poll=[RUNNING] * 9 + [DONE])
    job_of(client, rng=Random(seed)).run()

    assert len(clock.slept) == 10
    assert all(2 * (1 - jitter) - 1e-9 <= pause <= 2 * (1 + jitter) + 1e-9 for pause in clock.slept)
    assert jitter < 0.01 or len(set(clock.slept)) >= 5


def test_polls_of_many_jobs_come_together_but_not_in_step() -> None:
    service = SERVICE.model_copy(update={"poll": Poll(interval_s=2.0, jitter=0.2, adaptive=False)})
    polled: Counter[int] = Counter()
    for seed in range(1000):
        clock = Clock()
        clock.now_s += seed * 0.000137  # all of them begin within 0.2 s, at no moment in particular
        job_of(Scripted(service, clock, poll=[DONE]), rng=Random(seed)).run()
        place = clock.now_s / 0.040
        assert place == pytest.approx(round(place), abs=1e-6)
        polled[round(place)] += 1
    assert 20 < len(polled) < 26  # of the 24 places of 40 ms that there are in 0.94 s
    assert max(polled.values()) < 100
