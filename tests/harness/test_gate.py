"""The gate holds the users that may start work to the target, at every moment, on every worker."""

from __future__ import annotations

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.harness.gate import Gate, Stage, Turn
from genload.harness.tickets import Share
from genload.settings.phases import Phase, Timeline

from ..clock import Clock

SPIKE = Timeline((Phase("baseline", 120, 2), Phase("spike", 60, 20), Phase("recovery", 120, 2)))
COUNTED = Timeline((Phase("steady", None, users=1, iterations=5),))


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


def gate_with(clock: Clock, timeline: Timeline, users: int, share: Share | None = None) -> Gate:
    gate = Gate(clock)
    gate.reset(timeline, share or Share())
    for _ in range(users):
        gate.join()
    gate.begin(0.0)
    return gate


def allowed(gate: Gate, users: int) -> list[int]:
    return [index for index in range(users) if gate.allowed(index)]


def test_20_to_2_to_20_with_long_jobs_lets_20_start_again_at_once(clock: Clock) -> None:
    timeline = Timeline((Phase("high", 10, 20), Phase("valley", 1, 2), Phase("again", 10, 20)))
    gate = gate_with(clock, timeline, 20)
    for index in range(20):
        assert gate.start(index) is not None
    clock.now_s = 10.5  # jobs of 82 s are all still in flight
    assert (gate.working, gate.leaving, gate.in_flight) == (2, 18, 20)
    for index in range(5, 20):
        gate.end(index)
    assert [index for index in range(5, 20) if gate.allowed(index)] == []
    clock.now_s = 11.0
    assert allowed(gate, 20) == list(range(20))
    assert gate.leaving == 0


@given(
    st.integers(0, 12),
    st.sets(st.integers(0, 11)),
    st.integers(1, 4).flatmap(lambda of: st.tuples(st.integers(0, of - 1), st.just(of))),
    st.integers(1, 40),
)
def test_who_works_and_who_leaves_is_counted_as_if_each_user_was_asked(
    users: int, gone: set[int], share: tuple[int, int], valley: int
) -> None:
    clock, of_all = Clock(0.0), Share(*share)
    timeline = Timeline((Phase("high", 10, 48), Phase("valley", 10, valley)))
    gate = gate_with(clock, timeline, users, of_all)
    for index in range(users):
        assert gate.start(index) is not None
    there = [index for index in range(users) if index not in gone]
    for index in set(range(users)) - set(there):
        gate.leave(index)
    clock.now_s = 15.0

    assert gate.working == sum(of_all.number(index) < valley for index in there)
    assert gate.leaving == len(there) - gate.working


def test_the_phase_of_a_turn_is_the_one_it_starts_in(clock: Clock) -> None:
    gate = gate_with(clock, SPIKE, 2)
    phases = []
    for clock.now_s in (0.0, 119.999, 120.0, 180.0):
        turn = gate.start(0)
        assert turn is not None
        phases.append(turn.phase)
        gate.end(0)
    assert phases == ["baseline", "baseline", "spike", "recovery"]


def test_closed_again_the_end_stays_where_it_was(clock: Clock) -> None:
    gate = gate_with(clock, SPIKE, 2)
    clock.now_s = 100.0
    gate.close()
    clock.now_s = 110.0
    gate.close()
    assert gate.ended_s == 100.0


def test_nobody_starts_before_the_load_after_it_or_when_closed(clock: Clock) -> None:
    gate = Gate(clock)
    gate.reset(SPIKE, Share())
    index = gate.join()
    assert gate.start(index) is None
    gate.begin(5.0)
    assert gate.start(index) is None  # begins later
    clock.now_s = 5.0
    assert gate.start(index) is not None
    clock.now_s = 305.0
    assert gate.start(index) is None
    gate.close()
    assert gate.wait(index) is False


def test_a_cold_start_is_one_request_behind_the_warm_up_when_it_is_its_time(clock: Clock) -> None:
    gate = Gate(clock)
    gate.reset(SPIKE, Share(), 2, cold_start=True)
    index = gate.join()
    assert not gate.warmed_up
    gate.warm_up()
    for number in (-1, -2):
        assert gate.reserve(index) == number
        assert gate.start(index) == Turn("warmup", True, number)
        assert not gate.warmed_up
        gate.end(index)
    assert gate.warmed_up
    # Its input is made, and it waits.
    assert gate.reserve(index) == -3
    assert gate.start(index) is None and gate.warmed_up
    gate.start_cold()
    assert not gate.warmed_up
    assert gate.start(index) == Turn("cold", True, -3)
    assert not gate.warmed_up
    gate.end(index)
    assert gate.warmed_up
    gate.begin(0.0)
    assert gate.reserve(index) == 0


def test_a_cold_start_needs_no_warm_up_and_is_of_one_process_alone(clock: Clock) -> None:
    gates = [Gate(clock), Gate(clock)]
    for rank, gate in enumerate(gates):
        gate.reset(SPIKE, Share(rank, 2), 0, cold_start=True)
        gate.join()
        gate.start_cold()
    assert [gate.warmed_up for gate in gates] == [False, True]
    assert gates[0].start(0) == Turn("cold", True, -1)
    assert gates[1].start(0) is None
    # Cut off before it: its ticket is not kept for the load.
    gates[0].end(0)
    late = Gate(clock)
    late.reset(SPIKE, Share(), 0, cold_start=True)
    late.join()
    assert late.reserve(0) == -1
    late.begin(0.0)
    assert late.start(0) == Turn("baseline", False, 0)


