"""How sure a number of an open load is: by its busy spells.

Callers who come whether or not the service keeps up make queues, and behind a queue latencies are alike for
as long as it lasts. What the mean hangs on are the few longest spells, so that blocks of requests of one
length show too little of it: near saturation a run that met no long spell looks better than it is, and
surer.

A spell begins with a request that finds no more in flight than the median request does, after one that
found more: each time the service has caught up. (Where no request ever finds more, each is a spell of its
own.) What happens in one spell is nearly independent of the others, as in the regenerative method, whose
cycles begin when nobody at all is in flight; but a service with several slots is hardly ever empty, and
catches up often.

With N requests and the sum Y of their values in each of J spells, m = ΣY / ΣN, and

    error² = J / (J − 1) · Σ(Y − mN)² / (ΣN)²

(the ratio estimator; Crane and Lemoine, An Introduction to the Regenerative Method for Simulation Analysis,
1977). Latencies vary in proportion, so bounds are set on the logarithm: m · exp(± k · error / m). On the
lower side k = 1.8. On the upper side a run without its share of long spells has both a low mean and a small
error, the more so the fewer spells it has: k = 1.8 · (1 + 150 / J).

Of a percentile the share beyond a threshold is bounded the same way. On the upper side with the scatter of
those beyond the observed percentile, and k = 3.5: of those beyond a threshold that few exceed, a run has too
few to tell how they scatter. Where the schedule was drawn at random, what chance did in it is taken off
first (`genload.analysis.evidence.chance`), the scatter is of what it leaves, and k = 3.3.

These numbers, and the fewest spells from which on anything is proven, come from bench/calibration.py
(docs/decisions/0001-evidence.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, hypot, inf, isfinite, log, sqrt

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence.chance import MOST as MOST_KNOWN
from genload.analysis.evidence.estimate import ALPHA, BoolArray, Bound, FloatArray, Side, count_text
from genload.analysis.evidence.longer import Z, deciding, requests_text
from genload.analysis.evidence.means import Mean, student
from genload.analysis.evidence.percentiles import UPPER_QUARTER, Percentile, percentile
from genload.analysis.evidence.rates import clopper_pearson

IntArray = npt.NDArray[np.int64]
Luck = Callable[[float], tuple[FloatArray, float]]

MIN_SPELLS = 180
"""Fewest busy spells from which on a statement on an open load may be called proven …"""
FEW_SPELLS = 30
MIN_EVEN = 12.0
"""… or so few, when their sums are so even: (Σz²)² / Σz⁴, spells that would vary as much were all alike."""
UNEVEN = 4.0
"""How much more than if they came at random the spells of a run scatter about their number elsewhere."""
CRITICAL = 1.8
SKEW = 150.0
CRITICAL_SHARE = 3.5
"""Of the share beyond the upper bound of a percentile."""
CRITICAL_LEFT = 3.3
"""The same where what chance did in the schedule is taken off."""


def spells_of(start_s: FloatArray, end_s: FloatArray) -> IntArray:
    """The number of the spell of each request; requests in the order of their (intended) start."""
    found = np.arange(len(start_s)) - np.searchsorted(np.sort(end_s), start_s, side="right")
    if not len(found):
        return np.zeros(0, dtype=np.int64)
    usual = np.quantile(found, 0.5, method="inverted_cdf")
    if found.max() <= usual:
        return np.arange(len(found), dtype=np.int64)
    begins = np.zeros(len(found), dtype=np.bool_)
    begins[1:] = (found[1:] <= usual) & (found[:-1] > usual)
    return np.cumsum(begins).astype(np.int64)


CUT = -1
"""Stands for a spell that a run's begin or end has cut, where the spells of several runs are together."""


def joined_spells(runs: Sequence[IntArray]) -> IntArray:
    """The spells of several runs, one run after the other: none goes from one run into the next."""
    found, known = [], 0
    for spells in runs:
        which = _places(spells)
        last = int(which[-1]) if len(which) else 0
        found.append(np.where((which == 0) | (which == last), CUT, which + known))
        known += last + 1
    return np.concatenate(found)


def _places(spells: IntArray) -> IntArray:
    """Which spell of these, counted from 0, each value is in."""
    return np.concatenate([[0], np.cumsum(np.diff(spells) != 0)])[: len(spells)].astype(np.int64)


def stricter(alpha: float) -> float:
    """How many times as far away as at 95 % a bound is that is wrong so seldom."""
    return 1.0 if alpha == ALPHA else student(inf, alpha) / student(inf)


