"""Duration against text length: the slope, by hand and against simulated worlds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genload.analysis.evidence.slope import MIN_EFFECTIVE, Slope
from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import RequestRecord

from .speech_log import speech_run, spoken

Judge = Callable[..., CriterionVerdict]
LENGTHS = np.array([5.0, 50.0, 246.0, 320.0])


def lengths(count: int) -> np.ndarray:
    return np.resize(LENGTHS, count)


def timed(texts: np.ndarray, times_s: np.ndarray) -> list[RequestRecord]:
    pairs = enumerate(zip(texts, times_s, strict=True))
    return [spoken(n, n / 10, seconds, characters=characters) for n, (characters, seconds) in pairs]


def test_a_straight_line_has_its_slope(judge_one: Judge) -> None:
    records = [spoken(n, n / 10, 0.5 + 0.004 * x, characters=x) for n, x in enumerate(lengths(100))]
    verdict = judge_one(speech_run(records), "speech.per_character < 5ms")
    assert verdict.value == pytest.approx(0.004)
    assert (verdict.result, verdict.evidence, verdict.unit) == ("pass", "proven", "s")
    assert verdict.bound == pytest.approx(0.004)


def test_by_hand() -> None:
    # x 0 1 2 over and over, y 0 1 5: means 1 and 2, sums of products 5 a round and of squares 2 a round.
    slope = Slope(np.resize([0.0, 1.0, 2.0], 12), np.resize([0.0, 1.0, 5.0], 12))
    assert slope.value == pytest.approx(2.5)


@settings(max_examples=50)
@given(seed=st.integers(0, 10**6), count=st.integers(10, 200))
def test_value_and_scatter_are_those_of_the_textbook(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.permutation(lengths(count))
    y = 0.2 + 0.005 * x * rng.lognormal(0, 0.4, count)
    slope = Slope(x, y)
    assert slope.value == pytest.approx(stats.linregress(x, y).slope)
    # HC3, from the matrices of its definition.
    design = np.column_stack([np.ones(count), x])
    inverse = np.linalg.inv(design.T @ design)
    rests = y - design @ (inverse @ design.T @ y)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    hc3 = inverse @ (design.T * (rests / (1 - leverage)) ** 2) @ design @ inverse
    pseudo = slope._mean.values
    assert pseudo.var() * count / (count - 1) ** 2 == pytest.approx(hc3[1, 1], rel=0.05)


@pytest.mark.parametrize("scatter", ["with the length", "the same", "exponential"])
@pytest.mark.parametrize("count", [80, 300])
def test_what_is_called_proven_is_seldom_wrong(scatter: str, count: int) -> None:
    rng = np.random.default_rng(5)
    x, truth, rounds = lengths(count), 0.005, 400
    wrong = {"upper": 0, "lower": 0}
    for _ in range(rounds):
        noise = {
            "with the length": truth * x * rng.lognormal(-0.125, 0.5, count),
            "the same": truth * x + rng.normal(0, 0.3, count),
            "exponential": truth * x * rng.exponential(1.0, count),
        }[scatter]
        slope = Slope(x, 0.2 + noise)
        upper, lower = slope.bound("upper", truth).value, slope.bound("lower", truth).value
        wrong["upper"] += upper is not None and upper < truth
        wrong["lower"] += lower is not None and lower > truth
    # 5 % and what chance adds to 400 rounds (three standard deviations: 3.3 %).
    assert max(wrong.values()) <= 0.083 * rounds


def test_the_interval_has_both_sides() -> None:
    rng = np.random.default_rng(3)
    x = lengths(200)
    inside = 0
    for _ in range(200):
        interval = Slope(x, 0.005 * x * rng.lognormal(-0.125, 0.5, 200)).interval()
        assert interval is not None
        inside += interval[0] <= 0.005 <= interval[1]
    assert inside >= 0.90 * 200


@pytest.mark.parametrize(
    ("texts", "count", "needs"),
    [([5.0, 320.0], 60, "at least 3 different lengths (2 so far)"), ([5.0, 50.0, 320.0], 9, "at least 10")],
)
def test_too_little_is_inconclusive(judge_one: Judge, texts: list[float], count: int, needs: str) -> None:
    records = [spoken(n, n / 10, 1.0, characters=x) for n, x in enumerate(np.resize(texts, count))]
    verdict = judge_one(speech_run(records), "speech.per_character < 20ms")
    assert (verdict.result, verdict.value) == ("inconclusive", None)
    assert needs in (verdict.needs or "")
    assert Slope(np.array(texts), np.array(texts)).interval() is None


def test_the_original_twelve_requests_prove_nothing_and_say_what_would(judge_one: Judge) -> None:
    rng = np.random.default_rng(1)
    times = 0.2 + 0.005 * lengths(12) * rng.lognormal(0, 0.1, 12)
    records = [
        spoken(n, n / 10, y, characters=x) for n, (x, y) in enumerate(zip(lengths(12), times, strict=True))
    ]
    verdict = judge_one(speech_run(records), "speech.per_character < 20ms")
    assert (verdict.result, verdict.evidence, verdict.bound) == ("pass", "unproven", None)
    assert f"about {MIN_EFFECTIVE}" in (verdict.needs or "") or "requests that vary" in (verdict.needs or "")


def test_failures_are_left_out_and_said(judge_one: Judge) -> None:
    rng = np.random.default_rng(2)
    times = 0.2 + 0.004 * lengths(120) * rng.lognormal(0, 0.1, 120)
    records = [
        spoken(n, n / 10, y, characters=x) for n, (x, y) in enumerate(zip(lengths(120), times, strict=True))
    ]
    for record in records[::30]:
        record.outcome, record.duration_s = "failed", 300.0
    verdict = judge_one(speech_run(records), "speech.per_character < 20ms")
    assert verdict.evidence == "proven"
    assert "4 that failed are left out" in (verdict.assumption or "")
