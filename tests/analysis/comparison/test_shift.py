"""The shift between two sides, against scipy and known answers."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genload.analysis.comparison.noise import Noise, Scale
from genload.analysis.comparison.shift import Basis, holm, middle, scale_of, shift, spread
from genload.settings.metrics.metric import Better

BASE = [1.00, 1.02, 0.97, 1.01, 0.99]
NEW = [1.08, 1.11, 1.02, 1.10, 1.06]

positive = st.floats(0.5, 2.0)
sides = st.lists(st.tuples(positive, positive), min_size=3, max_size=8)


def test_on_ratios_it_is_welchs_test_of_the_logarithms() -> None:
    found = shift(BASE, NEW, scale=Scale.RATIO)
    welch = stats.ttest_ind(np.log(NEW), np.log(BASE), equal_var=False, alternative="greater")
    interval = stats.ttest_ind(np.log(NEW), np.log(BASE), equal_var=False).confidence_interval(0.9)
    assert found.p_up == pytest.approx(welch.pvalue)
    assert found.freedom == pytest.approx(welch.df)
    assert log(1 + found.value) == pytest.approx(np.log(NEW).mean() - np.log(BASE).mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.exp(interval) - 1))


@given(sides)
def test_the_other_way_round_it_is_the_inverse(pairs: list[tuple[float, float]]) -> None:
    base, new = (list(side) for side in zip(*pairs, strict=True))
    there, back = (shift(a, b, scale=Scale.RATIO) for a, b in ((base, new), (new, base)))
    assert (1 + there.value) * (1 + back.value) == pytest.approx(1)
    assert there.p_up == pytest.approx(back.p_down)
    assert there.low is not None
    assert there.high is not None
    assert there.low <= there.value <= there.high


@given(sides, st.floats(1e-3, 1e3))
def test_the_unit_is_no_matter(pairs: list[tuple[float, float]], unit: float) -> None:
    base, new = (list(side) for side in zip(*pairs, strict=True))
    scaled = shift([unit * x for x in base], [unit * x for x in new], scale=Scale.RATIO)
    assert scaled.value == pytest.approx(shift(base, new, scale=Scale.RATIO).value, abs=1e-9)


def test_rounds_that_go_together_are_paired() -> None:
    drift = [0.8, 1.0, 1.2, 1.4, 1.6]
    base = [d * x for d, x in zip(drift, BASE, strict=True)]
    new = [d * x for d, x in zip(drift, NEW, strict=True)]
    apart, paired = (shift(base, new, scale=Scale.RATIO, rounds=rounds) for rounds in (False, True))
    test = stats.ttest_rel(np.log(new), np.log(base), alternative="greater")
    assert (apart.basis, paired.basis) == (Basis.SPREAD, Basis.ROUNDS)
    assert paired.p_up == pytest.approx(test.pvalue)
    assert paired.value == apart.value
    # Rounds without a drift have nothing to pair.
    assert shift(BASE, NEW[1:] + NEW[:1], scale=Scale.RATIO, rounds=True).basis is Basis.SPREAD


def test_a_noise_floor_is_pooled_with_the_spread() -> None:
    floor = Noise(spread=0.02, freedom=9, scale=Scale.RATIO)
    found = shift(BASE, NEW, scale=Scale.RATIO, floor=floor)
    squares = 4 * np.log(BASE).var(ddof=1) + 4 * np.log(NEW).var(ddof=1)
    size = sqrt((squares + 9 * 0.02**2) / 17 * 2 / 5)
    moved = np.log(NEW).mean() - np.log(BASE).mean()
    assert (found.basis, found.freedom) == (Basis.FLOOR, 17)
    assert found.p_up == pytest.approx(stats.t(17).sf(moved / size))
    alone = shift([1.0], [1.1], scale=Scale.RATIO, floor=floor)
    assert alone.p_up == pytest.approx(stats.t(9).sf(log(1.1) / (0.02 * sqrt(2))))


def test_a_floor_that_these_runs_exceed_is_set_aside() -> None:
    floor = Noise(spread=0.001, freedom=9, scale=Scale.RATIO)
    found = shift(BASE, NEW, scale=Scale.RATIO, floor=floor)
    assert found.floor_refused
    assert found.p_up == shift(BASE, NEW, scale=Scale.RATIO).p_up
    two = shift(BASE[:2], NEW[:2], scale=Scale.RATIO, floor=floor)
    assert two.low is None


def test_fewer_than_three_runs_have_no_bounds_of_their_own() -> None:
    found = shift(BASE[:2], NEW, scale=Scale.RATIO)
    assert (found.low, found.p_up, found.basis) == (None, None, Basis.NONE)


def test_what_never_varies_is_sure() -> None:
    same, other = (shift([5.0] * 3, [to] * 3, scale=Scale.RATIO) for to in (5.0, 6.0))
    assert (same.value, same.low, same.high, same.p_up) == (0, 0, 0, 1)
    assert (other.p_up, other.p_down) == (0, 1)


def test_a_share_is_never_surer_than_its_requests_allow() -> None:
    found = shift([0.0] * 5, [0.0] * 5, scale=Scale.DIFFERENCE, requests=(100.0, 100.0))
    share = 1 / 102
    assert found.basis is Basis.COUNTS
    assert found.high == pytest.approx(1.645 * sqrt(2 * share * (1 - share) / 102), rel=1e-3)
    spreading = shift([0.0, 0.1, 0.2], [0.1, 0.2, 0.3], scale=Scale.DIFFERENCE, requests=(1e6, 1e6))
    assert spreading.basis is Basis.SPREAD


def test_a_rate_is_never_surer_than_whole_completions_allow() -> None:
    grain = sqrt(4 / 12) / 25  # four of about 25 requests were under way at the end of each run
    found = shift([25.0] * 3, [24.0] * 3, scale=Scale.RATIO, grains=([grain] * 3, [grain] * 3))
    assert found.basis is Basis.WHOLE
    assert found.high == pytest.approx(24 / 25 * exp(1.645 * grain * sqrt(2 / 3)) - 1, rel=1e-3)
    spreading = shift([20.0, 25, 30], [24.0] * 3, scale=Scale.RATIO, grains=([grain] * 3, [grain] * 3))
    assert spreading.basis is Basis.SPREAD


def test_worse_is_what_the_metric_says() -> None:
    slower = shift(BASE, NEW, scale=Scale.RATIO)
    assert slower.worse_by(Better.LOWER) == -slower.worse_by(Better.HIGHER) == slower.value
    assert slower.worse_by_at_most(Better.LOWER) == slower.high
    assert slower.low is not None
    assert slower.worse_by_at_most(Better.HIGHER) == -slower.low
    up, down, either = (slower.p(better) for better in (Better.LOWER, Better.HIGHER, Better.EITHER))
    assert up is not None
    assert down == pytest.approx(1 - up)
    assert either == pytest.approx(2 * up)


def test_shares_and_zeros_have_no_ratio() -> None:
    assert scale_of([1.0], [2.0], in_points=False) is Scale.RATIO
    assert scale_of([0.9], [0.8], in_points=True) is Scale.DIFFERENCE
    assert scale_of([0.0, 1.0], [2.0], in_points=False) is Scale.DIFFERENCE


def test_middle_and_spread_are_those_of_the_scale() -> None:
    assert middle([1.0, 4.0], Scale.RATIO) == pytest.approx(2.0)
    assert middle([1.0, 4.0], Scale.DIFFERENCE) == 2.5
    assert spread([1.0, 4.0], Scale.RATIO) == pytest.approx(log(4) / sqrt(2))


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=10))
def test_holm_never_makes_surer(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(value <= holms <= 1 for value, holms in zip(values, adjusted, strict=True))
    assert sorted(range(len(values)), key=values.__getitem__) == sorted(
        range(len(values)), key=lambda n: (adjusted[n], values[n], n)
    )
