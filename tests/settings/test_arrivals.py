"""Schedules of open loads against what they are meant to be: known moments, the distributions of chance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, exp, inf, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.harness.tickets import Share, Tickets
from genload.settings.arrivals import Stage, open_load
from genload.settings.phases import Timeline

SEEDS = range(20)


def constant(*stages: tuple[float, float, float]) -> Timeline:
    """Stages as (seconds, rate, rate at the end)."""
    return open_load([Stage(f"s{n}", *stage) for n, stage in enumerate(stages)], "constant", 0, 50, "limit")


def poisson(seed: int, *stages: tuple[float, float, float]) -> Timeline:
    return open_load([Stage(f"s{n}", *stage) for n, stage in enumerate(stages)], "poisson", seed, 50, "limit")


def moments(timeline: Timeline) -> list[float]:
    return [timeline.arrival(number)[1] for number in range(timeline.arrivals or 0)]


def test_a_constant_rate_is_even_and_begins_with_the_load() -> None:
    assert moments(constant((2.0, 4.0, 4.0))) == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75])


def test_a_ramp_comes_by_the_square_root() -> None:
    # Λ(t) = t², so that arrival k is due at √k.
    assert moments(constant((4.0, 0.0, 8.0))) == pytest.approx([sqrt(k) for k in range(16)])
    # Downwards from 8/s: Λ(t) = 8t − t².
    assert moments(constant((4.0, 8.0, 0.0))) == pytest.approx([4 - sqrt(16 - k) for k in range(16)])


def test_stages_go_on_counting_where_the_one_before_has_ended() -> None:
    load = constant((1.5, 1.0, 1.0), (2.0, 2.0, 2.0))
    # Half of the second arrival's wait is over when the rate doubles.
    assert moments(load) == pytest.approx([0, 1, 1.75, 2.25, 2.75, 3.25])
    assert [phase.arrivals for phase in load.phases] == [2, 4]
    assert [load.arrival(n)[0] for n in range(6)] == [0, 0, 1, 1, 1, 1]


def test_a_moment_on_a_boundary_belongs_to_the_later_stage_and_a_pause_is_skipped() -> None:
    load = constant((1.0, 2.0, 2.0), (5.0, 0.0, 0.0), (1.0, 2.0, 2.0))
    assert moments(load) == pytest.approx([0, 0.5, 6, 6.5])
    assert [phase.arrivals for phase in load.phases] == [2, 0, 2]
    assert [load.due(t) for t in (-1, 0, 0.5, 5.9, 6, 99)] == [0, 1, 2, 2, 3, 4]


@given(
    st.lists(
        st.tuples(st.floats(0.01, 100), st.floats(0, 50), st.floats(0, 50)), min_size=1, max_size=5
    ).filter(lambda stages: sum(d * (r + q) / 2 for d, r, q in stages) > 0.1),
    st.integers(0, 2**31),
)
def test_every_arrival_lies_in_its_phase_and_they_are_in_order(
    stages: list[tuple[float, float, float]], seed: int
) -> None:
    expected = sum(d * (r + q) / 2 for d, r, q in stages)
    loads = [constant(*stages), poisson(seed, *stages)]
    assert loads[0].arrivals == pytest.approx(max(ceil(expected), 1), abs=1)
    for load in loads:
        found = moments(load)
        assert found == sorted(found)
        assert len(found) == load.arrivals
        for number, at_s in enumerate(found):
            index, _ = load.arrival(number)
            assert load.start_s(index) <= at_s <= load.ends_s[index]


# ---- chance


def kolmogorov_smirnov(uniform: Sequence[float]) -> float:
    """The probability of values so far from evenly spread over 0..1, were they so (asymptotic)."""
    n, values = len(uniform), sorted(uniform)
    far = max(max((k + 1) / n - u, u - k / n) for k, u in enumerate(values))
    scaled = far * (sqrt(n) + 0.12 + 0.11 / sqrt(n))
    return 2 * sum((-1) ** (k - 1) * exp(-2 * (k * scaled) ** 2) for k in range(1, 20))


def dispersion(counts: Sequence[int]) -> float:
    """Variance ÷ mean of counts: 1 for Poisson's, with a deviation of √(2 ÷ (n − 1))."""
    mean = sum(counts) / len(counts)
    return sum((count - mean) ** 2 for count in counts) / (len(counts) - 1) / mean


