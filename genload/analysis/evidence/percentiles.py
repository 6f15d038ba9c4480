"""How sure a percentile is: order statistics, that is, the binomial distribution of exceedances.

The observed percentile is numpy's ``inverted_cdf``: of n values in order, the one of rank ceil(n p /
100). It is always a value that occurred, so requests that never succeeded can stand in the order as
infinitely slow.

"p95 < 120 s" says that at most 5 % of the requests take 120 s or more. The evidence is therefore that of
a share (`rates`), the share of exceedances of the threshold: Clopper-Pearson while they are
scattered, blocks when they cluster. A claim that there are few of them also has few to tell clusters by:
four busy minutes make no pattern. So the slowest quarter of the requests is asked too: where it clusters
(too few runs), the requests are worth n_eff of them, n divided by 1 + 2 Σ of that indicator's
autocorrelations. bench/calibration.py has what this costs and what it saves.

The bound that is reported turns the same test around (Woodruff,
Journal of the American Statistical Association 47, 1952): the order statistic up to which it would
decide. For scattered exceedances these are the classical distribution-free bounds (David and Nagaraja,
Order Statistics, 3rd ed., section 7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from genload.analysis.evidence.dependence import effective_count, too_few_runs
from genload.analysis.evidence.estimate import ALPHA, Bound, FloatArray, Side, count_text
from genload.analysis.evidence.longer import requests_text
from genload.analysis.evidence.rates import Spread, clopper_pearson
from genload.analysis.ranks import rank

UPPER_QUARTER = 75.0


def percentile(values: FloatArray, level: float) -> float | None:
    """The value of that rank; `inf` where failures reach it; None without values."""
    return percentiles(values, [level])[0] if len(values) else None


def percentiles(values: FloatArray, levels: Sequence[float]) -> list[float]:
    """Several of the same values, of which there are some, for little more than one."""
    return _in_order(values, [rank(len(values), level) - 1 for level in levels])


def _in_order(values: FloatArray, places: list[int]) -> list[float]:
    """What stands at these places of the values in their order."""
    # numpy's way to one place alone takes 50 times as long where most values are equal and some infinite.
    found: list[float] = np.partition(values, [*places, len(values) - 1])[places].tolist()
    return found


@dataclass(frozen=True)
class Percentile:
    """One percentile of `values`, which are in the order of their start; failed requests are `inf`."""

    values: FloatArray
    level: float  # 0..100
    missing: str = ""
    exact: bool = False
    basis: str = ""
    noun: str = "requests"
    sampled: str = ""  # what an assumption has to say of the values, where they are a sample
    alpha: float = ALPHA

    @cached_property
    def value(self) -> float | None:
        return percentile(self.values, self.level)

    def _spread(self, side: Side, threshold: float) -> Spread:
        # A value equal to the threshold counts against either claim.
        if side == "lower":
            return Spread(self.values > threshold, alpha=self.alpha)
        return Spread(self.values >= threshold, ceiling=self._worth, alpha=self.alpha)

    @cached_property
    def _worth(self) -> float:
        """Independent requests that these are worth by the slowest quarter; `inf` where it is scattered."""
        slow = self.values > (percentile(self.values, UPPER_QUARTER) or 0.0)
        return effective_count(slow.astype(np.float64)) if too_few_runs(slow) < ALPHA else inf

    def bound(self, side: Side, threshold: float) -> Bound:
        spread = self._spread(side, threshold)
        place = self._decided_place(side, spread.effective_trials / spread.trials)
        value = None if place is None else _in_order(self.values, [place])[0]
        # Up to infinity is no bound; from infinity on is one, when failures are that many.
        if side == "upper" and value == inf:
            value = None
        return Bound(value, spread.assumption("slow ones") + self.sampled)

    def _decided_place(self, side: Side, thinning: float) -> int | None:
        """Index of the order statistic that bounds the percentile; None when there are too few values."""
        n, share = len(self.values), 1 - self.level / 100
        if side == "upper":
            # The smallest place whose share of larger values is surely no more than 1 - p.
            low, high = 0, n
            while low < high:
                middle = (low + high) // 2
                if clopper_pearson((n - 1 - middle) * thinning, n * thinning, "upper", self.alpha) <= share:
                    high = middle
                else:
                    low = middle + 1
            return low if low < n else None
        low, high = -1, n - 1
        while low < high:
            middle = (low + high + 1) // 2
            if clopper_pearson((n - middle) * thinning, n * thinning, "lower", self.alpha) >= share:
                low = middle
            else:
                high = middle - 1
        return low if low >= 0 else None

    def needs(self, side: Side, threshold: float) -> str:
        spread = self._spread(side, threshold)
        needed = spread.trials_needed(side, 1 - self.level / 100)
        if needed < inf and spread.count == 0:
            return f"{count_text(needed, self.noun)}, none of them slower ({spread.trials:,} so far)"
        return requests_text(needed, spread.trials, self.noun, "with the same share of slow ones")