@dataclass(frozen=True, slots=True)
class Scatter:
    """How the sums of some values scatter over their spells.

    Attributes:
        spells: whole ones: the first and the last of a run are cut.
        error: standard error of the values' mean.
        even: see `MIN_EVEN`.
    """

    spells: int
    error: float
    even: float

    @classmethod
    def of(cls, values: FloatArray, spells: IntArray) -> Scatter:
        """Of values in the order of their spells."""
        if not len(values):
            return cls(0, inf, 0.0)
        which = _places(spells)
        whole = np.ones(int(which[-1]) + 1, dtype=np.bool_)
        whole[[0, -1]] = False
        whole[which[spells == CUT]] = False
        counts = np.bincount(which)[whole].astype(np.float64)
        if len(counts) < 2:
            return cls(len(counts), inf, 0.0)
        sums = np.bincount(which, weights=values)[whole]
        rests = sums - counts * (sums.sum() / counts.sum())
        squares, n = float((rests**2).sum()), len(counts)
        if squares <= 1e-24 * float((sums**2).sum()):
            return cls(n, 0.0, inf)
        return cls(n, sqrt(n / (n - 1) * squares) / counts.sum(), squares**2 / float((rests**4).sum()))

    @property
    def enough(self) -> bool:
        return self.spells >= MIN_SPELLS or (self.spells >= FEW_SPELLS and self.even >= MIN_EVEN)

    def critical(self, side: Side, times: float = 1.0) -> float:
        """How many standard errors, of the logarithm, a bound is away, of a run `times` as long."""
        spells = max(self.spells * times, MIN_SPELLS)
        return CRITICAL * (1 + SKEW / spells) if side == "upper" else CRITICAL

    def more(self, count: int, noun: str) -> str:
        """What a run needs that has too few spells: as many as have enough of them in 4 runs of 5."""
        spells = max(self.spells, 1)
        scatter = UNEVEN * sqrt(1 / spells + 1 / MIN_SPELLS)
        wanted = count * MIN_SPELLS / spells * exp(Z * scatter)
        return (
            f"a longer run: the service has caught up with those who came {self.spells} times, and "
            f"{MIN_SPELLS} show how bad it gets, as {count_text(wanted, noun)} have in 4 runs of 5"
        )

    def words(self, count: int, noun: str) -> str:
        return f"{count:,} {noun} in {self.spells:,} busy spells that are independent of each other"


@dataclass(frozen=True)
class BusyMean(Mean):
    """The mean of values of an open load; `spells` has the spell of each."""

    spells: IntArray | None = None

    @cached_property
    def scatter(self) -> Scatter:
        return Scatter.of(self.values, self.in_spells)

    @property
    def in_spells(self) -> IntArray:
        return np.arange(len(self.values)) if self.spells is None else self.spells

    @cached_property
    def effective(self) -> float:
        """Independent values with the same standard error."""
        n = float(len(self.values))
        if n < 2 or self.scatter.error == 0:
            return n
        return min(n, max(1.0, (self.deviation / self.scatter.error) ** 2))

    @cached_property
    def error(self) -> float:
        """Standard error, as much larger as the upper bound is farther away than Student's."""
        critical = self.scatter.critical("upper")
        return self.scatter.error * critical / student(self.effective - 1)

    @property
    def enough(self) -> bool:
        return self.scatter.enough

    def bound(self, side: Side, threshold: float) -> Bound:
        if self.value is None or not self.enough:
            return Bound(None, "")
        beside = f"; {self.left_out:,} that failed are left out" if self.left_out else ""
        words = self.scatter.words(len(self.values), self.noun)
        return Bound(self.limit(side, self.alpha), f"{words}{beside}{self.sampled}")

    def limit(self, side: Side, alpha: float = ALPHA) -> float:
        """The one-sided confidence limit; on a scale of its own for a number that is not above 0."""
        value, reach = self.value or 0.0, self.scatter.critical(side) * self.scatter.error
        reach *= stricter(alpha)
        if value <= 0:
            return value + (reach if side == "upper" else -reach)
        return value * exp((reach if side == "upper" else -reach) / value)

    def needs(self, side: Side, threshold: float) -> str:
        n, value = len(self.values), self.value or 0.0
        if not self.enough:
            return self.scatter.more(n, self.noun)
        away = abs(log(threshold / value)) if value > 0 and threshold > 0 else 0.0

        def reach(wanted: float) -> float:
            critical = self.scatter.critical(side, wanted / n) * stricter(self.alpha)
            return critical * self.scatter.error / value / sqrt(wanted / n)

        return requests_text(deciding(n, away, reach, self.alpha), n, self.noun, "that vary as these did")