def counts_in(times_s: Sequence[float], width_s: float, stretches: int) -> list[int]:
    found = [0] * stretches
    for at_s in times_s:
        found[int(at_s // width_s)] += 1
    return found


def test_poisson_gaps_are_exponential_and_constant_ones_are_not() -> None:
    values = []
    for seed in SEEDS:
        found = moments(poisson(seed, (100.0, 20.0, 20.0)))
        values.append(kolmogorov_smirnov([1 - exp(-20 * (b - a)) for a, b in pairwise([0.0, *found])]))
    # Of right gaps these probabilities are themselves evenly spread over 0..1.
    assert min(values) > 0.001
    assert kolmogorov_smirnov(values) > 0.01
    even = moments(constant((100.0, 20.0, 20.0)))
    assert kolmogorov_smirnov([1 - exp(-20 * (b - a)) for a, b in pairwise(even)]) < 1e-9


def test_poisson_counts_vary_as_much_as_they_are_many() -> None:
    found = [dispersion(counts_in(moments(poisson(n, (100.0, 20.0, 20.0))), 0.5, 200)) for n in SEEDS]
    deviation = sqrt(2 / 199)
    assert all(abs(value - 1) < 4 * deviation for value in found)
    assert abs(sum(found) / len(found) - 1) < 4 * deviation / sqrt(len(found))
    assert dispersion(counts_in(moments(constant((100.0, 20.0, 20.0))), 0.5, 200)) == 0


def test_on_a_ramp_the_moments_follow_the_rate() -> None:
    # Given how many came by T, each of them is independent with the distribution Λ(t) ÷ Λ(T): here (t ÷ T)².
    values = [
        kolmogorov_smirnov([(at_s / 60) ** 2 for at_s in moments(poisson(n, (60.0, 0.0, 50.0)))])
        for n in SEEDS
    ]
    assert min(values) > 0.001
    assert kolmogorov_smirnov(values) > 0.01


def test_each_stage_of_a_days_profile_has_its_mean_and_its_own_chance() -> None:
    rates = [2.0, 10.0, 0.0, 40.0]
    loads = [poisson(seed, *((10.0, rate, rate) for rate in rates)) for seed in range(200)]
    for index, rate in enumerate(rates):
        counts = [load.phases[index].arrivals or 0 for load in loads]
        mean = sum(counts) / len(counts)
        assert abs(mean - 10 * rate) <= 4 * sqrt(10 * rate / len(counts))
        if rate:
            assert abs(dispersion(counts) - 1) < 4 * sqrt(2 / (len(counts) - 1))


def test_a_schedule_follows_from_its_seed_alone() -> None:
    stages = (10.0, 5.0, 30.0)
    assert moments(poisson(7, stages)) == moments(poisson(7, stages))
    assert moments(poisson(7, stages)) != moments(poisson(8, stages))
    # Random.random and its seeding are the same in every version of Python: so is the first arrival.
    assert moments(poisson(7, (10.0, 1.0, 1.0)))[0] == pytest.approx(2.9399482127)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_share_one_schedule(workers: int) -> None:
    whole = [(n, *poisson(3, (20.0, 5.0, 20.0), (5.0, 2.0, 2.0)).arrival(n)) for n in range(200)]
    found = []
    for rank in range(workers):
        timeline = poisson(3, (20.0, 5.0, 20.0), (5.0, 2.0, 2.0))  # as each process computes it
        tickets = Tickets(timeline, Share(rank, workers))
        own = [(t.number, t.phase, t.due_s) for t in tickets.unclaimed(inf)]
        assert [number % workers for number, _, _ in own] == [rank] * len(own)
        found += own
    found.sort()
    assert [number for number, _, _ in found] == list(range(len(found)))
    assert [(n, f"s{index}", at_s) for n, index, at_s in whole] == found[:200]


# ---- loads that cannot be


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([(60.0, 0.0, 0.0)], "a rate of 0 is no load"),
        ([(1.0, 1e9, 1e9)], "more than any load"),
        ([(1e6, 1e3, 1e3)], "1,000,000,000 requests, and 2,000,000 are the most"),
        ([(0.0, 1.0, 1.0)], "stage s0 lasts no time"),
        ([(3600.0, 10.0, 10.0)], "set limit"),
    ],
)
def test_what_is_no_load_is_refused(stages: list[tuple[float, float, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_load([Stage(f"s{n}", *stage) for n, stage in enumerate(stages)], "constant", 0, None, "limit")


def test_chance_may_make_no_arrival_at_all() -> None:
    counts = {poisson(seed, (1.0, 0.5, 0.5)).arrivals for seed in range(20)}  # each is 0 in 61 of 100
    assert counts >= {0, 1}
