"""How sure a mean is: Student's t on the effective number of values.

Latencies that follow each other through a queue are alike, so n of them say less than n independent ones:
n_eff = n / (1 + 2 Σ ρ), the autocorrelations in the order of their start, summed over the initial positive
sequence of pairs, made monotone (Geyer, Statistical Science 7, 1992). Where the means of 8 or 16 blocks
scatter more than that says, they decide the width.

Latencies are skewed, which makes t too sure of the side where the rare slow ones are. The bound is therefore
moved by Johnson's correction (Journal of the American Statistical Association 73, 1978):

    mean ± t · se  +  skewness · s · (1 + 2 t²) / (6 n_eff),   se = s / sqrt(n_eff),   t = t(0.95; n_eff - 1)

The correction needs a skewness, which few values do not give: below MIN_EFFECTIVE nothing is ever called
proven. bench/calibration.py measures the error of "proven" and is where that minimum comes from.

Two means, ``a <= 120% of b``, are compared by Fieller's limits for their ratio (Journal of the Royal
Statistical Society B 16, 1954), each mean with its own standard error and Welch's degrees of freedom
(Biometrika 34, 1947).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import hypot, inf, sqrt

import numpy as np

from genload.analysis.evidence.dependence import effective_count
from genload.analysis.evidence.estimate import ALPHA, Bound, FloatArray, Side, count_text
from genload.analysis.evidence.longer import CHANCE_TEXT, deciding, requests_text
from genload.analysis.evidence.special_functions import special

MIN_EFFECTIVE = 30
"""Fewest effective values at which a statement on a mean may be called proven (bench/calibration.py)."""

BLOCK_COUNTS = (8, 16)
MIN_PER_BLOCK = 3


def student(freedom: float, alpha: float = ALPHA) -> float:
    """The quantile of Student's t that it exceeds with probability `alpha`: the 95 % one by default."""
    return float(special.stdtrit(max(freedom, 1.0), 1 - alpha))


@dataclass(frozen=True)
class Mean:
    """The mean of `values`, which are in the order of their start (or of their ticks)."""

    values: FloatArray
    noun: str = "requests"
    left_out: int = 0  # requests of the population that have no value, because they failed
    least: int = MIN_EFFECTIVE  # effective values below which nothing is proven
    sampled: str = ""  # what an assumption has to say of the values, where they are a sample
    alpha: float = ALPHA
    missing: str = ""
    exact: bool = False
    basis: str = ""

    @cached_property
    def value(self) -> float | None:
        return float(self.values.mean()) if len(self.values) else None

    @cached_property
    def effective(self) -> float:
        return effective_count(self.values)

    @cached_property
    def deviation(self) -> float:
        """Sample standard deviation; `inf` for a single value, which shows none."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else inf

    @cached_property
    def error(self) -> float:
        """Standard error of the mean, not less than what the blocks' means show."""
        return max(
            self.deviation / sqrt(self.effective),
            *(self._block_error(blocks) / student(self.effective - 1) for blocks in BLOCK_COUNTS),
        )

    def _block_error(self, blocks: int) -> float:
        """t times the standard error from the means of blocks; 0 when there are too few values."""
        if len(self.values) < blocks * MIN_PER_BLOCK:
            return 0.0
        edges = np.linspace(0, len(self.values), blocks + 1).round().astype(np.int64)
        means = np.add.reduceat(self.values, edges[:-1]) / np.diff(edges)
        return student(blocks - 1) * float(means.std(ddof=1)) / sqrt(blocks)

    @property
    def enough(self) -> bool:
        return len(self.values) >= 3 and self.effective >= self.least

    def bound(self, side: Side, threshold: float) -> Bound:
        if self.value is None or not self.enough:
            return Bound(None, "")
        beside = f"; {self.left_out:,} that failed are left out" if self.left_out else ""
        assumption = f"the mean of {self.count_text()} is near normal{beside}{self.sampled}"
        return Bound(self.limit(side, self.alpha), assumption)

    def limit(self, side: Side, alpha: float = ALPHA) -> float:
        """The one-sided confidence limit of at least two values, however few they are."""
        value, reach = self.value or 0.0, self._reach(side, alpha)
        return value + reach if side == "upper" else value - reach

    def _reach(self, side: Side, alpha: float, times: float = 1.0) -> float:
        """How far away the limit is, or would be with so many times as many values of the same kind."""
        effective = self.effective * times
        t = student(effective - 1, alpha)
        shift = self._skewness() * self.deviation * (1 + 2 * t * t) / (6 * effective)
        # A correction may widen a bound, and never pull it past the mean itself.
        return max(0.0, t * self.error / sqrt(times) + (shift if side == "upper" else -shift))

    def _skewness(self) -> float:
        if self.deviation == 0:
            return 0.0
        centred = self.values - self.values.mean()
        squares = centred * centred
        return float((squares @ centred) / len(centred) / squares.mean() ** 1.5)

    def count_text(self) -> str:
        n = len(self.values)
        if self.effective > 0.9 * n:
            return f"{n:,} independent {self.noun}"
        return f"{n:,} {self.noun} worth {self.effective:,.0f} independent ones"

    def needs(self, side: Side, threshold: float) -> str:
        n, least = len(self.values), self.least * len(self.values) / self.effective
        if n < 3:
            return f"{count_text(max(least, n + 1), self.noun)} ({n:,} so far)"
        gap = abs(threshold - (self.value or 0.0))
        wanted = deciding(n, gap, lambda more: self._reach(side, self.alpha, more / n), self.alpha, least)
        return requests_text(wanted, n, self.noun, "that vary as these did")