def test_counted_iterations_are_started_exactly_so_often(clock: Clock) -> None:
    gate = gate_with(clock, COUNTED, 1)
    made = 0
    while gate.start(0) is not None:
        made += 1
        assert gate.used_up is False
        gate.end(0)
    assert made == 5
    assert gate.used_up is True


def test_the_warm_up_is_one_user_and_not_counted(clock: Clock) -> None:
    gate = Gate(clock)
    gate.reset(COUNTED, Share(), warmup_jobs=2)
    first, second = gate.join(), gate.join()
    gate.warm_up()
    turn = gate.start(first)
    assert turn is not None and turn.warmup and turn.phase == "warmup"
    assert gate.start(second) is None
    assert gate.start(first) is None  # one at a time
    gate.end(first)
    assert not gate.warmed_up
    assert gate.start(first) is not None
    gate.end(first)
    assert gate.warmed_up
    gate.begin(0.0)
    assert sum(1 for _ in range(9) if gate.start(first) is not None and gate.end(first) is None) == 5


def test_what_users_sleep_is_counted_of_the_load_and_of_those_that_may_work(clock: Clock) -> None:
    timeline = Timeline((Phase("few", 100, 1), Phase("many", 100, 2)))
    gate = Gate(clock)
    gate.reset(timeline, Share())
    first, second = gate.join(), gate.join()
    gate.begin(10.0)
    clock.now_s = 5.0
    with gate.asleep(first):  # for 20 s, the first 5 of them before the load
        clock.now_s = 20.0
        assert gate.asleep_s == 10.0  # counted while it goes on
        clock.now_s = 25.0
    assert gate.asleep_s == 15.0
    with gate.asleep(second):  # which may not work yet
        clock.now_s = 35.0
    assert gate.asleep_s == 15.0
    clock.now_s = 200.0
    with gate.asleep(first), gate.asleep(second):
        clock.now_s = 230.0  # the load ended at 210
        assert gate.asleep_s == 35.0
    gate.close()
    assert gate.asleep_s == 35.0


def test_who_sleeps_when_the_load_is_cut_short_has_slept_until_then(clock: Clock) -> None:
    gate = gate_with(clock, SPIKE, 1)
    with gate.asleep(0):
        clock.now_s = 30.0
        gate.close()
        clock.now_s = 50.0
    assert gate.asleep_s == 30.0


@given(total=st.integers(0, 60), workers=st.integers(1, 7), target=st.integers(0, 60))
def test_shares_add_up_to_the_target(total: int, workers: int, target: int) -> None:
    shares = [Share(rank, workers) for rank in range(workers)]
    assert sum(share.count(total) for share in shares) == total
    # Locust deals `total` users out evenly, the remainder to the first workers; as many of them as the
    # target says may start.
    numbers = [share.number(index) for share in shares for index in range(share.count(total))]
    assert sorted(numbers) == list(range(total))
    assert sum(number < target for number in numbers) == min(target, total)


def test_who_waits_is_woken_when_the_target_rises_and_sent_away_at_the_end() -> None:
    gate = Gate()
    timeline = Timeline((Phase("low", 0.05, 1), Phase("high", 60.0, 3)))
    gate.reset(timeline, Share())
    indices = [gate.join() for _ in range(3)]
    outcomes: dict[int, bool] = {}

    def user(index: int) -> None:
        outcomes[index] = gate.wait(index)

    # The loop last ran some tests ago and counts its timeouts from then: one turn, and it knows the time.
    gevent.sleep(0.001)
    users = [gevent.spawn(user, index) for index in indices[1:]]
    gate.begin(gate._clock())
    gevent.joinall(users, timeout=200)
    assert outcomes == {1: True, 2: True}
    waiting = gevent.spawn(user, 7)
    gevent.sleep(0)
    gate.close()
    waiting.join(timeout=200)
    assert outcomes[7] is False
    assert gate.stage is Stage.CLOSED


def test_a_request_has_a_number_that_no_other_has(clock: Clock) -> None:
    gates = [gate_with(clock, SPIKE, 1, Share(rank, 2)) for rank in range(2)]
    numbers = []
    for gate in (*gates, *gates, gates[0]):
        turn = gate.start(0)
        assert turn is not None
        numbers.append(turn.number)
        gate.end(0)
    assert numbers == [0, 1, 2, 3, 4]


def test_a_number_is_known_before_the_turn_and_kept_until_it(clock: Clock) -> None:
    gate = Gate(clock)
    gate.reset(SPIKE, Share(), warmup_jobs=1)
    first, second = gate.join(), gate.join()
    assert [gate.reserve(index) for index in (first, second, first, second)] == [-1, 0, -1, 0]
    gate.warm_up()
    assert gate.start(first) == Turn("warmup", True, -1)
    gate.end(first)
    assert gate.reserve(first) == 1
    gate.begin(0.0)
    assert gate.start(second) == Turn("baseline", False, 0)
    assert gate.start(first) == Turn("baseline", False, 1)
    gate.close()
    assert gate.reserve(first) is None


def test_a_warm_up_that_was_not_made_holds_nobody_up(clock: Clock) -> None:
    gate = Gate(clock)
    gate.reset(COUNTED, Share(), warmup_jobs=1)
    gate.join()
    gate.reserve(0)
    gate.begin(0.0)
    assert gate.start(0) == Turn("steady", False, 0)


def test_a_user_that_leaves_frees_its_index(clock: Clock) -> None:
    gate = gate_with(clock, SPIKE, 3)
    gate.start(1)
    gate.leave(1)
    assert gate.in_flight == 0
    assert gate.join() == 1
    assert gate.join() == 3
