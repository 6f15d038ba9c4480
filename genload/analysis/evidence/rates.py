"""How sure a share is: failures among requests, or latencies above a threshold.

Scattered events: the interval of Clopper and Pearson (Biometrika 26, 1934), whose one-sided bounds are
quantiles of the beta distribution. It never covers less than it says, when each request fails independently.

Events in incidents: n requests say less than n independent ones. The variance of the share is taken from
blocks of consecutive requests, and the interval of Clopper and Pearson is computed for the effective number
of requests, n_eff = p(1-p) / var(p), corrected by Student's t for the few blocks (Korn and Graubard, Survey
Methodology 24, 1998). The block count that gives the fewest effective requests is taken.

Which of the two: in the order of their start, randomly scattered events form many runs; too few runs
(Wald and Wolfowitz, Annals of Mathematical Statistics 11, 1940; the exact distribution is
hypergeometric) or too many events in the same block (Pearson's index of dispersion) tell incidents, each
at 5 %. A needless alarm costs some power and no correctness. No event at all, or one, can tell nothing:
then independence is assumed and said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import asin, ceil, inf, log, sqrt
from typing import Any

import numpy.typing as npt

from genload.analysis.evidence.dependence import block_counts, overdispersion, too_few_runs
from genload.analysis.evidence.estimate import ALPHA, BoolArray, Bound, Side, count_text
from genload.analysis.evidence.longer import deciding, requests_text
from genload.analysis.evidence.special_functions import special

BLOCK_COUNTS = (8, 16, 32)
"""Blocks tried; an incident longer than a block is seen by the coarser one."""

MIN_PER_BLOCK = 3


def clopper_pearson(events: float, trials: float, side: Side, alpha: float = ALPHA) -> float:
    """One-sided bound on a share, 0..1; `events` and `trials` may be effective, thus fractional."""
    if side == "upper":
        return 1.0 if events >= trials else float(special.betaincinv(events + 1, trials - events, 1 - alpha))
    return 0.0 if events <= 0 else float(special.betaincinv(events, trials - events + 1, alpha))


@dataclass(frozen=True)
class Spread:
    """How the events of one share lie in time.

    Args:
        events: which requests had one, in the order of their start.
        ceiling: effective trials that something else is known to leave, at most.
        alpha: how often a bound may be wrong.
    """

    events: BoolArray
    ceiling: float = inf
    alpha: float = ALPHA

    @property
    def trials(self) -> int:
        return len(self.events)

    @cached_property
    def count(self) -> int:
        return int(self.events.sum())

    @property
    def share(self) -> float:
        return self.count / self.trials

    @cached_property
    def _blocks(self) -> tuple[int, ...]:
        return tuple(b for b in BLOCK_COUNTS if self.trials >= b * MIN_PER_BLOCK)

    @cached_property
    def clustered(self) -> bool:
        """Whether the events come in incidents."""
        if self.count < 2 or self.count == self.trials:
            return False
        if too_few_runs(self.events) < ALPHA:
            return True
        # Pearson's statistic follows chi-square only with a few events expected in each block.
        able = [b for b in self._blocks if self.count >= 2 * b]
        return any(overdispersion(self.events, b) < ALPHA / len(able) for b in able)

    @cached_property
    def effective_trials(self) -> float:
        """Independent requests that would say as much: n itself while events are scattered."""
        if not self.clustered:
            return min(float(self.trials), self.ceiling)
        return min((self._effective(b) for b in self._blocks), default=1.0)

    def _effective(self, blocks: int) -> float:
        return min(self.ceiling, effective_of(*block_counts(self.events, blocks)))

    def bound(self, side: Side) -> float:
        """One-sided bound on the share, at 95 % unless `alpha` is another."""
        trials = self.effective_trials
        return clopper_pearson(self.share * trials, trials, side, self.alpha)

    def assumption(self, noun: str = "failures") -> str:
        if self.clustered:
            return f"{noun} come in incidents, and blocks of consecutive requests are independent"
        if self.ceiling < self.trials:
            worth = f"{self.ceiling:,.0f} independent ones"
            return f"{self.trials:,} requests, slow ones in a row, are worth {worth}"
        if self.count < 2:
            seen = "a run without any" if self.count == 0 else "a single one"
            return f"{noun} do not come in bursts, which {seen} cannot show"
        return f"{noun} are scattered, independent of each other"

    def trials_needed(self, side: Side, limit: float) -> float:
        """Trials of this spread that decide (`longer`), or of which none, or each, must have an event as
        these had; `inf` for never.

        A share is compared as asin √share, whose standard error is 1 / (2 √trials) wherever it lies.
        """
        design = self.trials / self.effective_trials
        if side == "upper" and self.count == 0:
            return ceil(design * log(self.alpha) / log(1 - limit)) if 0 < limit < 1 else inf
        if side == "lower" and self.count == self.trials:
            return ceil(design * log(self.alpha) / log(limit)) if 0 < limit < 1 else inf
        if (self.share >= limit) if side == "upper" else (self.share <= limit):
            return inf
        seen = asin(sqrt(self.share))

        def reach(trials: float) -> float:
            return abs(asin(sqrt(clopper_pearson(self.share * trials, trials, side, self.alpha))) - seen)

        effect = abs(asin(sqrt(limit)) - seen)
        return design * deciding(self.effective_trials, effect, reach, self.alpha)


def effective_of(counts: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> float:
    """Independent trials that say as much as the events counted in independent blocks of these sizes (Korn
    and Graubard); at most as many as there are."""
    blocks, trials = len(counts), int(sizes.sum())
    share = float(counts.sum()) / trials
    residuals = (counts - share * sizes) / trials
    variance = blocks / (blocks - 1) * float((residuals**2).sum())
    if variance == 0:
        return float(trials)
    student = special.stdtrit(trials - 1, 1 - ALPHA) / special.stdtrit(blocks - 1, 1 - ALPHA)
    return min(float(trials), share * (1 - share) / variance * float(student) ** 2)


_ONE_OF = {"failures": "a failure", "successes": "a success"}


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of requests: error_rate (an event is a failure), success_rate, valid_rate and their like."""

    spread: Spread
    noun: str  # what an event is, in the plural
    missing: str = ""
    exact: bool = False
    basis: str = ""
    sampled: str = ""  # what an assumption has to say of the requests, where they are a sample

    @property
    def value(self) -> float | None:
        return self.spread.share

    def bound(self, side: Side, threshold: float) -> Bound:
        return Bound(self.spread.bound(side), self.spread.assumption(self.noun) + self.sampled)

    def needs(self, side: Side, threshold: float) -> str:
        if (side == "upper" and threshold <= 0) or (side == "lower" and threshold >= 1):
            return "a count instead of a rate: no number of requests proves 0 % or 100 %"
        needed, trials = self.spread.trials_needed(side, threshold), self.spread.trials
        if needed < inf and self.spread.count in (0, trials):
            none = _ONE_OF.get(self.noun, self.noun)
            how = f"without {none}" if self.spread.count == 0 else f"with {self.noun} only"
            return f"{count_text(needed)} {how} ({trials:,} so far)"
        return requests_text(needed, trials, "requests", "at this rate")
