"""A timeline that changes while the load runs: levels of users and of a schedule, on several workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.harness.gate import Gate, Turn
from genload.harness.gate_status import GateStatus
from genload.harness.tickets import Share
from genload.settings.capacity import RateSearch
from genload.settings.phases import Phase, Timeline

from ..clock import Clock

FIRST = Timeline((Phase("level1", 10, 2), Phase("level1_ending", 30, 2)), later=Phase("level9", 10, 8))


def test_the_first_phases_stay_and_the_one_that_is_cut_is_shorter() -> None:
    changed = FIRST.changed(15.0, [Phase("level2", 10, 4)])
    assert [(p.name, p.duration_s) for p in changed.phases] == [
        ("level1", 10),
        ("level1_ending", 5.0),
        ("level2", 10),
    ]
    assert changed.max_users == 8
    assert FIRST.changed(10.0, [Phase("level2", 10, 4)]).phases[1].name == "level2"
    with pytest.raises(ValueError, match="has no phase at 40 s"):
        FIRST.changed(40.0, [])


def test_users_go_by_the_new_level_from_its_moment_on() -> None:
    clock = Clock(0.0)
    gate = Gate(clock)
    gate.reset(FIRST, Share())
    for _ in range(4):
        gate.join()
    gate.begin(0.0)
    clock.now_s = 14.9
    gate.change(FIRST.changed(15.0, [Phase("level2", 10, 4)]))
    assert gate.working == 2
    clock.now_s = 15.0
    assert gate.working == 4
    turn = gate.start(3)
    assert turn is not None and turn.phase == "level2"
    assert gate.oldest_s == 15.0


def test_requests_of_earlier_phases_are_counted_until_they_end() -> None:
    clock = Clock(0.0)
    gate = Gate(clock)
    gate.reset(FIRST, Share())
    for _ in range(2):
        gate.join()
    assert gate.earlier == 0
    gate.begin(0.0)
    gate.start(0)
    assert gate.earlier == 0  # of the first phase, which goes on
    clock.now_s = FIRST.ends_s[0] + 1
    gate.start(1)
    assert gate.earlier == 1 == GateStatus.together([gate.status()]).earlier
    gate.end(0)
    assert gate.earlier == 0


SEARCH = RateSearch.model_validate(
    {
        "of": "rate",
        "from": 0.5,
        "to": 8.0,
        "step": {"settle": 2.0, "measure": 5.0},
        "holds": ["fast"],
        "max_in_flight": 6,
    }
)


def starts(clock: Clock, gates: list[Gate], end_s: float) -> Iterator[Turn]:
    """What begins until then, at hands that are free again at once."""
    while clock.now_s < end_s:
        clock.now_s = min(clock.now_s + 0.05, end_s)
        for gate in gates:
            for index in range(gate.share.count(6)):
                while (turn := gate.start(index)) is not None:
                    yield turn
                    gate.end(index)


@given(
    seed=st.integers(0, 1000),
    workers=st.integers(1, 3),
    at_s=st.floats(7.01, 10.9),
    rate=st.floats(0.5, 8.0),
    held=st.integers(0, 3),
)
def test_each_arrival_of_a_changed_schedule_falls_to_one_hand_at_its_moment(
    seed: int, workers: int, at_s: float, rate: float, held: int
) -> None:
    clock = Clock(0.0)
    first = Timeline(SEARCH.phases(1, 2.0, seed), later=SEARCH.largest)
    gates = [Gate(clock) for _ in range(workers)]
    for rank, gate in enumerate(gates):
        gate.reset(first, Share(rank, workers))
        for _ in range(Share(rank, workers).count(6)):
            index = gate.join()
            if index < held:
                gate.reserve(index)  # waits for an arrival that may be another one by then
        gate.begin(0.0)
    changed = first.changed(at_s, SEARCH.phases(2, rate, seed))
    started = list(starts(clock, gates, at_s - 0.01))
    for gate in gates:
        gate.change(changed)
    started += starts(clock, gates, at_s + 7.0)
    assert sorted(turn.number for turn in started) == list(range(changed.due(at_s + 7.0)))
    for turn in started:
        index, due_s = changed.arrival(turn.number)
        assert (changed.phases[index].name, due_s) == (turn.phase, pytest.approx(turn.intended_s))


@pytest.mark.parametrize("hair_s", [-1e-13, 0.0, 1e-13])
def test_a_level_of_a_rate_is_measured_for_longer_from_the_end_of_its_part_on(hair_s: float) -> None:
    first = Timeline(SEARCH.phases(1, 2.0, 7))
    longer = first.changed(7.0 + hair_s, SEARCH.longer(1, 2.0, 7))
    assert [(phase.name, phase.duration_s) for phase in longer.phases] == [
        ("level1_settling", 2.0),
        ("level1", pytest.approx(5.0)),
        ("level1", 5.0),
        ("level1_ending", first.phases[-1].duration_s),
    ]
    assert longer.phases[1].arrivals == first.phases[1].arrivals


def test_an_arrival_that_is_not_to_come_any_more_waits_for_the_next_level() -> None:
    clock = Clock(0.0)
    gate = Gate(clock)
    first = Timeline(SEARCH.phases(1, 1.0, 1))
    gate.reset(first, Share())
    hands = [gate.join() for _ in range(6)]
    gate.begin(0.0)
    clock.now_s = 8.0
    for hand in hands:
        while gate.start(hand) is not None:
            gate.end(hand)
    resting = first.changed(8.5, [SEARCH.rest(1, 60.0)])
    gate.change(resting)
    clock.now_s = 30.0
    while any(gate.start(hand) is not None for hand in hands):
        pass  # what was due before the rest
    assert gate.oldest_s > 1e9 or gate.in_flight
    gate.change(resting.changed(31.0, SEARCH.phases(2, 4.0, 1)))
    clock.now_s = 33.0
    turn = next(turn for hand in hands if (turn := gate.start(hand)) is not None)
    assert turn.phase == "level2_settling"
