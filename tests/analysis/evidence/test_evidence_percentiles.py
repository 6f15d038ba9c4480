from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genload.analysis.evidence.percentiles import Percentile, percentile

DURATIONS = st.lists(st.floats(0.001, 1000), min_size=1, max_size=120)


@given(DURATIONS, st.sampled_from([50, 90, 95, 99, 99.9]))
def test_percentiles_are_numpys_inverted_cdf(durations: list[float], level: float) -> None:
    values = np.array(durations)
    assert percentile(values, level) == np.percentile(values, level, method="inverted_cdf")


def test_the_rank_does_not_suffer_from_floating_point() -> None:
    # 100 × 0.55 is 55.00000000000001 in binary: numpy itself takes the 56th here.
    assert percentile(np.arange(1.0, 101.0), 55) == 55


@given(DURATIONS, st.integers(0, 20))
def test_failures_rank_as_infinitely_slow(durations: list[float], failures: int) -> None:
    values = np.array(durations + [inf] * failures)
    expected = sorted(durations) + [inf] * failures
    assert percentile(values, 95) == expected[int(np.ceil(round(len(expected) * 0.95, 9))) - 1]


@given(DURATIONS, st.data())
def test_a_service_cannot_look_faster_by_failing(durations: list[float], data: st.DataObject) -> None:
    before = np.array(durations)
    after = before.copy()
    after[data.draw(st.integers(0, len(durations) - 1))] = inf
    for level in (50, 95, 99):
        assert (percentile(after, level) or 0) >= (percentile(before, level) or 0)


@given(DURATIONS)
def test_a_higher_percentile_is_never_smaller(durations: list[float]) -> None:
    values = np.array(durations)
    found = [percentile(values, level) or 0 for level in (0, 10, 50, 90, 95, 99, 99.9, 100)]
    assert found == sorted(found)
    assert found[-1] == max(durations)


def shuffled(count: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(1.0, count + 1))


def test_59_values_bound_the_95th_percentile_by_their_largest_and_58_do_not() -> None:
    # 0.95 ** 59 < 0.05 < 0.95 ** 58
    assert Percentile(shuffled(59), 95).bound("upper", 100.0).value == 59
    assert Percentile(shuffled(58), 95).bound("upper", 100.0).value is None


@pytest.mark.parametrize(("count", "level"), [(100, 50), (200, 90), (500, 95), (1000, 99)])
def test_bounds_are_the_classical_order_statistics(count: int, level: int) -> None:
    at_most = Percentile(shuffled(count), level).bound("upper", count + 1.0).value
    at_least = Percentile(shuffled(count), level).bound("lower", 0.0).value
    share = level / 100
    # P(X(j) ≥ quantile) = P(fewer than j of n below it), the binomial distribution.
    upper = next(j for j in range(1, count + 1) if stats.binom.cdf(j - 1, count, share) >= 0.95)
    lower = max(j for j in range(1, count + 1) if stats.binom.sf(j - 1, count, share) >= 0.95)
    assert at_most == upper
    assert at_least == lower


def test_bounds_miss_the_true_percentile_in_about_5_percent_of_runs() -> None:
    rng = np.random.default_rng(3)
    truth = float(stats.expon.ppf(0.9))
    missed_low = missed_high = 0
    for _ in range(400):
        estimate = Percentile(rng.exponential(size=150), 90)
        missed_high += (estimate.bound("upper", truth).value or inf) < truth
        missed_low += (estimate.bound("lower", truth).value or 0.0) > truth
    assert missed_high / 400 < 0.08
    assert missed_low / 400 < 0.08


def test_one_busy_stretch_of_slow_requests_proves_less_than_slow_ones_here_and_there() -> None:
    rng = np.random.default_rng(5)
    fast, slow = rng.uniform(1, 2, 485), rng.uniform(5, 6, 15)
    apart = np.insert(fast, np.arange(15) * 32 + 5, slow)
    together = np.concatenate([fast[:200], slow, fast[200:]])
    assert Percentile(apart, 95).bound("upper", 4.0).value is not None
    assert (Percentile(apart, 95).bound("upper", 4.0).value or inf) < 4.0
    assert (Percentile(together, 95).bound("upper", 4.0).value or inf) >= 4.0


def test_latencies_that_wander_are_not_taken_for_independent() -> None:
    # 100 requests, none of them over the threshold, but in long waves, of which a few were seen.
    waves = 2 + np.sin(np.arange(100) / 8)
    assert Percentile(shuffled(100) / 100, 95).bound("upper", 4.0).value is not None
    estimate = Percentile(waves, 95)
    assert estimate.bound("upper", 4.0).value is None
    assert "in a row" in estimate.bound("upper", 4.0).assumption


def test_what_more_would_decide() -> None:
    assert (
        Percentile(shuffled(21), 95)
        .needs("upper", 100.0)
        .startswith("about 59 requests, none of them slower")
    )
    assert Percentile(np.array([1.0] * 10), 50).needs("upper", 1.0).startswith("a wider margin")
