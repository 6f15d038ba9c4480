"""Every built-in shape by a simulated clock: users at each moment, boundaries to the instant, its end."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust.util.load_locustfile import is_shape_class

from genload import extensions
from genload.settings.arrivals import evenly
from genload.settings.phases import Phase, Timeline

from ..clock import Clock


def shape_of(kind: str, clock: Clock, **parameters: Any) -> Any:
    shape = extensions.shape_class(kind)
    return shape(shape.Settings(kind=kind, **parameters), clock=clock, sleep=clock.sleep)


def run(shape: Any, clock: Clock, limit_s: float = 4000.0) -> list[tuple[float, int]]:
    """(seconds since the start, users) of each tick, at Locust's one tick a second, until the shape ends."""
    began_s, seen = clock.now_s, []
    while (wanted := shape.tick()) is not None and clock.now_s - began_s < limit_s:
        seen.append((round(clock.now_s - began_s, 6), wanted[0]))
        spent_s = clock.now_s % 1.0
        clock.now_s += 1.0 - spent_s if spent_s else 1.0
    return seen


SPECIFIED = {
    "normal": (3, 600.0),
    "peak": (10, 300.0),
    "sustained": (5, 3600.0),
}


@pytest.mark.parametrize(("kind", "users", "duration_s"), [(k, *v) for k, v in SPECIFIED.items()])
def test_a_steady_shape_holds_its_users_for_exactly_its_duration(
    kind: str, users: int, duration_s: float
) -> None:
    clock = Clock()
    shape = shape_of(kind, clock)
    seen = run(shape, clock)
    assert {count for _, count in seen} == {users}
    assert clock.now_s - 1000.0 == pytest.approx(duration_s)
    assert shape.phases.duration_s == duration_s


def test_baseline_counts_generations_and_never_ends_by_the_clock() -> None:
    clock = Clock()
    shape = shape_of("baseline", clock)
    assert {count for _, count in run(shape, clock, limit_s=900)} == {1}
    assert (shape.phases.iterations, shape.phases.duration_s) == (5, inf)


def test_a_spike_rises_at_the_boundary_itself() -> None:
    clock = Clock(now_s=1000.4)  # ticks do not fall on the boundaries
    shape = shape_of("spike", clock)
    before = [count for at_s, count in run(shape, clock) if at_s < 120.0]
    assert set(before) == {2}
    clock = Clock(now_s=1000.4)
    shape = shape_of("spike", clock)
    first = next(at_s for at_s, count in run(shape, clock) if count == 20)
    assert first == pytest.approx(120.0, abs=1e-6)


def test_users_can_be_asked_for_before_their_phase() -> None:
    clock = Clock(now_s=1000.4)
    shape = extensions.shape_class("spike")
    spike = shape(shape.Settings(kind="spike"), ahead_s=0.5, clock=clock, sleep=clock.sleep)
    seen = run(spike, clock)
    assert next(at_s for at_s, count in seen if count == 20) == pytest.approx(119.5, abs=1e-6)
    assert clock.now_s - 1000.4 == pytest.approx(300.0, abs=1.0)


def test_the_timeline_of_a_spike_is_half_open() -> None:
    phases = shape_of("spike", Clock()).phases
    assert [phases.target(t) for t in (-0.001, 0, 119.999, 120, 179.999, 180, 299.999, 300)] == [
        0,
        2,
        2,
        20,
        20,
        2,
        2,
        0,
    ]
    assert [phases.phase_at(t).name for t in (0, 120, 180)] == ["baseline", "spike", "recovery"]


def test_locust_is_never_asked_to_take_users_away() -> None:
    # A user told to stop counts as running until its job ends, so that 20 → 2 → 20 would stay at 2.
    clock = Clock()
    counts = [count for _, count in run(shape_of("spike", clock, low=2, high=7), clock)]
    assert counts == sorted(counts)
    assert counts[-1] == 7


def test_a_load_shorter_than_a_tick_has_its_users_to_the_end() -> None:
    clock, shape = Clock(), extensions.shape_class("paced")
    settings = shape.Settings(kind="paced", every_s=0.1, duration_s=0.7)
    paced = shape(settings, ahead_s=0.5, clock=clock, sleep=clock.sleep)
    assert paced.tick() == (7, 7.0)
    assert paced.elapsed_s() == pytest.approx(0.2)  # the tick has waited until nothing lay ahead any more


def test_a_ramp_reaches_all_users_at_its_end() -> None:
    clock = Clock()
    shape = shape_of("normal", clock, users=10, duration_s=30.0, ramp_s=10.0)
    assert [shape.phases.target(t) for t in (0, 0.999, 1, 5, 9.99, 10, 29.9)] == [0, 0, 1, 5, 9, 10, 10]
    assert [phase.name for phase in shape.phases.phases] == ["ramp", "steady"]


