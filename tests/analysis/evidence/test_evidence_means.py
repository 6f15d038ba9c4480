from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, stats

from genload.analysis.evidence.dependence import effective_count
from genload.analysis.evidence.means import MIN_EFFECTIVE, Mean, MeanRatio


def autoregressive(count: int, memory: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=count)
    return signal.lfilter([1.0], [1.0, -memory], noise)


def normal(count: int, mean: float = 10.0, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, count)


@pytest.mark.parametrize("memory", [0.5, 0.8])
def test_the_effective_count_is_the_theorys(memory: float) -> None:
    # An autoregressive series of n values is worth n (1 - φ) / (1 + φ) independent ones.
    theory = 40_000 * (1 - memory) / (1 + memory)
    assert effective_count(autoregressive(40_000, memory)) == pytest.approx(theory, rel=0.12)


def test_independent_values_count_in_full() -> None:
    assert effective_count(normal(20_000)) > 18_000
    assert effective_count(np.full(50, 3.0)) == 50


def test_the_bound_of_symmetric_independent_values_is_students_or_a_little_wider() -> None:
    half = normal(100)
    values = np.random.default_rng(2).permutation(np.concatenate([half, 20 - half]))
    reach = (Mean(values).bound("upper", 0.0).value or 0) - values.mean()
    student = stats.t.ppf(0.95, len(values) - 1) * stats.sem(values)
    assert 1 - 1e-12 <= reach / student < 1.5


def test_nothing_is_proven_from_too_few() -> None:
    few, enough = Mean(normal(MIN_EFFECTIVE - 1)), Mean(normal(3 * MIN_EFFECTIVE))
    assert few.bound("upper", 100.0).value is None
    assert int(few.needs("upper", 100.0).split()[1]) >= MIN_EFFECTIVE
    assert enough.bound("upper", 100.0).value is not None
    assert Mean(np.array([5.0])).bound("upper", 100.0).value is None


def test_values_that_follow_each_other_widen_the_bound() -> None:
    series = autoregressive(500, 0.8)
    in_turn = Mean(series)
    mixed = Mean(np.random.default_rng(1).permutation(series))
    assert in_turn.value == pytest.approx(mixed.value)
    reach = (in_turn.bound("upper", 9.0).value or 0) - float(in_turn.value or 0)
    assert reach > 2 * ((mixed.bound("upper", 9.0).value or 0) - float(mixed.value or 0))


@pytest.mark.parametrize("side", ["upper", "lower"])
def test_bounds_miss_the_true_mean_in_about_5_percent_of_runs(side: str) -> None:
    rng = np.random.default_rng(7)
    missed = 0
    for _ in range(400):
        bound = Mean(rng.exponential(size=60)).bound(side, 1.0).value  # type: ignore[arg-type]
        missed += bound is not None and (bound < 1.0 if side == "upper" else bound > 1.0)
    assert missed / 400 < 0.08


def test_the_share_that_a_mean_leaves_out_stands_beside_it() -> None:
    assert "7 that failed are left out" in Mean(normal(100), left_out=7).bound("upper", 99.0).assumption


def test_limits_of_a_ratio_solve_fiellers_equation() -> None:
    ratio = MeanRatio(Mean(normal(80, 12.0, seed=1)), Mean(normal(60, 10.0, seed=2)))
    assert ratio.value == pytest.approx(1.2, abs=0.05)
    upper = ratio.bound("upper", 1.3).value or 0.0
    lower = ratio.bound("lower", 1.3).value or 0.0
    assert lower < (ratio.value or 0) < upper
    a, b = ratio.top.value or 0, ratio.below.value or 0
    reach = [abs(a - r * b) / np.hypot(ratio.top.error, r * ratio.below.error) for r in (upper, lower)]
    assert reach[0] == pytest.approx(reach[1])
    assert reach[0] == pytest.approx(stats.t.ppf(0.95, 120), rel=0.02)


def test_a_ratio_needs_enough_on_both_sides() -> None:
    ratio = MeanRatio(Mean(normal(100)), Mean(normal(5)))
    assert ratio.bound("upper", 2.0).value is None
    assert ratio.needs("upper", 2.0).startswith("at least 30 effective requests on each side")