@dataclass(frozen=True)
class BusyPercentile(Percentile):
    """One percentile of values of an open load; `spells` has the spell of each.

    `luck` says what chance in the schedule did to the share of values beyond a threshold
    (`genload.analysis.evidence.chance`): of each value, and the standard error of that.
    """

    spells: IntArray | None = None
    luck: Luck | None = None

    @property
    def in_spells(self) -> IntArray:
        return np.arange(len(self.values)) if self.spells is None else self.spells

    @cached_property
    def _slow(self) -> Scatter:
        """Of the slowest quarter, which shows how many independent requests these are worth."""
        slow = self.values > (percentile(self.values, UPPER_QUARTER) or 0.0)
        return Scatter.of(slow.astype(np.float64), self.in_spells)

    @cached_property
    def _trials(self) -> float:
        n, share = float(len(self.values)), 1 - UPPER_QUARTER / 100
        error = self._slow.error
        return n if error == 0 else min(n, max(1.0, share * (1 - share) / error**2))

    def _reach(self, beyond: BoolArray) -> float:
        """Standard error of the share of some values ÷ that share; `inf` of none."""
        share = float(beyond.mean())
        return Scatter.of(beyond.astype(np.float64), self.in_spells).error / share if share else inf

    def _without_luck(self, beyond: BoolArray, threshold: float) -> tuple[FloatArray, float]:
        """What is left of these when what chance did is taken off, and how sure that is known."""
        if self.luck is None or not isfinite(threshold):
            return beyond.astype(np.float64), 0.0
        luck, error = self.luck(threshold)
        return beyond - luck, error

    @cached_property
    def _own_reach(self) -> float:
        """Standard error of the share of values beyond the percentile itself ÷ the share that it leaves."""
        if self.luck is None:
            return self._reach(self.values > (self.value or 0.0))
        left, error = self._without_luck(self.values > (self.value or 0.0), self.value or 0.0)
        return hypot(Scatter.of(left, self.in_spells).error, error) / (1 - self.level / 100)

    def _reaches(self, side: Side, threshold: float) -> bool:
        """Whether the share of values beyond the threshold is surely on the claimed side of 1 − level."""
        limit = 1 - self.level / 100
        beyond = self.values >= threshold if side == "upper" else self.values > threshold
        share = float(beyond.mean())
        if share == 0:
            thinner = (self._slow.critical("upper") / student(inf)) ** 2
            none = clopper_pearson(0.0, self._trials / thinner, "upper", self.alpha)
            return side == "upper" and none <= limit
        stricter_by = stricter(self.alpha)
        if side == "lower":
            return share * exp(-CRITICAL * stricter_by * self._reach(beyond)) >= limit
        if self.luck is not None:
            left = max(float(self._without_luck(beyond, threshold)[0].mean()), 0.0)
            reach = stricter_by * self._own_reach
            return max(left * exp(CRITICAL_LEFT * reach), left + CRITICAL * reach * limit) <= limit
        by_spells = share * exp(CRITICAL_SHARE * stricter_by * self._own_reach)
        by_count = clopper_pearson(share * self._trials, self._trials, "upper", self.alpha)
        return max(by_spells, by_count) <= limit

    def bound(self, side: Side, threshold: float) -> Bound:
        if not len(self.values) or not self._slow.enough:
            return Bound(None, "")
        words = self._slow.words(len(self.values), self.noun) + self.sampled
        if self.luck is not None and side == "upper":
            words += "; what chance in their schedule did is taken off"
        return Bound(self._decided(side), words)

    def _decided(self, side: Side) -> float | None:
        """The order statistic that bounds the percentile; None where none does."""
        ordered = np.unique(self.values[np.isfinite(self.values)])
        low, high = -1, len(ordered)
        while high - low > 1:
            middle = (low + high) // 2
            reaches = self._reaches(side, float(ordered[middle]))
            if reaches == (side == "upper"):
                high = middle
            else:
                low = middle
        place = high if side == "upper" else low
        return float(ordered[place]) if 0 <= place < len(ordered) else None

    def needs(self, side: Side, threshold: float) -> str:
        n, limit = len(self.values), 1 - self.level / 100
        if not self._slow.enough:
            return self._slow.more(n, self.noun)
        beyond = self.values >= threshold
        share = float(beyond.mean())
        if self.luck is not None and side == "upper":
            share = max(float(self._without_luck(beyond, threshold)[0].mean()), limit / n)
        wanted = inf
        if share == 0:
            wanted = n * log(self.alpha) / log(1 - limit) / self._trials
            return f"{count_text(max(wanted, n + 1), self.noun)}, none of them slower ({n:,} so far)"
        if (share < limit) == (side == "upper"):
            wanted = self._deciding(side, abs(log(limit / share)), beyond)
        return requests_text(wanted, n, self.noun, "with the same share of slow ones")

    def _deciding(self, side: Side, away: float, beyond: BoolArray) -> float:
        """How many requests decide where the share beyond the threshold is `away` from the limit."""
        if side == "lower":
            return self._with_reach(away, CRITICAL * self._reach(beyond))
        if self.luck is not None:
            wanted = self._with_reach(away, CRITICAL_LEFT * self._own_reach)
            if wanted <= MOST_KNOWN:
                return wanted
        own = self._reach(self.values > (self.value or 0.0))
        return self._with_reach(away, CRITICAL_SHARE * own, MOST_KNOWN if self.luck else 1)

    def _with_reach(self, away: float, reach: float, least: float = 1) -> float:
        n, stricter_by = len(self.values), stricter(self.alpha)
        return deciding(n, away, lambda more: stricter_by * reach * sqrt(n / more), self.alpha, least)
