"""Evidence of open loads: busy spells and their scatter by hand, and queues whose truth is known."""

from __future__ import annotations

from math import exp, inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.evidence.busy import (
    CRITICAL,
    CRITICAL_SHARE,
    MIN_SPELLS,
    SKEW,
    UNEVEN,
    BusyMean,
    BusyPercentile,
    Scatter,
    spells_of,
)
from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.evidence.means import Mean, MeanRatio


def at(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)


def one_server(rng: np.random.Generator, count: int, load: float) -> tuple[FloatArray, FloatArray]:
    """Starts and latencies of M/D/1, by Lindley's recursion; the queue has been there for a while."""
    gaps = rng.exponential(1 / load, count + 2000)
    walk = np.cumsum(1.0 - gaps)
    waits = walk - np.minimum.accumulate(np.minimum(walk, 0.0))
    return np.cumsum(gaps)[2000:], waits[1999:-1] + 1.0


def test_a_spell_begins_when_the_service_has_caught_up() -> None:
    # Found in flight: 0, 1, 2, 3, 0, 1, 0, 1; the median is 1.
    start = at(0, 1, 2, 3, 10, 11, 20, 21)
    end = at(5, 6, 7, 8, 12, 12.5, 22, 22.5)
    assert spells_of(start, end).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    # Nobody finds more than the median does: each is a spell.
    assert spells_of(at(0, 1, 2), at(0.5, 1.5, 2.5)).tolist() == [0, 1, 2]
    assert spells_of(at(), at()).tolist() == []


def test_the_scatter_of_sums_over_spells() -> None:
    # The first and the last spell are cut; sums 2, 6, 4 of 1, 2, 3 requests: m = 2, rests 0, 2, −2.
    values, spells = at(9, 2, 3, 3, 1, 1, 2, 9), np.array([0, 1, 2, 2, 5, 5, 5, 6])
    scatter = Scatter.of(values, spells)
    assert scatter.spells == 3
    assert scatter.error == pytest.approx(sqrt(3 / 2 * 8) / 6)
    assert scatter.even == pytest.approx(8**2 / (2 * 2**4))
    assert not scatter.enough
    assert Scatter.of(at(1.0, 1.0), np.array([0, 1])).error == inf


