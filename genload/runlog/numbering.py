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
