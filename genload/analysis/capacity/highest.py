"""The highest level that holds, as a criterion judges it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nextafter

from genload.analysis.evidence.estimate import Bound, Side

_WORDS = "the levels that were measured stand for their like at other times"


@dataclass(frozen=True, slots=True)
class HighestLevel:
    """What a search found, as an estimate.

    Attributes:
        value: the highest level observed to hold; 0 where not even the lowest does.
        proven: the highest proven to hold; None for none.
        proven_not: the lowest proven not to hold; None for none.
        step: to the next lower level; 0 where levels are no whole numbers.
        more: what would decide, in words.
    """

    value: float | None
    proven: float | None
    proven_not: float | None
    step: float
    more: str
    missing: str = ""
    exact: bool = False
    basis: str = ""

    def bound(self, side: Side, threshold: float) -> Bound:
        if side == "lower":
            return Bound(self.proven, _WORDS if self.proven is not None else "")
        if self.proven_not is None:
            return Bound(None, "")
        below = self.proven_not - self.step if self.step else nextafter(self.proven_not, -inf)
        return Bound(below, _WORDS)

    def needs(self, side: Side, threshold: float) -> str:
        return self.more
