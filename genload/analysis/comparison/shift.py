"""How far a metric has moved from one build to another, and how sure that is.

The run is the statistical unit: a side has one number a run, and requests of one run are never counted as if
they were independent. On the scale of ratios (every number above 0) the logarithms are compared, so that
twice as slow and half as slow are equally far; elsewhere the numbers themselves.

The standard error of the difference of the two means comes from the spread of the runs of each side, with
Student's t and the degrees of freedom of Welch (Biometrika 34, 1947). It may come from elsewhere:

- *Rounds*: where each round has a run of both sides, and the two go together (their correlation is above 0
  at 5 %), the differences within the rounds are taken, if that is narrower. What drifts from round to round,
  such as the heat of a GPU, then is in neither.
- *A noise floor*: the spread that was learned from equal builds is pooled with that of the runs at hand,
  each weighted by its degrees of freedom; so even one run a side has an interval. Where these runs spread
  more than that (F test, 5 %), it is set aside.
- *Shares*: a share of n requests is never known better than its n allow. Five runs without a failure have a
  spread of 0, which means nothing: the standard error is at least that of Agresti and Caffo (The American
  Statistician 54, 2000), one success and one failure added to each side.
- *Rates of completions*: whole ones are counted, so equal runs may agree by chance. The standard error is at
  least that of the requests which the end of each run cuts off.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import exp, expm1, inf, isfinite, log, sqrt

import msgspec
import numpy as np

from genload.analysis.comparison.noise import Noise, Scale
from genload.analysis.evidence.estimate import ALPHA, FloatArray
from genload.analysis.evidence.means import student
from genload.analysis.evidence.special_functions import special
from genload.settings.metrics.metric import Better

MIN_RUNS = 3
"""Runs a side below which a side's own spread is no ground for a verdict."""


class Basis(StrEnum):
    """Where the standard error of a shift comes from."""

    SPREAD = "spread of the runs"
    ROUNDS = "differences within the rounds"
    FLOOR = "noise floor and spread of the runs"
    COUNTS = "number of requests"
    WHOLE = "whole completions"
    BRACKETS = "brackets of the searches"
    NONE = "none"


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """How far NEW is from BASE.

    Attributes:
        value: of a ratio the share by which NEW is above BASE (0.05: 5 %), else the difference in base units.
        low, high: one-sided 95 % bounds; None where nothing gives one.
        p_up, p_down: how often equal builds would be so far above, or below; None likewise.
        basis: where the bounds come from.
        floor_refused: a noise floor was there, and these runs spread more.
    """

    scale: Scale
    value: float
    low: float | None = None
    high: float | None = None
    p_up: float | None = None
    p_down: float | None = None
    basis: Basis = Basis.NONE
    freedom: float = 0.0
    floor_refused: bool = False

    def p(self, better: Better) -> float | None:
        """How often equal builds would look so much worse; of what is neither better nor worse, so other."""
        if self.p_up is None or self.p_down is None:
            return None
        if better is Better.EITHER:
            return min(1.0, 2 * min(self.p_up, self.p_down))
        return self.p_up if better is Better.LOWER else self.p_down

    def worse_by(self, better: Better) -> float:
        """How much worse NEW is, below 0 where it is better; of what is neither, how different."""
        if better is Better.EITHER:
            return abs(self.value)
        return self.value if better is Better.LOWER else -self.value

    def worse_by_at_most(self, better: Better) -> float | None:
        """The 95 % bound on that."""
        if self.low is None or self.high is None:
            return None
        if better is Better.EITHER:
            return max(abs(self.low), abs(self.high))
        return self.high if better is Better.LOWER else -self.low


class _Error(msgspec.Struct, frozen=True):
    """A standard error with its degrees of freedom."""

    size: float
    freedom: float
    basis: Basis

    @property
    def reach(self) -> float:
        """How far a bound is from the estimate."""
        return self.size * student(self.freedom)


def scale_of(base: Sequence[float], new: Sequence[float], *, in_points: bool) -> Scale:
    """The scale of these numbers; `in_points`: of a share, whose change is told in points."""
    return Scale.RATIO if not in_points and min(*base, *new) > 0 else Scale.DIFFERENCE


