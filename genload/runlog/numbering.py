"""Which numbers of one source are there: 0, 1, 2, … without holes, if nothing was lost."""

from __future__ import annotations

from bisect import bisect_right
from math import inf


class Numbering:
    """Notes the numbers in any order; needs memory for the holes only, however large the numbers.

    Attributes:
        following: one more than the largest number noted.
        holes: what is missing below it, as [first, after the last) in rising order.
    """

    def __init__(self) -> None:
        self.following = 0
        self.holes: list[tuple[int, int]] = []

    def note(self, n: int) -> bool:
        """True when `n` is new; False when it was noted before."""
        if n == self.following:
            self.following = n + 1
            return True
        if n > self.following:
            self.holes.append((self.following, n))
            self.following = n + 1
            return True
        return self._fill(n)

    def note_all(self, numbers: list[int]) -> bool:
        """The same for several, which is quick where they follow what was noted; False, and nothing noted,
        where they do not."""
        first, after = self.following, self.following + len(numbers)
        if numbers != list(range(first, after)):
            return False
        self.following = after
        return True

    def joined(self, other: Numbering) -> Numbering | None:
        """What is there in either; None where a number is there in both."""
        both = Numbering()
        both.following = max(self.following, other.following)
        both.holes = _in_both(self._not_there(both.following), other._not_there(both.following))
        return both if both.count == self.count + other.count else None

    @property
    def count(self) -> int:
        """How many are there."""
        return self.following - sum(end - first for first, end in self.holes)

    def _not_there(self, end: int) -> list[tuple[int, int]]:
        """The holes, and what follows up to `end`."""
        return [*self.holes, (self.following, end)] if end > self.following else self.holes

    def _fill(self, n: int) -> bool:
        index = bisect_right(self.holes, (n, inf)) - 1
        if index < 0 or n >= self.holes[index][1]:
            return False
        first, end = self.holes[index]
        self.holes[index : index + 1] = [part for part in ((first, n), (n + 1, end)) if part[0] < part[1]]
        return True

    def missing(self, said: int) -> int:
        """How many of 0 … are not there, when the source said that it wrote `said`."""
        return sum(end - first for first, end in self.holes) + max(0, said - self.following)


def _in_both(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What two lists of ranges in rising order have in common."""
    found: list[tuple[int, int]] = []
    mine, yours = 0, 0
    while mine < len(some) and yours < len(others):
        first = max(some[mine][0], others[yours][0])
        end = min(some[mine][1], others[yours][1])
        if first < end:
            found.append((first, end))
        if some[mine][1] <= others[yours][1]:
            mine += 1
        else:
            yours += 1
    return found
