"""Planned loads at the gate: a burst let go at once, an open schedule that nothing moves."""

from __future__ import annotations

import gevent
import pytest

from genload.harness.gate import Gate, Turn
from genload.harness.tickets import Share
from genload.settings.arrivals import evenly
from genload.settings.phases import Phase, Timeline

from ..clock import Clock

BURST = Timeline((Phase("burst", None, users=3, iterations=3, per_user=1),))
PACED = Timeline((evenly("paced", 1.0, users=2, every_s=0.25),))  # 0, 250, 500 and 750 ms; two hands


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


def gate_of(clock: Clock, timeline: Timeline, share: Share | None = None, begin_s: float = 0.0) -> Gate:
    """A gate with its users, their tickets taken, as they are when a load begins."""
    gate = Gate(clock)
    gate.reset(timeline, share or Share())
    for _ in range(gate.share.count(timeline.max_users)):
        gate.reserve(gate.join())
    gate.begin(begin_s)
    return gate


def test_each_user_of_a_burst_starts_once_and_the_last_end_is_the_loads(clock: Clock) -> None:
    gate = gate_of(clock, BURST)
    assert [gate.start(index) for index in (2, 0, 1)] == [Turn("burst", False, n) for n in (2, 0, 1)]
    gate.end(0)
    assert gate.start(0) is None  # one each, though the others are not back
    gate.end(1)
    assert not gate.used_up
    gate.end(2)
    assert gate.used_up
    assert gate.close() == []


def test_a_user_that_died_before_the_burst_leaves_its_request_to_the_next(clock: Clock) -> None:
    gate = gate_of(clock, BURST)
    gate.leave(1)
    assert gate.join() == 1
    assert gate.start(1) == Turn("burst", False, 1)


def test_an_arrival_waits_for_its_moment(clock: Clock) -> None:
    gate = gate_of(clock, PACED, begin_s=10.0)
    clock.now_s = 9.999
    assert gate.start(0) is None
    clock.now_s = 10.0
    assert gate.start(0) == Turn("paced", False, 0, intended_s=10.0)
    assert gate.start(1) is None
    clock.now_s = 10.25
    assert gate.start(1) == Turn("paced", False, 1, intended_s=10.25)


def test_with_every_hand_busy_an_arrival_starts_late_and_keeps_its_moment(clock: Clock) -> None:
    gate = gate_of(clock, PACED)
    gate.start(0)
    clock.now_s = 0.25
    gate.start(1)
    clock.now_s = 0.6  # the one of 500 ms is overdue
    gate.end(0)
    assert gate.reserve(0) == 2
    assert gate.start(0) == Turn("paced", False, 2, intended_s=0.5)
    gate.end(1)
    assert gate.reserve(1) == 3
    assert gate.start(1) is None  # a hand too early
    clock.now_s = 0.75
    assert gate.start(1) == Turn("paced", False, 3, intended_s=0.75)
    gate.end(0)
    gate.end(1)
    assert not gate.used_up  # a schedule ends by the clock


def test_what_never_found_a_hand_is_told_at_the_end(clock: Clock) -> None:
    gate = gate_of(clock, PACED)
    gate.start(0)
    clock.now_s = 0.25
    gate.start(1)
    clock.now_s = 1.7
    assert gate.close() == [Turn("paced", False, n, intended_s=0.25 * n) for n in (2, 3)]
    assert gate.ended_s == 1.0
    assert gate.close() == []


def test_a_hand_that_did_not_get_to_its_arrival_does_not_lose_it(clock: Clock) -> None:
    gate = gate_of(clock, PACED)
    clock.now_s = 5.0  # the process was away for the whole load
    assert gate.start(0) is None
    assert [turn.number for turn in gate.close()] == [0, 1, 2, 3]


def test_an_end_before_its_time_owes_nothing_that_was_not_due(clock: Clock) -> None:
    gate = gate_of(clock, PACED)
    gate.start(0)
    gate.end(0)
    clock.now_s = 0.4
    assert gate.close() == [Turn("paced", False, 1, intended_s=0.25)]


@pytest.mark.parametrize("begun", [True, False])
def test_a_load_that_never_began_owes_nothing(clock: Clock, begun: bool) -> None:
    gate = Gate(clock)
    gate.reset(PACED, Share())
    gate.reserve(gate.join())
    if begun:
        gate.begin(3.0)
    assert gate.close() == []


def test_processes_share_a_schedule(clock: Clock) -> None:
    timeline = Timeline((evenly("paced", 1.0, users=5, every_s=0.2),))
    gates = [gate_of(clock, timeline, Share(rank, 2)) for rank in range(2)]
    clock.now_s = 0.99
    turns = [gate.start(index) for gate in gates for index in range(gate.share.count(5))]
    assert [turn.number for turn in turns if turn] == [0, 2, 4, 1, 3]
    assert [turn.intended_s for turn in turns if turn] == [0.2 * n for n in (0, 2, 4, 1, 3)]


def test_users_at_the_gate_are_seen(clock: Clock) -> None:
    gate = Gate(clock)
    gate.reset(BURST, Share())
    users = [gevent.spawn(lambda: gate.wait(gate.join())) for _ in range(3)]
    gevent.sleep(0)
    assert gate.waiting == 3
    gate.begin(0.0)
    gevent.joinall(users, timeout=200)
    assert (gate.waiting, gate.working) == (0, 3)


def test_a_burst_starts_within_one_turn_of_the_loop() -> None:
    gate = Gate()
    gate.reset(Timeline((Phase("burst", None, users=200, iterations=200, per_user=1),)), Share())
    turns = 0
    began: list[int] = []

    def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    def user(index: int) -> None:
        if gate.wait(index) and gate.start(index) is not None:
            began.append(turns)

    users = [gevent.spawn(user, gate.join()) for _ in range(200)]
    counting = gevent.spawn(count)
    while gate.waiting < 200 or not turns:
        gevent.sleep(0.001)
    gate.begin(gate._clock())
    gevent.joinall(users, timeout=200)
    counting.kill()
    assert len(began) == 200
    assert len(set(began)) == 1


def test_waiting_users_go_at_their_moments_by_the_real_clock() -> None:
    gate = Gate()
    timeline = Timeline((evenly("paced", 60.0, users=3, every_s=0.02),))
    gate.reset(timeline, Share())
    began: list[tuple[int, bool]] = []

    def hand(index: int) -> None:
        while len(began) < 7 and gate.wait(index):
            turn = gate.start(index)
            assert turn is not None and turn.intended_s is not None
            began.append((turn.number, gate._clock() >= turn.intended_s))
            gevent.sleep(0.001)
            gate.end(index)

    gevent.sleep(0.001)
    hands = [gevent.spawn(hand, gate.join()) for _ in range(3)]
    gate.begin(gate._clock() + 0.01)
    gevent.joinall(hands, timeout=30)
    assert began[:7] == [(number, True) for number in range(7)]
    gate.close()