@dataclass(frozen=True)
class MeanRatio:
    """One mean as a share of another; `value` 1.2 is 120 %."""

    top: Mean
    below: Mean
    missing: str = ""
    exact: bool = False
    basis: str = ""

    @cached_property
    def value(self) -> float | None:
        if self.top.value is None or not self.below.value:
            return None
        return self.top.value / self.below.value

    def bound(self, side: Side, threshold: float) -> Bound:
        if self.value is None or not (self.top.enough and self.below.enough):
            return Bound(None, "")
        assumption = "both means are near normal, and the two groups independent of each other"
        return Bound(self._limit(side, threshold), assumption)

    def _limit(self, side: Side, threshold: float) -> float | None:
        """Fieller: the ratios r at which |top - r·below| = t · se(top - r·below); the one on this side."""
        a, b = float(self.top.value or 0), float(self.below.value or 0)
        va, vb = self.top.error**2, self.below.error**2
        t2 = student(self._freedom(va, threshold**2 * vb), self.top.alpha) ** 2
        square, linear, constant = b * b - t2 * vb, -2 * a * b, a * a - t2 * va
        if square <= 0:
            return None  # the divisor may be 0: every ratio is possible
        root = sqrt(max(linear * linear - 4 * square * constant, 0.0))
        return (-linear + (root if side == "upper" else -root)) / (2 * square)

    def _freedom(self, first: float, second: float) -> float:
        """Welch and Satterthwaite, for the variances of the two terms of the difference."""
        spread = first**2 / (self.top.effective - 1) + second**2 / (self.below.effective - 1)
        return (first + second) ** 2 / spread if spread else inf

    def needs(self, side: Side, threshold: float) -> str:
        if not (self.top.enough and self.below.enough):
            small, other = sorted((self.top, self.below), key=lambda mean: mean.effective)
            have = f"{small.effective:.0f} and {other.effective:.0f} so far"
            return f"at least {MIN_EFFECTIVE} effective requests on each side ({have})"
        if self.value == threshold:
            return "a wider margin: no number of requests decides this close to the threshold"
        a, b = float(self.top.value or 0), float(self.below.value or 0)
        error, t = hypot(self.top.error, threshold * self.below.error), student(MIN_EFFECTIVE, self.top.alpha)
        factor = deciding(1, abs(a - threshold * b), lambda times: t * error / sqrt(times), self.top.alpha)
        return f"about {factor:.2g} times as many requests on both sides, varying as these did, {CHANCE_TEXT}"