def shift(
    base: Sequence[float],
    new: Sequence[float],
    *,
    scale: Scale,
    rounds: bool = False,
    floor: Noise | None = None,
    requests: tuple[float, float] | None = None,
    grains: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Shift:
    """The shift between two sides.

    Args:
        base, new: a finite number a run, at least one a side; above 0 where the scale is that of ratios.
        rounds: the runs of both sides at the same place belong to one round.
        floor: the noise that equal builds have.
        requests: of shares, how many requests each side has in all.
        grains: of rates of completions, the share by which each run's is chance, for whole ones are counted.
    """
    ours, theirs = (_on_scale(values, scale) for values in (base, new))
    moved = float(theirs.mean() - ours.mean())
    error, refused = _error(ours, theirs, rounds=rounds, floor=floor)
    if requests is not None and error is not None:
        least = _of_counts(float(ours.mean()), float(theirs.mean()), requests)
        error = _at_least(error, least, Basis.COUNTS)
    if grains is not None and error is not None and scale is Scale.RATIO:
        error = _at_least(error, _of_whole_ones(grains), Basis.WHOLE)
    if error is None:
        return Shift(scale=scale, value=_told(moved, scale), floor_refused=refused)
    return Shift(
        scale=scale,
        value=_told(moved, scale),
        low=_told(moved - error.reach, scale),
        high=_told(moved + error.reach, scale),
        p_up=_beyond(moved, error),
        p_down=_beyond(-moved, error),
        basis=error.basis,
        freedom=error.freedom,
        floor_refused=refused,
    )


def holm(values: Sequence[float]) -> list[float]:
    """Each p-value so that all of them together are wrong with the probability that one alone is.

    Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, greatest = [0.0] * len(values), 0.0
    for place, index in enumerate(order):
        greatest = max(greatest, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = greatest
    return adjusted


def middle(values: Sequence[float], scale: Scale) -> float:
    """One number for a side: the geometric mean of ratios, else the mean."""
    mean = float(_on_scale(values, scale).mean())
    return exp(mean) if scale is Scale.RATIO else mean


def spread(values: Sequence[float], scale: Scale) -> float:
    """The standard deviation from run to run, of at least two; a share of 1 on the scale of ratios."""
    return float(_on_scale(values, scale).std(ddof=1))


def _on_scale(values: Sequence[float], scale: Scale) -> FloatArray:
    numbers = np.asarray(values, dtype=np.float64)
    return np.log(numbers) if scale is Scale.RATIO else numbers


def _told(moved: float, scale: Scale) -> float:
    return expm1(min(moved, log(1e300))) if scale is Scale.RATIO else moved


def _beyond(moved: float, error: _Error) -> float:
    """The probability that equal builds are so far apart."""
    if error.size == 0:
        return 1.0 if moved <= 0 else 0.0
    return float(special.stdtr(error.freedom, -moved / error.size))


def _error(
    ours: FloatArray, theirs: FloatArray, *, rounds: bool, floor: Noise | None
) -> tuple[_Error | None, bool]:
    """The standard error of the difference, if anything gives one; and whether the floor was set aside."""
    free = len(ours) + len(theirs) - 2
    squares = float(((ours - ours.mean()) ** 2).sum() + ((theirs - theirs.mean()) ** 2).sum())
    refused = floor is not None and free > 0 and _spreads_more(squares / free, free, floor)
    found: _Error | None = None
    if floor is not None and not refused:
        variance = (squares + floor.freedom * floor.spread**2) / (free + floor.freedom)
        size = sqrt(variance * (1 / len(ours) + 1 / len(theirs)))
        found = _Error(size, free + floor.freedom, Basis.FLOOR)
    elif min(len(ours), len(theirs)) >= MIN_RUNS:
        found = _welch(ours, theirs)
    if rounds and len(ours) >= MIN_RUNS and _go_together(ours, theirs):
        apart = theirs - ours
        paired = _Error(float(apart.std(ddof=1)) / sqrt(len(apart)), len(apart) - 1, Basis.ROUNDS)
        found = paired if found is None or paired.reach < found.reach else found
    return found, refused


def _spreads_more(variance: float, freedom: int, floor: Noise) -> bool:
    """Whether runs certainly spread more than equal builds did."""
    if floor.spread == 0:
        return variance > 0
    return float(special.fdtrc(freedom, floor.freedom, variance / floor.spread**2)) < ALPHA


def _welch(ours: FloatArray, theirs: FloatArray) -> _Error:
    parts = [float(side.var(ddof=1)) / len(side) for side in (ours, theirs)]
    total = sum(parts)
    below = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (ours, theirs), strict=True))
    # Of equal numbers alone the spread is 0, up to what the mean rounds away.
    scale = max(float(np.abs(ours).max()), float(np.abs(theirs).max()))
    if total <= (1e-12 * scale) ** 2 or below == 0:
        return _Error(0.0, len(ours) + len(theirs) - 2, Basis.SPREAD)
    return _Error(sqrt(total), total**2 / below, Basis.SPREAD)


def _go_together(ours: FloatArray, theirs: FloatArray) -> bool:
    """Whether the runs of a round are alike: their correlation is above 0, at 5 %."""
    left, right = ours - ours.mean(), theirs - theirs.mean()
    size = sqrt(float((left**2).sum() * (right**2).sum()))
    if size == 0:
        return False
    correlation = float((left * right).sum()) / size
    free = len(ours) - 2
    rest = 1 - correlation**2
    t = correlation * sqrt(free / rest) if rest > 0 else inf * correlation
    return t > student(free)


def _of_counts(ours: float, theirs: float, requests: tuple[float, float]) -> float:
    """The least standard error of two shares of so many requests."""
    total = 0.0
    for share, count in zip((ours, theirs), requests, strict=True):
        guess = (share * count + 1) / (count + 2)
        total += guess * (1 - guess) / (count + 2)
    return sqrt(total)


def _of_whole_ones(grains: tuple[Sequence[float], Sequence[float]]) -> float:
    """The least standard error of two rates, on the scale of ratios."""
    return sqrt(sum(sum(grain**2 for grain in side) / len(side) ** 2 for side in grains))


def _at_least(error: _Error, size: float, basis: Basis) -> _Error:
    """An error that is not below that of the counts, which are many."""
    if error.size >= size or not isfinite(size):
        return error
    return _Error(size, 1e6, basis)
