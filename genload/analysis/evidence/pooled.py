"""One number of several runs of the same: the runs' requests together, and nothing of the evidence across the
end of a run.

What a run shows of dependence (runs of events, blocks, autocorrelations, busy spells) it shows within
itself, so that each run says how many independent requests its own are worth, and these add up. A mean's
error is that of the runs' errors, each weighted by its share of the requests (a stratified sample).

That all holds of runs that are alike. Where they differ by more than chance, requests of one run are alike,
and the runs are what varies independently:

- shares and percentiles: Pearson's statistic of the events over the runs, each run counted as the independent
  requests that it is worth, tells it at 20 %. The runs are then the blocks of `rates` (Korn and Graubard).
- means: Cochran's Q = Σ (m_i − m)² / error_i², the means weighted by 1 / error_i², chi-square with one degree
  of freedom less than there are runs (Biometrics 10, 1954), at 20 %. The bound is then Student's on the means
  of the runs; of an open load there is none.

The level is high, because runs that differ a little, which nothing tells, are what makes a bound too sure.
A needless alarm costs power, and no correctness. Counts and extremes are about these very runs. What is
said of the course of one run (growth, slope, a last sample) has no pooled number: each run is judged by
itself, and the worst decides (`EachRun`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isfinite, sqrt
from typing import cast

import numpy as np

from genload.analysis.evidence.alike import between, beyond_chance, differ
from genload.analysis.evidence.between import Between, ends
from genload.analysis.evidence.busy import BusyMean, BusyPercentile, Luck, joined_spells
from genload.analysis.evidence.estimate import (
    Absent,
    Bound,
    Estimate,
    Exact,
    FloatArray,
    Nothing,
    Partial,
    Side,
    Unbounded,
)
from genload.analysis.evidence.means import Mean
from genload.analysis.evidence.percentiles import Percentile
from genload.analysis.evidence.pooled_throughput import PooledThroughput
from genload.analysis.evidence.rates import Rate, Spread, effective_of
from genload.analysis.evidence.sampled import SampledPercentile
from genload.analysis.evidence.series import State, Throughput
from genload.analysis.evidence.slope import Slope
from genload.analysis.states import Held

LEAST_OF_EACH = 2
"""Events a run below which their shares are not compared."""

_ALIKE = "runs that are alike: these differ by more than chance, and so few runs bound nothing"


@dataclass(frozen=True, slots=True)
class EachRun:
    """A number of each run, for which no number of all of them stands.

    Attributes:
        value: of the first run; the verdict is that of the worst one.
    """

    estimates: tuple[Estimate, ...]
    missing: str = ""
    exact: bool = False
    basis: str = ""

    @property
    def value(self) -> float | None:
        return self.estimates[0].value

    def bound(self, side: Side, threshold: float) -> Bound:
        return self.estimates[0].bound(side, threshold)

    def needs(self, side: Side, threshold: float) -> str:
        return self.estimates[0].needs(side, threshold)


def pooled(estimates: Sequence[Estimate], stat: str | None) -> Estimate:
    """The same number of several runs as one.

    Args:
        estimates: one a run, in the runs' order.
        stat: of the subject; None for a number that has none.
    """
    there = [each for each in estimates if not isinstance(each, Nothing)]
    if len(there) < 2:  # where it was never met there is nothing to pool, and nothing is missing
        return there[0] if there else estimates[0]
    if any(isinstance(each, Partial) for each in there):
        return EachRun(tuple(there))
    slopes = [each for each in there if isinstance(each, Slope)]
    if len(slopes) == len(there):  # together there may be pairs enough
        return _pooled_slope(slopes)
    if missing := dict.fromkeys(each.missing for each in there if each.missing):
        return Absent("; ".join(missing))
    if any(isinstance(each, Between) for each in there):
        return _pooled_between(there, stat)
    # The first of them that fits: a number of an open load is that of another one, too.
    for kind, together in _KINDS.items():
        if all(isinstance(each, kind) for each in there):
            return together(there, stat)
    return EachRun(tuple(there))


def _pooled_between(estimates: Sequence[Estimate], stat: str | None) -> Estimate:
    low, observed, high = (pooled(those, stat) for those in zip(*map(ends, estimates), strict=True))
    betweens = [each for each in estimates if isinstance(each, Between)]
    if any(isinstance(each, EachRun) for each in (low, observed, high)):
        return EachRun(tuple(estimates))
    return Between(
        low,
        high,
        observed,
        bound_s=max(each.bound_s for each in betweens),
        refused=any(each.refused for each in betweens),
    )


# ---- counts and extremes


def _pooled_counts(estimates: Sequence[Estimate], stat: str | None) -> Estimate:
    of: dict[str | None, Callable[[Sequence[float]], float]] = {
        None: sum,
        "count": sum,
        "min": min,
        "max": max,
    }
    if stat not in of:
        return EachRun(tuple(estimates))
    value = of[stat]([cast(float, each.value) for each in estimates])
    if isinstance(estimates[0], Unbounded):
        return replace(estimates[0], value=value)
    return Exact(value, f"about these {len(estimates)} runs")


# ---- shares and percentiles


@dataclass(frozen=True)
class PooledSpread(Spread):
    """The events of several runs; `events` has them one run after the other."""

    parts: tuple[Spread, ...] = ()

    @classmethod
    def of(cls, parts: Sequence[Spread]) -> PooledSpread:
        ceiling = sum(min(part.ceiling, float(part.trials)) for part in parts)
        events = np.concatenate([part.events for part in parts])
        least = ceiling if ceiling < len(events) else inf
        return cls(events, least, parts[0].alpha, tuple(parts))

    @cached_property
    def clustered(self) -> bool:
        return self.unlike or any(part.clustered for part in self.parts)

    @cached_property
    def unlike(self) -> bool:
        """Whether the runs' shares differ by more than chance."""
        share = self.share
        if share in (0.0, 1.0) or self.count < LEAST_OF_EACH * len(self.parts):
            return False
        chi2 = sum((part.share - share) ** 2 * part.effective_trials for part in self.parts)
        return beyond_chance(chi2 / (share * (1 - share)), len(self.parts))

    @cached_property
    def effective_trials(self) -> float:
        within = sum(part.effective_trials for part in self.parts)
        if not self.unlike:
            return within
        counts = np.array([part.count for part in self.parts], dtype=np.float64)
        sizes = np.array([part.trials for part in self.parts], dtype=np.float64)
        return min(within, effective_of(counts, sizes))

    def assumption(self, noun: str = "failures") -> str:
        runs = len(self.parts)
        if self.unlike:
            return f"{noun} differ from run to run, and the {runs} runs are independent of each other"
        return f"{super().assumption(noun)}; {runs} runs, alike"


