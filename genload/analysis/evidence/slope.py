"""How sure the slope of one number of the requests against another is: seconds against characters.

Ordinary least squares, y = a + b x. Long texts take longer and scatter more, so nothing is assumed of the
scatter: the slope without request i, b(i), gives the jackknife's pseudo-values (Tukey 1958; Miller,
Biometrika 61, 1974)

    n b - (n-1) b(i)  =  b + (n-1) d e / ((1 - h) · sum of d²),   d = x - mean(x),   h = 1/n + d² / sum of d²

with the residuals e of all. Their mean is the slope, but for a little bias that is taken out, and their
scatter gives its variance: White's, in the form HC3 (MacKinnon and White, Journal of Econometrics 29, 1985;
recommended below 250 observations by Long and Ervin, The American Statistician 54, 2000), but for a factor
(n-1)/n. So the slope is bounded as a mean is (`means`): requests that wait in one queue are worth
fewer, and the few very slow ones among the long texts widen the side on which they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genload.analysis.evidence.estimate import ALPHA, Bound, FloatArray, Side
from genload.analysis.evidence.means import Mean

MIN_DISTINCT = 3
"""Different values of x below which a line is no finding: any two points lie on one."""

MIN_PAIRS = 10
"""Pairs below which no slope is given."""

MIN_EFFECTIVE = 60
"""Fewest effective pairs at which a statement on a slope may be called proven: in simulated worlds, text
lengths in turn and skewed seconds a character, a bound was wrong in 4 to 8 of 100 runs from there on."""


@dataclass(frozen=True)
class Slope:
    """The slope of `y` against `x`; pairs in the order of the requests' start.

    `missing` says why there is none, when there is none.
    """

    x: FloatArray
    y: FloatArray
    left_out: int = 0  # requests of the population that have no pair, because they failed
    exact: bool = False
    basis: str = ""

    @cached_property
    def missing(self) -> str:
        distinct = len(np.unique(self.x))
        if distinct < MIN_DISTINCT:
            return f"requests of at least {MIN_DISTINCT} different lengths ({distinct} so far)"
        if len(self.x) < MIN_PAIRS:
            return f"at least {MIN_PAIRS} requests that completed ({len(self.x)} so far)"
        return ""

    @cached_property
    def value(self) -> float | None:
        return None if self.missing else float(self._mean.values.mean())

    @cached_property
    def _mean(self) -> Mean:
        """The slope as the mean of its pseudo-values."""
        n, centred = len(self.x), self.x - self.x.mean()
        square = float((centred**2).sum())
        slope = float((centred * self.y).sum()) / square
        rests = self.y - self.y.mean() - slope * centred
        # A single long text among short ones decides the line, which then leaves it no rest.
        freedom = np.maximum(1 - 1 / n - centred**2 / square, 1e-12)
        influences = (n - 1) * centred * rests / freedom / square
        return Mean(slope + influences - influences.mean(), least=MIN_EFFECTIVE)

    def interval(self) -> tuple[float, float] | None:
        """The two-sided 95 % interval; None without a slope."""
        if self.missing:
            return None
        return self._mean.limit("lower", ALPHA / 2), self._mean.limit("upper", ALPHA / 2)

    def bound(self, side: Side, threshold: float) -> Bound:
        if self.missing or not self._mean.enough:
            return Bound(None, "")
        beside = f"; {self.left_out:,} that failed are left out" if self.left_out else ""
        text = f"a straight line fits, about which {self._mean.count_text()} scatter as they like{beside}"
        return Bound(self._mean.limit(side), text)

    def needs(self, side: Side, threshold: float) -> str:
        return self.missing or self._mean.needs(side, threshold)