def test_a_ramp_longer_than_the_load_is_refused() -> None:
    with pytest.raises(ValueError, match="no time at full load"):
        shape_of("normal", Clock(), duration_s=10.0, ramp_s=10.0)


BUILT_IN = [
    "arrivals",
    "baseline",
    "burst",
    "normal",
    "paced",
    "peak",
    "replay",
    "sequential",
    "spike",
    "sustained",
]


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_shape_imported_into_a_locustfile_is_not_taken_for_its_shape(kind: str) -> None:
    assert not is_shape_class(extensions.shape_class(kind))


@given(
    st.lists(
        st.tuples(st.floats(0.1, 500), st.integers(0, 50), st.none() | st.integers(0, 50)),
        min_size=1,
        max_size=6,
    ),
    st.floats(0, 3000),
)
def test_targets_stay_within_their_phase(rows: list[tuple[float, int, int | None]], t_s: float) -> None:
    timeline = Timeline(tuple(Phase(f"p{i}", d, users, start) for i, (d, users, start) in enumerate(rows)))
    phase = timeline.phase_at(t_s)
    if phase is None:
        assert t_s >= timeline.duration_s
        assert timeline.target(t_s) == 0
    else:
        low, high = sorted((phase.users, phase.users if phase.users_from is None else phase.users_from))
        assert low <= timeline.target(t_s) <= high
        assert timeline.next_boundary_s(t_s) > t_s


@given(st.lists(st.tuples(st.floats(1, 100), st.integers(0, 20)), min_size=1, max_size=5))
def test_user_seconds_of_constant_phases_are_their_areas(rows: list[tuple[float, int]]) -> None:
    timeline = Timeline(tuple(Phase(f"p{i}", d, users) for i, (d, users) in enumerate(rows)))
    assert timeline.user_seconds(0, timeline.duration_s) == pytest.approx(sum(d * users for d, users in rows))


def timeline_of(kind: str, **parameters: Any) -> Timeline:
    timeline: Timeline = shape_of(kind, Clock(), **parameters).phases
    return timeline


def test_a_burst_is_as_many_requests_as_users_and_ends_with_them() -> None:
    clock = Clock()
    shape = shape_of("burst", clock, users=12)
    assert {count for _, count in run(shape, clock, limit_s=900)} == {12}
    assert shape.phases.phases == (Phase("burst", None, 12, iterations=12, per_user=1),)


def test_a_sequence_is_one_user() -> None:
    (phase,) = timeline_of("sequential").phases
    assert (phase.name, phase.users, phase.planned, phase.duration_s) == ("sequence", 1, 15, None)


def test_a_paced_load_has_a_hand_for_every_arrival_unless_capped() -> None:
    clock = Clock()
    shape = shape_of("paced", clock)
    assert {count for _, count in run(shape, clock)} == {50}
    assert clock.now_s - 1000.0 == pytest.approx(10.0)
    assert timeline_of("paced", max_users=8).max_users == 8
    assert timeline_of("paced", max_users=800).max_users == 50


@pytest.mark.parametrize(
    ("every_s", "duration_s", "arrivals"),
    [(0.2, 10.0, 50), (0.1, 1.1, 11), (0.1, 0.7, 7), (0.3, 1.0, 4), (5.0, 1.0, 1), (0.004, 0.2, 50)],
)
def test_arrivals_are_those_before_the_end(every_s: float, duration_s: float, arrivals: int) -> None:
    # In floating point 1.1 ÷ 0.1 is more than 11, and 0.7 ÷ 0.1 less than 7.
    assert timeline_of("paced", every_s=every_s, duration_s=duration_s).arrivals == arrivals


def test_a_paced_load_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        timeline_of("paced", every_s=0.0)
    with pytest.raises(ValueError, match="36,000 requests"):
        timeline_of("paced", every_s=0.1, duration_s=3600.0)
    assert timeline_of("paced", every_s=0.1, duration_s=3600.0, max_users=100).arrivals == 36_000


def test_arrivals_are_said_in_one_of_three_ways() -> None:
    one = timeline_of("arrivals", process="constant", rate_per_s=2.0, duration_s=3.0)
    assert [(p.name, p.duration_s, p.arrivals, p.users) for p in one.phases] == [("arrivals", 3.0, 6, 6)]
    table = timeline_of(
        "arrivals", process="constant", rates_per_s=(1.0, 0.0, 3.0), duration_s=6.0, max_in_flight=4
    )
    assert [(p.name, p.arrivals, p.users) for p in table.phases] == [
        ("stage1", 2, 4),
        ("stage2", 0, 4),
        ("stage3", 6, 4),
    ]
    steps = (
        {"rate": "1/s", "duration": "2s", "name": "calm"},
        {"rate": "1/s", "to": "3/s", "duration": "2s"},
    )
    ramp = timeline_of("arrivals", process="constant", stages=steps)
    assert [(p.name, p.arrivals) for p in ramp.phases] == [("calm", 2), ("stage2", 4)]
    for wrong in ({"rate_per_s": 1.0}, {"duration_s": 1.0}, {"rate_per_s": 1.0, "stages": steps}):
        with pytest.raises(ValueError, match=r"in one way|no duration"):
            timeline_of("arrivals", **wrong)
    with pytest.raises(ValueError, match="a duration each"):
        timeline_of("arrivals", stages=steps, duration_s=4.0)


