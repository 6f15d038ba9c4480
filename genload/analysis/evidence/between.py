"""A number that polls leave open: two ends between which it lies, each with evidence of its own.

A poll sees that a job has ended, and not when: its duration lies in [seen - bound, seen]. The mean, a
percentile, the least and the largest of such values rise with each of them, so that each lies between the
same statistic of all lower ends and that of all upper ones, wherever within their bounds the jobs really
ended. A claim that is proven at both ends is therefore taken for proven of the number itself;
bench/calibration.py measures how often that is wrong.

A share of two such numbers lies between the least ÷ the greatest and the greatest ÷ the least.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf, isfinite, log10

from genload.analysis.evidence.estimate import Bound, Estimate, Side
from genload.human import human

_SHORTEST_ADVICE_S = 0.020  # polls that come closer together are a load of their own
_STEPS = (5.0, 2.0, 1.0)


@dataclass(frozen=True, slots=True)
class Between:
    """The two ends of a number, and what was observed of it, which is one of them.

    Attributes:
        bound_s: by how much polls leave open when a job ended, or began: the mean of those in the number.
        refused: polls were refused, which made their bounds as wide as they are.
    """

    low: Estimate
    high: Estimate
    observed: Estimate
    bound_s: float
    refused: bool = False
    missing: str = ""

    @property
    def value(self) -> float | None:
        return self.observed.value

    @property
    def exact(self) -> bool:
        return self.low.exact and self.high.exact

    @property
    def basis(self) -> str:
        return self.observed.basis

    def bound(self, side: Side, threshold: float) -> Bound:
        """That of the end which is farther out."""
        return (self.high if side == "upper" else self.low).bound(side, threshold)

    def needs(self, side: Side, threshold: float) -> str:
        """The polls that would show on which side of the threshold the number lies.

        It is about as far from either end; polls that come so often that they leave half of that distance
        open to either side keep both ends on the same side of the threshold.
        """
        low, high = self.low.value, self.high.value
        if low is None or high is None or not (isfinite(low) and isfinite(high)) or high <= low:
            return "polls that leave less open: a shorter service.poll.interval"
        room = abs(threshold - (low + high) / 2) / (high - low)
        interval_s = _round_down(self.bound_s * min(room, 0.5))
        if interval_s < _SHORTEST_ADVICE_S:
            return "a wider margin: it is so close to the threshold that no polls show on which side it is"
        polls = f"service.poll.interval: {human(interval_s, 's').replace(' ', '')} should decide"
        if self.refused:
            return f"polls that are not refused, which made them rare; with all answered, {polls}"
        return f"more polls, for they leave open on which side it is: {polls}"


def ends(estimate: Estimate) -> tuple[Estimate, Estimate, Estimate]:
    """The lower end, what was observed, and the upper end; all the same where nothing is left open."""
    if isinstance(estimate, Between):
        return estimate.low, estimate.observed, estimate.high
    return estimate, estimate, estimate


def _round_down(seconds: float) -> float:
    """The next of …, 0.1, 0.2, 0.5, 1, 2, 5, … that is no larger."""
    if not 0 < seconds < inf:
        return 0.0
    power = 10.0 ** floor(log10(seconds))
    return power * next(step for step in _STEPS if step * power <= seconds * (1 + 1e-9) or step == 1.0)
