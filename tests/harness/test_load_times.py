"""When a load began, how far it is, and which phase begins next, on a clock that the test moves."""

from __future__ import annotations

from math import inf

from genload.harness.load_times import LoadTimes
from genload.settings.phases import Phase, Timeline, steady_load
from tests.clock import Clock

TWO_PHASES = Timeline((Phase("ramp", 10.0, 2, users_from=0), Phase("steady", 20.0, 2)))


def told(load: LoadTimes) -> list[tuple[str, float]]:
    return list(load.next_phases())


def test_before_the_load_nothing_is_known_of_its_times() -> None:
    load = LoadTimes(TWO_PHASES, Clock(100.0))
    assert (load.begun, load.into_s, load.remaining_s, load.phase) == (False, -inf, inf, "")
    assert told(load) == []


def test_each_phase_is_told_once_with_its_begin_as_planned_and_not_as_noticed() -> None:
    clock = Clock(100.0)
    load = LoadTimes(TWO_PHASES, clock)
    load.origin_s = 102.0  # a moment ahead, so that every worker has heard of it
    assert load.begun and told(load) == []
    clock.now_s = 102.5
    assert (told(load), told(load), load.phase) == ([("ramp", 102.0)], [], "ramp")
    clock.now_s = 112.7
    assert (told(load), told(load), load.phase) == ([("steady", 112.0)], [], "steady")
    assert (load.into_s, load.remaining_s, load.ended_s) == (112.7 - 102.0, 30.0 - (112.7 - 102.0), 112.7)


def test_after_its_time_a_load_has_ended_when_it_was_planned_to() -> None:
    clock = Clock(100.0)
    load = LoadTimes(steady_load(3, 5.0), clock)
    load.origin_s = 100.0
    clock.now_s = 105.3
    assert (load.remaining_s, load.ended_s, told(load)) == (0.0, 105.0, [])


def test_phases_shorter_than_a_look_are_told_too() -> None:
    clock = Clock(100.0)
    load = LoadTimes(TWO_PHASES, clock)
    load.origin_s = 100.0
    clock.now_s = 111.0
    assert told(load) == [("ramp", 100.0), ("steady", 110.0)]