def test_arrivals_at_random_are_the_runs_own_unless_the_shape_has_a_seed() -> None:
    shape = extensions.shape_class("arrivals")
    drawn = shape.Settings(kind="arrivals", rate_per_s=5.0, duration_s=4.0)
    fixed = shape.Settings(kind="arrivals", rate_per_s=5.0, duration_s=4.0, seed=3)
    assert (drawn.of_run(3), fixed.of_run(8)) == (fixed, fixed)
    assert shape.timeline(drawn.of_run(3)).arrival(5) == shape.timeline(fixed).arrival(5)
    assert shape.timeline(drawn.of_run(4)).arrival(5) != shape.timeline(fixed).arrival(5)


def test_loads_that_plan_their_requests_are_not_mixed_with_others() -> None:
    steady, counted = Phase("steady", 10.0, 2), Phase("counted", None, 2, iterations=5)
    paced = evenly("paced", 10.0, 2, every_s=1.0)
    for phases in ((steady, counted), (steady, paced), (paced, counted), (counted, counted)):
        with pytest.raises(ValueError, match="stands alone"):
            Timeline(phases)
    assert Timeline((paced, paced)).arrivals == 20
    with pytest.raises(ValueError, match="a duration above 0, and a user"):
        Phase("paced", None, 2, arrivals=3)


def test_time_scale_keeps_the_number_of_arrivals() -> None:
    whole, scaled = timeline_of("paced"), timeline_of("paced", every_s=0.2 * 0.02, duration_s=10 * 0.02)
    assert whole.arrivals == scaled.arrivals == 50
    assert whole.arrival(49) == (0, pytest.approx(9.8))


def test_a_walkout_has_all_leave_at_the_end_of_its_phase_and_nobody_after_it() -> None:
    shape = shape_of("walkout", Clock(), users=4, stay_s=20.0, mixed_s=30.0, until_s=10.0, watch_s=15.0)
    timeline = shape.phases
    assert [timeline.target(at_s) for at_s in (0, 59.9, 60, 74.9)] == [4, 4, 0, 0]
    assert timeline.duration_s == 75.0
    assert [(phase.name, phase.leave_share) for phase in timeline.phases] == [
        ("stay", 0.0),
        ("mixed", None),
        ("walkout", 0.0),
        ("after", None),
    ]
    assert timeline.walkouts_s == (60.0,)
    assert [timeline.next_walkout_s(at_s) for at_s in (-inf, 0.0, 59.9, 60.0)] == [60.0, 60.0, 60.0, inf]


def test_a_walkout_may_do_without_what_it_is_compared_with() -> None:
    short = shape_of("walkout", Clock(), stay_s=0.0, mixed_s=0.0)
    assert [phase.name for phase in short.phases.phases] == ["walkout", "after"]
    for wrong in ({"until_s": 0.0}, {"watch_s": 0.0}):
        with pytest.raises(ValueError, match="somebody must leave, and be watched"):
            _ = shape_of("walkout", Clock(), **wrong).phases


@pytest.mark.parametrize(
    ("settings", "levels"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"low": 2, "high": 9, "by": 3}, [2, 5, 8, 9]),
        ({"low": 4, "high": 4}, [4]),
        ({"users": (8, 4, 6)}, [8, 4, 6]),
    ],
)
def test_a_staircase_has_a_phase_for_each_step(settings: dict[str, Any], levels: list[int]) -> None:
    timeline = shape_of("staircase", Clock(), each_s=30.0, **settings).phases
    assert [(phase.name, phase.users, phase.duration_s) for phase in timeline.phases] == [
        (f"step{number}", users, 30.0) for number, users in enumerate(levels, 1)
    ]


def test_a_staircase_is_read_back_as_it_was() -> None:
    settings = extensions.shape_class("staircase").Settings
    first = settings(kind="staircase", low=3, high=9, by=4)
    assert settings(**first.model_dump(mode="json")) == first


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"low": 3, "high": 2}, "low is more than high"),
        ({"high": 2000}, "too many steps"),
        ({"each_s": 0.0}, "every step takes its time"),
    ],
)
def test_a_staircase_that_leads_nowhere_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _ = shape_of("staircase", Clock(), **settings).phases
