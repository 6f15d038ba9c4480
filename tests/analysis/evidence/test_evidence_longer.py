"""The longer run that an unproven statement names: by drawn numbers, and in worlds whose truth is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf, sqrt

import numpy as np
import pytest
from scipy import stats

from genload.analysis.evidence.busy import BusyMean, BusyPercentile, spells_of
from genload.analysis.evidence.estimate import Estimate
from genload.analysis.evidence.longer import deciding
from genload.analysis.evidence.means import Mean
from genload.analysis.evidence.rates import Rate, Spread, clopper_pearson
from genload.analysis.evidence.series import Throughput

from .test_evidence_busy import one_server


@pytest.mark.parametrize("effect", [0.1, 0.5, 1.0, 1.6])
def test_of_normal_numbers_four_runs_of_five_decide(effect: float) -> None:
    # 100 values of deviation 10 have a mean that is known to 1: its bound is 1.645 away.
    wanted = deciding(100, effect, lambda count: 1.645 * sqrt(100 / count))
    rng, own = np.random.default_rng(1), sqrt(100 / wanted)
    true = rng.normal(effect, 1.0, 100_000)
    seen = np.abs(rng.normal(true, own))
    assert (seen > 1.645 * own).mean() == pytest.approx(0.8, abs=0.006)


def test_what_is_on_the_threshold_or_certain_or_needs_a_least_number() -> None:
    assert deciding(100, 0.0, lambda count: 1 / sqrt(count)) == inf
    assert deciding(100, 1.0, lambda count: 0.0, least=180) == 180


@pytest.mark.parametrize(("failures", "trials", "limit"), [(3, 100, 0.05), (8, 100, 0.05), (30, 400, 0.1)])
def test_the_trials_that_a_share_needs_decide_in_four_runs_of_five(
    failures: int, trials: int, limit: float
) -> None:
    spread = Spread(np.arange(trials) % (trials // failures) == 7)
    side = "upper" if spread.share < limit else "lower"
    wanted = round(spread.trials_needed(side, limit))
    # All true rates that may have led to this count (Jeffreys), and the exact chance of each to be decided.
    rates = stats.beta.ppf((np.arange(400) + 0.5) / 400, spread.count + 0.5, trials - spread.count + 0.5)
    counts = np.arange(wanted + 1)
    below = [clopper_pearson(float(k), wanted, "upper") <= limit for k in counts[counts < wanted * limit]]
    above = [clopper_pearson(float(k), wanted, "lower") >= limit for k in counts[counts > wanted * limit]]
    chances = stats.binom.cdf(sum(below) - 1, wanted, rates) + stats.binom.sf(
        wanted - sum(above), wanted, rates
    )
    assert chances.mean() == pytest.approx(0.8, abs=0.04)


def named(estimate: Estimate, threshold: float) -> int:
    words = estimate.needs("upper", threshold)
    found = re.fullmatch(r"about ([\d,]+) .*, to decide it in 4 runs of 5 \([\d,]+ so far\)", words)
    assert found, words
    return int(found[1].replace(",", ""))


def decides(estimate: Estimate, threshold: float) -> bool:
    above, below = (estimate.bound(side, threshold).value for side in ("upper", "lower"))
    return (above is not None and above < threshold) or (below is not None and below > threshold)


def independent(rng: np.random.Generator, count: int) -> Mean:
    return Mean(rng.lognormal(-0.5, 1.0, count))


def mean_of_queue(rng: np.random.Generator, count: int) -> BusyMean:
    start, took = one_server(rng, count, 0.8)
    return BusyMean(took, spells=spells_of(start, start + took))


def p95_of_queue(rng: np.random.Generator, count: int) -> BusyPercentile:
    start, took = one_server(rng, count, 0.8)
    return BusyPercentile(took, 95, spells=spells_of(start, start + took))


@pytest.mark.parametrize(
    ("draw", "true", "count"),
    [(independent, 1.0, 60), (mean_of_queue, 3.0, 3000), (p95_of_queue, 7.64, 5000)],
)
def test_the_run_that_is_named_decides_when_it_is_drawn_afresh(
    draw: Callable[[np.random.Generator, int], Estimate], true: float, count: int
) -> None:
    rng, threshold = np.random.default_rng(11), 1.2 * true
    unproven = [each for each in (draw(rng, count) for _ in range(40)) if not decides(each, threshold)]
    counts = [named(each, threshold) for each in unproven if (each.value or inf) < 0.98 * threshold]
    assert len(counts) >= 12
    reached = sum(decides(draw(rng, min(wanted, 200_000)), threshold) for wanted in counts)
    assert reached >= 0.75 * len(counts)


def test_a_throughput_names_the_load_that_would_decide() -> None:
    rng = np.random.default_rng(2)
    ends_s = np.sort(rng.uniform(0, 600, 300))
    rate = Throughput(ends_s, 0.0, 600.0)
    assert re.fullmatch(
        r"about [\d.]+ (min|h) of such load, to decide it in 4 runs of 5 \(10 min so far\)",
        rate.needs("lower", 0.47),
    )
    assert "no length" in rate.needs("lower", 0.5)


def test_a_rate_says_it_in_the_words_of_requests() -> None:
    rate = Rate(Spread(np.arange(100) % 33 == 5), "failures")
    assert named(rate, 0.05) > 300
