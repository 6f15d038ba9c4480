"""When a job's service is polled, by a simulated clock."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genload.settings.service import Poll

from .scripted_job import DONE, RUNNING, SERVICE, Clock, Scripted, job_of


@given(st.integers(0, 2**32), st.floats(0.0, 0.9))
@example(0, 2.2e-308)  # 1 divided by its share of the interval is no float
@settings(max_examples=50)
def test_polls_are_jittered_within_their_share(seed: int, jitter: float) -> None:
    clock = Clock()
    service = SERVICE.model_copy(update={"poll": Poll(interval_s=2.0, jitter=jitter)})
    client = Scripted(service, clock, poll=[RUNNING] * 9 + [DONE])
    job_of(client, rng=Random(seed)).run()

    assert len(clock.pauses) == 10
    assert all(2 * (1 - jitter) - 1e-9 <= pause <= 2 * (1 + jitter) + 1e-9 for pause in clock.pauses)
    assert jitter < 0.01 or len(set(clock.pauses)) >= 5


def test_polls_of_many_jobs_come_together_but_not_in_step() -> None:
    service = SERVICE.model_copy(update={"poll": Poll(interval_s=2.0, jitter=0.2)})
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
