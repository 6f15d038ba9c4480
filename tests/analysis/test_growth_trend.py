"""Growth by blocks of completed jobs: known courses of memory, and what is called what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from genload.analysis.growth import GrowthTrend, blocks_of

TIMES_S = np.arange(1200.0)
ENDS_S = np.linspace(5, 1199, 240)
BASE = 1e9


def trend(course: np.ndarray, noise: float = 0.002, phi: float = 0.9, seed: int = 3) -> GrowthTrend:
    """Of memory with this course (shares of its base) under autocorrelated noise."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, noise * np.sqrt(1 - phi**2), len(TIMES_S) + 2000)
    wander = lfilter([1.0], [1.0, -phi], steps)[2000:]
    return GrowthTrend(blocks_of(TIMES_S, BASE * (1 + course + wander), ENDS_S), seed=7)


def test_a_block_is_the_least_sample_between_completions() -> None:
    times = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    blocks = blocks_of(times, np.array([5.0, 4.0, 7.0, 6.0, 1.0, 0.0]), np.array([1.0, 4.5, 3.0]))
    assert blocks.minima.tolist() == [4.0, 6.0, 1.0]  # what came after the last completion is in none
    assert blocks.times_s.tolist() == [1.0, 3.0, 4.0]


def test_a_block_without_a_sample_is_none() -> None:
    assert len(blocks_of(np.array([9.0]), np.array([1.0]), np.array([1.0, 2.0, 9.5]))) == 1
    assert len(blocks_of(np.zeros(0), np.zeros(0), np.array([1.0]))) == 0
    assert len(blocks_of(np.array([1.0]), np.array([1.0]), np.zeros(0))) == 0


def test_an_exact_line_has_its_slope_and_no_doubt() -> None:
    found = GrowthTrend(blocks_of(TIMES_S, 1e9 + 1e5 * TIMES_S, TIMES_S[29::30]), seed=1)
    assert found.slope == pytest.approx(1e5)
    assert found.second_half == pytest.approx(1e5)
    assert found.growth == pytest.approx(0.117)  # 39 blocks of 30 s, from 1 GB
    assert found.limits == pytest.approx((0.117, 0.117))
    assert found.kind == "leak"


def test_memory_that_never_moves_has_no_trend() -> None:
    found = GrowthTrend(blocks_of(TIMES_S, np.full(1200, 1e9), ENDS_S), seed=1)
    assert (found.kind, found.growth, found.limits) == ("none", 0.0, (0.0, 0.0))


@pytest.mark.parametrize(
    ("kind", "course"),
    [
        ("leak", 0.1 * TIMES_S / 1200),
        ("falling", -0.1 * TIMES_S / 1200),
        ("step", 0.1 * (TIMES_S > 840)),
        ("filling", 0.1 * (1 - np.exp(-TIMES_S / 250))),
        ("none", np.zeros(1200)),
    ],
)
def test_each_course_is_called_what_it_is(kind: str, course: np.ndarray) -> None:
    assert trend(course).kind == kind


def test_the_step_is_where_it_was_made() -> None:
    found = trend(0.1 * (TIMES_S > 840))
    assert found.step is not None
    assert found.blocks.times_s[found.step - 1] <= 840 < found.blocks.times_s[found.step]


def test_bounds_hold_a_growth_that_is_there_and_widen_with_its_noise() -> None:
    calm, wild = trend(0.1 * TIMES_S / 1200), trend(0.1 * TIMES_S / 1200, noise=0.01)
    for found in (calm, wild):
        low, high = found.limits
        assert low is not None
        assert high is not None
        assert low < 0.1 < high
    widths = [(found.limits[1] or 0) - (found.limits[0] or 0) for found in (calm, wild)]
    assert widths[1] > 2 * widths[0]


def test_flat_memory_that_wanders_is_seldom_called_a_leak() -> None:
    kinds = [trend(np.zeros(1200), noise=0.01, phi=0.95, seed=seed).kind for seed in range(40)]
    assert kinds.count("leak") <= 2


def test_a_leak_of_a_tenth_is_found() -> None:
    kinds = [trend(0.1 * TIMES_S / 1200, noise=0.005, phi=0.95, seed=seed).kind for seed in range(20)]
    assert kinds.count("leak") >= 18


@settings(max_examples=25)
@given(
    st.lists(st.floats(1e6, 1e12), min_size=10, max_size=60),
    st.integers(10, 30),
    st.floats(0.1, 1000, allow_subnormal=False),
)
def test_any_course_has_bounds_around_its_growth_whatever_the_unit(
    values: list[float], jobs: int, unit: float
) -> None:
    times = np.arange(float(len(values)))
    ends = np.linspace(0, len(values) - 1, jobs)
    blocks = blocks_of(times, np.array(values), ends)
    if len(blocks) < 10:
        return
    found = GrowthTrend(blocks, seed=2)
    if found.growth is not None:
        low, high = found.limits
        assert low is not None
        assert high is not None
        rounded = 1e-12  # of a share: values may differ in their last bit alone
        assert low - rounded <= found.growth <= high + rounded
    scaled = GrowthTrend(blocks_of(times, np.array(values) * unit, ends), seed=2)
    assert scaled.slope == pytest.approx(found.slope * unit, rel=1e-6, abs=1e-6 * unit)