def test_a_mean_is_bounded_in_proportion_and_farther_where_spells_are_few() -> None:
    rng = np.random.default_rng(3)
    values = rng.lognormal(0, 0.3, 402)
    mean = BusyMean(values, spells=np.arange(402))
    assert mean.scatter.spells == 400
    observed, error = float(values.mean()), mean.scatter.error
    upper, lower = (mean.bound(side, 9.0).value for side in ("upper", "lower"))
    assert lower == pytest.approx(observed * exp(-CRITICAL * error / observed))
    assert upper == pytest.approx(observed * exp(CRITICAL * (1 + SKEW / 400) * error / observed))
    assert "402 requests in 400 busy spells" in mean.bound("upper", 9.0).assumption
    half = BusyMean(values, spells=np.arange(402) // 2)
    assert half.scatter.critical("upper") > mean.scatter.critical("upper")
    # As good as independent, it is worth about as many values as there are.
    assert mean.effective > 300


def test_a_mean_of_zero_has_a_bound_too() -> None:
    assert BusyMean(np.zeros(400), spells=np.arange(400)).bound("upper", 1.0).value == 0.0


def test_what_has_not_caught_up_often_enough_says_how_long_it_would_take() -> None:
    start, took = one_server(np.random.default_rng(1), 2000, 0.95)
    spells = spells_of(start, start + took)
    mean, p95 = BusyMean(took, spells=spells), BusyPercentile(took, 95, spells=spells)
    assert mean.bound("upper", 99.0).value is None and p95.bound("upper", 99.0).value is None
    caught_up = mean.scatter.spells
    assert 10 < caught_up < MIN_SPELLS
    assert f"caught up with those who came {caught_up} times" in mean.needs("upper", 99.0)
    wanted = int(mean.needs("upper", 99.0).partition("about ")[2].partition(" ")[0].replace(",", ""))
    scatter = UNEVEN * sqrt(1 / caught_up + 1 / MIN_SPELLS)
    assert wanted == pytest.approx(2000 * MIN_SPELLS / caught_up * exp(0.8416 * scatter), rel=0.02)
    assert p95.needs("upper", 99.0).startswith("a longer run: the service has caught up")


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_a_queue_is_proven_below_what_it_is_far_below_and_never_far_below_its_truth(load: float) -> None:
    true = 1 + load / (2 * (1 - load))  # Pollaczek and Khinchine
    wrong = proven = 0
    for seed in range(60):
        start, took = one_server(np.random.default_rng(seed), 5000, load)
        spells = spells_of(start, start + took)
        bound = BusyMean(took, spells=spells).bound("upper", true).value
        assert bound is not None
        wrong += bound < true
        proven += bound < 1.2 * true
    assert wrong <= 8  # 5 % of 60, and twice its deviation
    assert proven >= 18


def test_a_percentile_of_a_queue_is_proven_below_what_it_is_a_fifth_below() -> None:
    true = float(np.percentile(one_server(np.random.default_rng(99), 400_000, 0.8)[1], 95))
    wrong = proven = 0
    for seed in range(60):
        start, took = one_server(np.random.default_rng(seed), 5000, 0.8)
        bound = BusyPercentile(took, 95, spells=spells_of(start, start + took)).bound("upper", true).value
        wrong += bound is not None and bound < true
        proven += bound is not None and bound < 1.2 * true
    assert wrong <= 8  # 5 % of 60, and twice its deviation
    assert proven >= 12  # 31 %, and twice its deviation


def test_an_upper_bound_of_a_percentile_has_the_scatter_beyond_the_percentile_itself() -> None:
    # Each value a spell: 100 of 2,000 are beyond p95, and their share scatters by √(0.95 / 100).
    found = BusyPercentile(np.arange(2000.0), 95, spells=np.arange(2000))
    beyond = 100 * exp(-CRITICAL_SHARE * sqrt(0.95 / 100))
    assert found.value == 1899
    assert found.bound("upper", 0.0).value == pytest.approx(2000 - beyond, abs=1.5)


def test_near_saturation_hardly_anything_is_known_after_5000_requests() -> None:
    bounds = []
    for seed in range(20):
        start, took = one_server(np.random.default_rng(seed), 5000, 0.95)
        spells = spells_of(start, start + took)
        bounds.append(BusyMean(took, spells=spells).bound("upper", 99.0).value)
    true = 1 + 0.95 / (2 * 0.05)
    known = [bound for bound in bounds if bound is not None]
    assert len(known) <= 2
    assert sum(bound < true for bound in known) <= 1


@given(st.integers(0, 10_000), st.sampled_from([50.0, 90.0, 95.0]))
def test_the_bounds_of_a_percentile_are_values_on_either_side_of_it(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    start, took = one_server(rng, 1500, 0.4)
    took[rng.random(1500) < 0.01] = inf  # failed requests rank last
    found = BusyPercentile(took, level, spells=spells_of(start, start + np.minimum(took, 60.0)))
    lower, upper = (found.bound(side, 1.0).value for side in ("lower", "upper"))
    assert found.value is not None
    if lower is not None:
        assert lower <= found.value and lower in took
    if upper is not None:
        assert upper >= found.value and upper in took


def test_no_slow_request_at_all_needs_enough_of_them() -> None:
    rng = np.random.default_rng(2)
    took = rng.uniform(1.0, 2.0, 2000)
    found = BusyPercentile(took, 95, spells=np.arange(2000))
    bound = found.bound("upper", 5.0).value
    assert bound is not None and 1.9 < bound < 2.0
    few = BusyPercentile(took[:50], 99, spells=np.arange(50))
    assert few.bound("upper", 5.0).value is None


def test_two_means_of_open_loads_are_compared_with_their_own_errors() -> None:
    rng = np.random.default_rng(4)
    top, below = (BusyMean(rng.lognormal(0, 0.3, 2000), spells=np.arange(2000)) for _ in range(2))
    plain = MeanRatio(Mean(top.values), Mean(below.values)).bound("upper", 1.2).value
    wider = MeanRatio(top, below).bound("upper", 1.2).value
    assert plain is not None and wider is not None and plain < wider < 1.1
