"""The GPU model on a simulated clock, against answers worked out by hand."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.gpu import GIB, Change, Event, Gpu, ServiceTime
from testbed.options import WhenFull


def changes(events: list[Event]) -> list[tuple[str, str, float]]:
    return [(event.change.value, event.job_id, pytest.approx(event.at_s)) for event in events]


def test_a_queue_of_five_jobs_on_two_slots_is_served_in_order_back_to_back() -> None:
    gpu = Gpu(slots=2, when_full=WhenFull.QUEUE)
    for job_id in "abcde":
        gpu.offer(job_id, 10.0, 0.0)

    assert (gpu.running, gpu.waiting) == (2, 3)
    assert changes(gpu.advance(100.0)) == [
        ("finished", "a", 10.0),
        ("started", "c", 10.0),
        ("finished", "b", 10.0),
        ("started", "d", 10.0),
        ("finished", "c", 20.0),
        ("started", "e", 20.0),
        ("finished", "d", 20.0),
        ("finished", "e", 30.0),
    ]
    assert (gpu.running, gpu.waiting) == (0, 0)


def test_times_are_exact_however_late_and_often_the_caller_looks() -> None:
    rarely, often = (Gpu(slots=1, when_full=WhenFull.QUEUE) for _ in range(2))
    for gpu in (rarely, often):
        gpu.offer("a", 7.0, 1.0)
        gpu.offer("b", 5.0, 2.0)
    seen = [event for tick in range(200) for event in often.advance(2.0 + tick * 0.1)]

    assert changes(seen) == changes(rarely.advance(22.0))
    assert changes(seen) == [("finished", "a", 8.0), ("started", "b", 8.0), ("finished", "b", 13.0)]


def test_refusal_leaves_the_running_jobs_alone_and_ends_with_the_first_free_slot() -> None:
    gpu = Gpu(slots=1, when_full=WhenFull.REFUSE)

    assert changes(gpu.offer("a", 10.0, 0.0)) == [("started", "a", 0.0)]
    assert changes(gpu.offer("b", 10.0, 5.0)) == [("refused", "b", 5.0)]
    assert changes(gpu.offer("c", 10.0, 10.0)) == [("finished", "a", 10.0), ("started", "c", 10.0)]


def test_contention_of_one_shares_the_gpu_out() -> None:
    gpu = Gpu(slots=4, when_full=WhenFull.QUEUE, contention=1.0)
    gpu.offer("a", 10.0, 0.0)
    gpu.offer("b", 10.0, 5.0)  # a has 5 s left; both now run at half speed

    assert gpu.next_change_s() == pytest.approx(15.0)
    # a ends at 15; b has worked 5 of its 10 s by then and does the rest alone
    assert changes(gpu.advance(30.0)) == [("finished", "a", 15.0), ("finished", "b", 20.0)]


def test_contention_between_none_and_all() -> None:
    gpu = Gpu(slots=3, when_full=WhenFull.QUEUE, contention=0.25)
    for job_id in "abc":
        gpu.offer(job_id, 8.0, 0.0)

    assert [event.at_s for event in gpu.advance(100.0)] == [pytest.approx(8.0 * 1.5)] * 3


def test_share_done_follows_the_work() -> None:
    gpu = Gpu(slots=1, when_full=WhenFull.QUEUE)
    gpu.offer("a", 10.0, 0.0)
    gpu.offer("b", 10.0, 0.0)
    gpu.advance(4.0)

    assert gpu.share_done("a") == pytest.approx(0.4)
    assert gpu.share_done("b") == 0.0


def test_memory_follows_the_running_jobs_while_the_reserve_stays() -> None:
    gpu = Gpu(slots=3, when_full=WhenFull.QUEUE)
    reserved = gpu.reserved_bytes
    idle = gpu.allocated_bytes
    for job_id in "abcd":
        gpu.offer(job_id, 10.0, 0.0)

    assert gpu.allocated_bytes == idle + 3 * 4 * GIB == gpu.reserved_bytes == reserved
    gpu.advance(50.0)
    assert gpu.allocated_bytes == idle
    assert gpu.total_bytes == 24 * GIB
    assert Gpu(slots=20, when_full=WhenFull.QUEUE).total_bytes >= 86 * GIB


def test_service_times_have_the_mean_and_the_spread_asked_for() -> None:
    times = ServiceTime(82.0, 0.1, seed=1)
    drawn = [times.draw_s() for _ in range(20_000)]

    # Standard errors: of the mean 0.1 · 82 / √20000 = 0.06 s, of the deviation 8.2 / √40000 = 0.04 s.
    assert statistics.fmean(drawn) == pytest.approx(82.0, abs=0.3)
    assert statistics.stdev(drawn) == pytest.approx(8.2, abs=0.25)


def test_five_jobs_at_the_default_spread_stay_far_within_the_baseline_criterion() -> None:
    for seed in range(50):
        times = ServiceTime(82.0, 0.02, seed)
        assert 79 < statistics.fmean(times.draw_s() for _ in range(5)) < 85


def test_service_times_repeat_with_their_seed_only() -> None:
    first, again, other = (ServiceTime(82.0, 0.02, seed) for seed in (1, 1, 2))

    assert [first.draw_s() for _ in range(5)] == [again.draw_s() for _ in range(5)]
    assert first.draw_s() != other.draw_s()


def test_no_spread_and_no_time() -> None:
    assert ServiceTime(82.0, 0.0, seed=0).draw_s() == pytest.approx(82.0)
    assert ServiceTime(0.0, 0.5, seed=0).draw_s() == 0.0


@given(
    jobs=st.lists(st.tuples(st.floats(0, 50), st.floats(0, 20)), min_size=1, max_size=30),
    slots=st.integers(1, 5),
    contention=st.floats(0, 2),
)
def test_every_job_starts_and_ends_once_and_no_slot_is_overbooked(
    jobs: list[tuple[float, float]], slots: int, contention: float
) -> None:
    gpu = Gpu(slots=slots, when_full=WhenFull.QUEUE, contention=contention)
    events: list[Event] = []
    arrivals = sorted(jobs)
    for number, (arrival_s, service_s) in enumerate(arrivals):
        events += gpu.offer(str(number), service_s, arrival_s)
    events += gpu.advance(1e6)

    started = {event.job_id: event.at_s for event in events if event.change is Change.STARTED}
    finished = {event.job_id: event.at_s for event in events if event.change is Change.FINISHED}
    assert len(events) == 2 * len(jobs) and len(started) == len(finished) == len(jobs)
    busy = 0
    for event in events:
        busy += 1 if event.change is Change.STARTED else -1
        assert 0 <= busy <= slots
    for number, (arrival_s, service_s) in enumerate(arrivals):
        ran_s = finished[str(number)] - started[str(number)]
        assert started[str(number)] >= arrival_s
        assert service_s - 1e-6 <= ran_s <= service_s * (1 + contention * (slots - 1)) + 1e-6
