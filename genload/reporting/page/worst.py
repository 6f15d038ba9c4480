"""Of a scenario the criterion that a reader should see first, and how near it is to its threshold."""

from __future__ import annotations

from dataclasses import dataclass

from genload.analysis.judged import CriterionVerdict, JudgedRun
from genload.human import human

_ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
_FULL = 1.0  # a margin of the whole threshold fills the bar
_FAR = 10.0  # past by so many thresholds, it is told as a multiple: nobody reads 65,690 %


def worst(run: JudgedRun) -> CriterionVerdict | None:
    """Those that must hold before those that are reported only; the failed, then the undecided, then those
    that are not certain; of these the one that is farthest past its threshold, or nearest to it. None where
    there is no criterion. An equality has no margin: it counts as past by all of its threshold, or inside by
    that.
    """
    return min(run.verdict.criteria, key=_rank, default=None)


def _rank(criterion: CriterionVerdict) -> tuple[bool, int, bool, float]:
    margin = criterion.margin
    unknown = -_FULL if criterion.result == "fail" else _FULL
    # A count that holds, holds for certain, and often with nothing to spare: all 5 of 5.
    certain = criterion.result == "pass" and criterion.evidence == "exact"
    return not criterion.must, _ORDER[criterion.result], certain, unknown if margin is None else margin


@dataclass(frozen=True, slots=True)
class Margin:
    """A margin as words and as a bar.

    Attributes:
        text: ``18 % inside``, ``2.4 % past``, ``658 times``; "" where there is none.
        left, width: of the bar in percent of its room, whose middle is the threshold; to the right is inside.
    """

    text: str
    left: float
    width: float

    @classmethod
    def of(cls, criterion: CriterionVerdict) -> Margin:
        margin = criterion.margin
        if margin is None:
            return cls("", 50.0, 0.0)
        share = max(-_FULL, min(_FULL, margin)) / _FULL * 50
        if margin <= -_FAR:
            return cls(f"{1 - margin:,.0f} times", 0.0, abs(share))
        side = "past" if margin < 0 else "inside"
        return cls(f"{human(round(abs(margin), 3), 'ratio')} {side}", 50.0 + min(0.0, share), abs(share))
