"""The event simulation of a load: answers worked out by hand, and the testbed's own model of a GPU."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload import extensions
from genload.analysis.plan import simulation
from genload.analysis.plan.assumed import AssumedService, constant
from genload.analysis.plan.simulation import Client, Course, simulate
from genload.errors import UsageError
from genload.settings.arrivals import evenly
from genload.settings.loader import load_suite
from genload.settings.phases import Phase, Timeline, steady_load
from genload.settings.scenario import Leave, Span
from genload.settings.service import Poll
from testbed.gpu import Change, Gpu
from testbed.options import WhenFull

ENOUGH = 1000  # slots: nobody waits


def starts(course: Course) -> list[float]:
    return [round(request.start_s, 6) for request in course.requests]


def completed(course: Course) -> tuple[int, int]:
    """Inside the window, and with those that were in flight at its end."""
    good = [request for request in course.requests if not request.error_class]
    return sum(request.end_s <= course.end_s for request in good), len(good)


@pytest.mark.parametrize(
    ("scenario", "slots", "inside", "with_drained"),
    [
        # Every user for itself: users × the whole 82 s in the load, and one more of each in flight.
        ("normal", ENOUGH, 3 * 7, 3 * 8),
        ("peak", ENOUGH, 10 * 3, 10 * 4),
        ("sustained", ENOUGH, 5 * 43, 5 * 44),
        # One after the other: the whole 82 s in the load, and then what every user still waits for.
        ("normal", 1, 7, 7 + 3),
        ("sustained", 1, 43, 43 + 5),
    ],
)
def test_the_specifications_loads_at_82_s(scenario: str, slots: int, inside: int, with_drained: int) -> None:
    suite = load_suite("orfeas", folders=extensions.suite_folders(), wings=extensions.Wings()).suite
    timeline = extensions.Wings().timeline(suite.scenarios[scenario].shape)
    assert completed(simulate(timeline, Client(), constant(82, slots))) == (inside, with_drained)


def test_a_counted_load_ends_with_its_last_request() -> None:
    timeline = Timeline((Phase("steady", None, users=2, iterations=5),))
    course = simulate(timeline, Client(), constant(10, ENOUGH))
    assert starts(course) == [0, 0, 10, 10, 20]
    assert course.end_s == course.last_end_s == 30


def test_of_a_burst_each_user_makes_one_request() -> None:
    timeline = Timeline((Phase("burst", None, users=5, iterations=5, per_user=1),))
    course = simulate(timeline, Client(), constant(10, 2))
    assert [request.user for request in course.requests] == [0, 1, 2, 3, 4]
    assert [request.end_s for request in course.requests] == [10, 10, 20, 20, 30]


def test_users_think_before_each_request_and_not_beyond_the_load() -> None:
    client = Client(think=Span(min_s=5, max_s=5))
    course = simulate(steady_load(1, 30), client, constant(10, 1))
    assert starts(course) == [5, 20]  # at 30 it looks for its next turn, and the load is over
    assert course.end_s == 30


def test_users_who_listen_do_so_before_they_think() -> None:
    service = replace(constant(10, 1), listens_s=np.array([7.0]))
    assert starts(simulate(steady_load(1, 60), Client(), service)) == [0, 17, 34, 51]
    thinking = Client(think=Span(min_s=5, max_s=5))
    assert starts(simulate(steady_load(1, 60), thinking, service)) == [5, 27, 49]


def test_a_user_that_thought_beyond_its_phase_thinks_again_in_the_next_one_it_may_work_in() -> None:
    timeline = Timeline((Phase("a", 10, 2), Phase("b", 10, 1), Phase("c", 20, 2)))
    course = simulate(timeline, Client(think=Span(min_s=4, max_s=4)), constant(3, ENOUGH))
    # User 1 starts at 4, thinks from 7 to 11, may not, waits until 20, thinks and starts at 24.
    assert [round(r.start_s) for r in course.requests if r.user == 1] == [4, 24, 31, 38]
    assert {r.phase for r in course.requests if r.user == 1} == {"a", "c"}


def test_users_told_to_stop_end_what_they_have_and_go_on_when_they_may() -> None:
    timeline = Timeline((Phase("a", 10, 1), Phase("b", 10, 3), Phase("c", 30, 1), Phase("d", 10, 2)))
    course = simulate(timeline, Client(), constant(12, ENOUGH))
    by_user = {user: [r.start_s for r in course.requests if r.user == user] for user in range(3)}
    assert by_user == {0: [0, 12, 24, 36, 48], 1: [10, 50], 2: [10]}


def test_users_of_a_ramp_come_one_by_one() -> None:
    course = simulate(steady_load(4, 20, ramp_s=8), Client(), constant(100, ENOUGH))
    assert starts(course) == [2, 4, 6, 8]
    assert [request.phase for request in course.requests] == ["ramp", "ramp", "ramp", "steady"]


def test_users_look_into_what_they_got_before_they_go_on() -> None:
    service = replace(constant(10, 1), between_s=2.0)
    assert starts(simulate(steady_load(1, 40), Client(), service)) == [0, 12, 24, 36]
    heard = replace(service, listens_s=np.array([7.0]))  # and look while they listen
    assert starts(simulate(steady_load(1, 40), Client(), heard)) == [0, 17, 34]
    timeline = Timeline((evenly("paced", 3, users=1, every_s=1),))
    assert starts(simulate(timeline, Client(), replace(constant(1, 1), between_s=0.5))) == [0, 1.5, 3]


def test_listeners_who_leave_are_neither_and_their_work_goes_on() -> None:
    leave = Leave(share=1.0, after=Span(min_s=4, max_s=4))
    course = simulate(steady_load(1, 25), Client(leave=leave), constant(10, 1))
    assert starts(course) == [0, 4, 8, 12, 16, 20, 24]
    assert all(request.left and request.leaves and not request.completed for request in course.requests)
    assert course.requests[1].begun_s == 10
    quick = simulate(steady_load(1, 9), Client(leave=leave), constant(3, 1))
    assert [request.completed for request in quick.requests] == [True, True, True]


def test_at_a_walkout_all_leave() -> None:
    phases = (
        Phase("stay", 25, 2, leave_share=0.0),
        Phase("walkout", 10, 2, leave_share=0.0, all_leave=True),
        Phase("after", 20, 0),
    )
    leave = Leave(share=1.0, after=Span(min_s=1, max_s=1))
    course = simulate(Timeline(phases), Client(leave=leave), constant(10, ENOUGH))
    assert [(r.start_s, r.end_s, r.left) for r in course.requests if r.user == 0] == [
        (0, 10, False),
        (10, 20, False),
        (20, 30, False),
        (30, 35, True),
    ]


def test_an_open_schedule_starts_late_without_a_free_hand_and_not_after_its_end() -> None:
    timeline = Timeline((evenly("paced", 5, users=2, every_s=1),))
    course = simulate(timeline, Client(), constant(2.5, ENOUGH))
    assert [request.due_s for request in course.requests] == [0, 1, 2, 3, 4]
    assert starts(course) == [0, 1, 2.5, 3.5, 5]
    assert [request.error_class for request in course.requests] == ["", "", "", "", "not_started"]


def test_who_gives_up_leaves_its_work_to_the_service() -> None:
    course = simulate(steady_load(3, 10), Client(limit_s=25), constant(10, 1))
    assert [(r.end_s, r.error_class) for r in course.requests] == [(10, ""), (20, ""), (25, "timeout")]
    assert course.requests[2].freed_s == 30


def test_a_user_pauses_after_a_failure() -> None:
    service = AssumedService(1, np.array([2.0]), np.array([True]))
    course = simulate(steady_load(1, 20), Client(failure_pause_s=5), service)
    assert starts(course) == [0, 7, 14]
    assert {request.error_class for request in course.requests} == {"failed"}


def test_polls_see_an_end_half_a_pause_late_on_average() -> None:
    poll = Poll(interval_s=2, adaptive=False)
    assert starts(simulate(steady_load(1, 30), Client(poll=poll), constant(9, 1))) == [0, 10, 20]
    # Times that were observed have that in them.
    observed = AssumedService(1, np.array([9.0]), np.array([False]), observed=True)
    assert starts(simulate(steady_load(1, 30), Client(poll=poll), observed)) == [0, 9, 18, 27]


def test_more_than_is_sensible_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MOST_REQUESTS", 5000)
    with pytest.raises(UsageError, match="more than 5000 requests"):
        simulate(steady_load(1000, 10_000), Client(), constant(0.01, ENOUGH))


@given(
    users=st.integers(1, 6),
    slots=st.integers(1, 6),
    times=st.lists(st.floats(0.5, 20), min_size=1, max_size=5),
    think=st.sampled_from([None, Span(min_s=0, max_s=5)]),
    seed=st.integers(0, 1000),
)
def test_its_queue_is_the_testbeds(
    users: int, slots: int, times: list[float], think: Span | None, seed: int
) -> None:
    service = AssumedService(slots, np.array(times), np.zeros(len(times), dtype=np.bool_))
    course = simulate(steady_load(users, 60), Client(think=think), service, seed)
    gpu = Gpu(slots=slots, when_full=WhenFull.QUEUE)
    events = []
    for number, request in enumerate(course.requests):
        events += gpu.offer(str(number), request.freed_s - request.begun_s, request.start_s)
    events += gpu.advance(inf)
    ended = {event.job_id: event.at_s for event in events if event.change is Change.FINISHED}
    assert [ended[str(n)] for n in range(len(course.requests))] == pytest.approx(
        [request.end_s for request in course.requests]
    )
    assert starts(course) == sorted(starts(course))
