"""Which level of load comes next: a pure function of the levels so far, without a clock.

It brackets by doubling from the lowest level until one does not hold, and then narrows between the highest
level that held and the lowest that did not, by their geometric mean (a share of a large level is worth as
much as the same share of a small one). Then the highest that held is measured once more: two measurements of
one level that contradict each other are an answer, too. Nothing is said of levels that were not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, isclose, log, log2, sqrt
from typing import Literal

from genload.settings.capacity import Capacity

Outcome = Literal["holds", "does not hold", "invalid"]


class End(StrEnum):
    """Why a search ended."""

    FOUND = "found"
    BEYOND = "beyond the range"
    NOT_EVEN_ONE = "not even one"
    NOT_MONOTONE = "not monotone"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a search goes by.

    Attributes:
        lowest, highest: users, or requests a second.
        resolution: it ends when the bracket is no wider than this share of its lower end.
        whole: levels are whole numbers, and neighbours are narrow enough.
        confirm: measure the highest level that held once more.
    """

    lowest: float
    highest: float
    resolution: float = 0.1
    whole: bool = True
    confirm: bool = True

    @classmethod
    def of(cls, search: Capacity) -> Rules:
        """What a scenario's search goes by."""
        return cls(search.lowest, search.highest, search.resolution, search.is_whole, search.confirm)

    @property
    def most_looks(self) -> int:
        """More levels than any search by these rules judges, whatever their outcomes."""
        doublings = ceil(log2(self.highest / self.lowest)) + 1 if self.highest > self.lowest else 1
        # Each narrowing halves the logarithm of the bracket, which begins as 2 at most; whole numbers are
        # rounded to, and may halve a little less.
        halvings = max(ceil(log2(log(2) / log(1 + self.resolution))), 0) + 1
        if self.whole:
            halvings = min(halvings + 1, ceil(log2(self.highest)) + 1)
        return doublings + halvings + self.confirm

    def is_narrow(self, low: float, high: float) -> bool:
        """Whether nothing between is worth a level."""
        return high <= low * (1 + self.resolution) or (self.whole and high - low <= 1)

    def between(self, low: float, high: float) -> float:
        """The level to look at next."""
        middle = sqrt(low * high)
        return float(min(max(round(middle), low + 1), high - 1)) if self.whole else middle


@dataclass(frozen=True, slots=True)
class Seen:
    """One level that was measured."""

    value: float
    outcome: Outcome


def next_level(rules: Rules, seen: Sequence[Seen]) -> float | End:
    """The level to measure after these, or why there is none."""
    if not seen:
        return rules.lowest
    last = seen[-1]
    if last.outcome == "invalid":
        again = len(seen) > 1 and seen[-2] == last
        return End.INVALID if again else last.value
    bracket = Bracket.of(seen)
    if bracket.contradictions:
        return End.NOT_MONOTONE
    if bracket.holds is None:
        return End.NOT_EVEN_ONE
    if bracket.fails is None:
        if bracket.holds >= rules.highest:
            return End.BEYOND
        doubled = 2 * bracket.holds
        # Not a last level so near to the highest that it says nothing of its own.
        return rules.highest if rules.is_narrow(doubled, rules.highest) else min(doubled, rules.highest)
    if not rules.is_narrow(bracket.holds, bracket.fails):
        return rules.between(bracket.holds, bracket.fails)
    times = sum(one.value == bracket.holds and one.outcome == "holds" for one in seen)
    return bracket.holds if rules.confirm and times < 2 else End.FOUND


@dataclass(frozen=True, slots=True)
class Bracket:
    """What the valid ones of some levels say together.

    Attributes:
        holds: the highest level that held.
        fails: the lowest that did not.
        contradictions: pairs of a level that did not hold and one at least as high that did; none of
            `holds` and `fails` is to be trusted then.
    """

    holds: float | None
    fails: float | None
    contradictions: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, seen: Sequence[Seen]) -> Bracket:
        held = sorted({one.value for one in seen if one.outcome == "holds"})
        failed = sorted({one.value for one in seen if one.outcome == "does not hold"})
        pairs = [
            (low, high) for low in failed for high in held if low <= high or isclose(low, high, rel_tol=1e-9)
        ]
        return cls(max(held, default=None), min(failed, default=None), tuple(pairs))

    @classmethod
    def trusted(cls, seen: Sequence[Seen]) -> Bracket:
        """Where levels contradict each other: the highest that held below all that did not, and the lowest
        that did not above all that held."""
        plain = cls.of(seen)
        if not plain.contradictions:
            return plain
        lowest, highest = plain.fails, plain.holds
        below = [one.value for one in seen if one.outcome == "holds" and lowest and one.value < lowest]
        above = [
            one.value for one in seen if one.outcome == "does not hold" and highest and one.value > highest
        ]
        return cls(max(below, default=None), min(above, default=None), plain.contradictions)


def highest_next(rules: Rules, seen: Sequence[Seen], value: float) -> float:
    """The highest level that may come after the one that is measured now, so that its users are there."""
    after = [next_level(rules, [*seen, Seen(value, outcome)]) for outcome in ("holds", "does not hold")]
    return max([value, *(level for level in after if not isinstance(level, End))])