def _pooled_rate(estimates: Sequence[Rate], stat: str | None) -> Estimate:
    return replace(estimates[0], spread=PooledSpread.of([each.spread for each in estimates]))


@dataclass(frozen=True)
class PooledPercentile(Percentile):
    """A percentile of the values of several runs, one run after the other."""

    parts: tuple[Percentile, ...] = ()

    def _spread(self, side: Side, threshold: float) -> Spread:
        return PooledSpread.of([part._spread(side, threshold) for part in self.parts])


def _pooled_percentile(estimates: Sequence[Percentile], stat: str | None) -> PooledPercentile:
    first, values = estimates[0], _together(estimates)
    return PooledPercentile(
        values, first.level, noun=first.noun, sampled=first.sampled, parts=tuple(estimates)
    )


@dataclass(frozen=True)
class PooledSample(SampledPercentile):
    """The same of runs whose answers were inspected in part."""

    parts: tuple[SampledPercentile, ...] = ()

    def _thinned(self, side: Side) -> Percentile:
        found = pooled([part._thinned(side) for part in self.parts], "p")
        if not isinstance(found, Percentile):
            raise TypeError(f"a percentile was expected, not {type(found).__name__}")
        return found


def _pooled_sample(estimates: Sequence[SampledPercentile], stat: str | None) -> Estimate:
    first = estimates[0]
    return PooledSample(
        _together(estimates),
        np.concatenate([each.inspected for each in estimates]),
        np.concatenate([each.failed for each in estimates]),
        first.level,
        sampled=first.sampled,
        parts=tuple(estimates),
    )


def _pooled_busy_percentile(estimates: Sequence[BusyPercentile], stat: str | None) -> Percentile:
    spells = joined_spells([each.in_spells for each in estimates])
    return replace(estimates[0], values=_together(estimates), spells=spells, luck=_pooled_luck(estimates))


def _pooled_luck(estimates: Sequence[BusyPercentile]) -> Luck | None:
    """What chance did in the schedules of all runs; None where one of them does not know it."""
    known = [(each.luck, len(each.values)) for each in estimates if each.luck is not None]
    if len(known) < len(estimates):
        return None
    sizes = np.array([size for _, size in known])

    def luck(threshold: float) -> tuple[FloatArray, float]:
        found = [of_run(threshold) for of_run, _ in known]
        errors = np.array([error for _, error in found])
        # Errors as if they went together: runs of one rate are compared with the same other schedules.
        return np.concatenate([of_each for of_each, _ in found]), float((sizes * errors).sum() / sizes.sum())

    return luck


