"""A percentile over every attempt, of a number that only a random sample of the answers was asked for.

Of N attempts, F failed before there was an output: that is known of each. Of the other N-F a random
sample has the number, or is known to be broken, which ranks as infinitely slow like every failure. The p-th
percentile of all is therefore that of level p ÷ (1 - F ÷ N) in the sample, infinite where this is beyond 100.

An output that shows itself broken without being decoded is one of the F; those of its kind in the sample
stand for their like outside as well. What this counts twice makes it rather too slow than too fast.

Its bound treats the failures as the sample treats answers, with as large a share of them, rounded up or down,
whichever widens the bound: order statistics, as for a number that all requests have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, inf

import numpy as np

from genload.analysis.evidence.busy import BusyPercentile, IntArray
from genload.analysis.evidence.estimate import ALPHA, BoolArray, Bound, FloatArray, Side
from genload.analysis.evidence.percentiles import Percentile, percentile
from genload.analysis.ranks import level_in_sample


@dataclass(frozen=True)
class SampledPercentile:
    """One percentile of a population in the order of its start.

    Attributes:
        values: one an attempt; `inf` for an output found broken, anything where `inspected` is false.
        inspected: the random sample of those that had an output.
        failed: those that never had one.
    """

    values: FloatArray
    inspected: BoolArray
    failed: BoolArray
    level: float  # 0..100
    sampled: str  # what an assumption has to say of the sample
    spells: IntArray | None = None  # of an open load: in which busy spell each attempt came
    alpha: float = ALPHA
    missing: str = ""
    exact: bool = False
    basis: str = ""

    @cached_property
    def value(self) -> float | None:
        level = level_in_sample(self.level, len(self.values), int(self.failed.sum()))
        return inf if level == inf else percentile(self.values[self.inspected], level)

    def _thinned(self, side: Side) -> Percentile:
        """The sample together with as many of the failures as it would have met."""
        share = self.inspected.sum() / (~self.failed).sum() if not self.failed.all() else 1.0
        failures = np.flatnonzero(self.failed)
        kept = (ceil if side == "upper" else floor)(round(len(failures) * share, 9))
        rows = self.inspected.copy()
        rows[failures[np.arange(kept) * len(failures) // max(kept, 1)]] = True
        values = np.where(self.failed, inf, self.values)[rows]
        noun = "inspected requests"
        if self.spells is not None:
            spells = self.spells[rows]
            return BusyPercentile(values, self.level, noun=noun, alpha=self.alpha, spells=spells)
        return Percentile(values, self.level, noun=noun, alpha=self.alpha)

    def bound(self, side: Side, threshold: float) -> Bound:
        found = self._thinned(side).bound(side, threshold)
        return Bound(found.value, found.assumption + self.sampled)

    def needs(self, side: Side, threshold: float) -> str:
        return self._thinned(side).needs(side, threshold)