# ---- means


@dataclass(frozen=True)
class PooledMean(Mean):
    """The mean of the values of several runs, one run after the other."""

    parts: tuple[Mean, ...] = ()

    @cached_property
    def unlike(self) -> bool:
        """Whether the runs' means differ by more than chance."""
        return _means_differ(self.parts)

    @cached_property
    def _within(self) -> float:
        return sum(part.effective for part in self.parts)

    @cached_property
    def effective(self) -> float:
        return float(len(self.parts)) if self.unlike else self._within

    @cached_property
    def error(self) -> float:
        n = len(self.values)
        shares = np.array([len(part.values) / n for part in self.parts])
        within = sqrt(float(((shares * [self._error_of(part) for part in self.parts]) ** 2).sum()))
        if not self.unlike:
            return within
        return max(within, between(shares, [part.value or 0.0 for part in self.parts]))

    def _error_of(self, part: Mean) -> float:
        # One value alone shows no deviation: it has that of all of them.
        return part.error if isfinite(part.error) else self.deviation

    @property
    def enough(self) -> bool:
        return len(self.values) >= 3 and self._within >= self.least

    def _skewness(self) -> float:
        return 0.0 if self.unlike else super()._skewness()  # means of runs have next to none

    def count_text(self) -> str:
        n, runs = len(self.values), len(self.parts)
        if self.unlike:
            return f"{n:,} {self.noun} of {runs} independent runs, which differ"
        return f"{super().count_text()} of {runs} runs that are alike"

    def needs(self, side: Side, threshold: float) -> str:
        if self.unlike:
            return f"more runs: these {len(self.parts)} differ by more than chance"
        return super().needs(side, threshold)


def _pooled_mean(estimates: Sequence[Mean], stat: str | None) -> Estimate:
    first, values = estimates[0], _together(estimates)
    left_out = sum(each.left_out for each in estimates)
    return PooledMean(
        values, first.noun, left_out, first.least, sampled=first.sampled, parts=tuple(estimates)
    )


def _pooled_busy_mean(estimates: Sequence[BusyMean], stat: str | None) -> Estimate:
    values = _together(estimates)
    if _means_differ(estimates):
        return Unbounded(float(values.mean()), _ALIKE)
    spells = joined_spells([each.in_spells for each in estimates])
    left_out = sum(each.left_out for each in estimates)
    return replace(estimates[0], values=values, left_out=left_out, spells=spells)


def _means_differ(estimates: Sequence[Mean]) -> bool:
    known = [each for each in estimates if isfinite(each.error)]
    return differ([each.value or 0.0 for each in known], [each.error for each in known])


@dataclass(frozen=True)
class PooledSlope(Slope):
    """The slope of the pairs of several runs, one run after the other, of so many pairs each."""

    sizes: tuple[int, ...] = ()

    @cached_property
    def _mean(self) -> Mean:
        whole = super()._mean
        parts = np.split(whole.values, np.cumsum(self.sizes)[:-1])
        return PooledMean(
            whole.values, least=whole.least, parts=tuple(replace(whole, values=part) for part in parts)
        )


def _pooled_slope(estimates: Sequence[Slope]) -> Estimate:
    return PooledSlope(
        np.concatenate([each.x for each in estimates]),
        np.concatenate([each.y for each in estimates]),
        left_out=sum(each.left_out for each in estimates),
        sizes=tuple(len(each.x) for each in estimates),
    )


# ---- time


def _pooled_throughput(estimates: Sequence[Throughput], stat: str | None) -> Estimate:
    return PooledThroughput(tuple(estimates))


def _pooled_state(estimates: Sequence[State], stat: str | None) -> Estimate:
    held = [each.held for each in estimates]
    together = Held(
        sum(each.on_s for each in held), sum(each.off_s for each in held), sum(e.unknown_s for e in held)
    )
    return State(together, sum(each.ticks for each in estimates))


def _together(estimates: Sequence[Mean | Percentile | SampledPercentile]) -> FloatArray:
    return np.concatenate([each.values for each in estimates])


_KINDS: dict[type, Callable[..., Estimate]] = {
    Exact: _pooled_counts,
    Unbounded: _pooled_counts,
    Rate: _pooled_rate,
    BusyPercentile: _pooled_busy_percentile,
    Percentile: _pooled_percentile,
    SampledPercentile: _pooled_sample,
    BusyMean: _pooled_busy_mean,
    Mean: _pooled_mean,
    Throughput: _pooled_throughput,
    State: _pooled_state,
}
