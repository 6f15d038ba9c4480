"""Words that nobody has used: pronounceable, one for each number, in an order that a key decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import product
from math import gcd, prod

_LETTERS = {"C": "bcdfghjklmnprstvwxyz", "V": "aeiou"}
_SHORT_PATTERNS = ("CVCV", "VCVC", "CVVC", "VCCV", "CVCC", "CCVC")
SHORTEST = 4


class Words:
    """Words of one length: 120 000 of four letters, 200 000 of five, a hundred million of eight.

    No word comes twice before all have come; two keys give two orders.

    Args:
        key: of the run.
        letters: `SHORTEST` or more.
    """

    def __init__(self, key: str, letters: int) -> None:
        alternating = "".join("CV"[place % 2] for place in range(letters))
        patterns: Sequence[str] = _SHORT_PATTERNS if letters == SHORTEST else (alternating,)
        of_patterns = [[(table, len(table)) for table in _tables(pattern)] for pattern in patterns]
        self._patterns = [(tables, prod(size for _, size in tables)) for tables in of_patterns]
        self.count = sum(count for _, count in self._patterns)
        digest = hashlib.sha256(f"{key}/{letters}".encode()).digest()
        self._first = int.from_bytes(digest[:8]) % self.count
        # A step without a common divisor visits every word once before it comes back.
        self._step = int.from_bytes(digest[8:16]) % self.count
        while gcd(self._step, self.count) != 1:
            self._step += 1

    def word(self, number: int) -> str:
        """The word of a number, which may be negative."""
        place = (self._first + number * self._step) % self.count
        for tables, count in self._patterns:
            if place < count:
                word = ""
                for table, size in tables:
                    word += table[place % size]
                    place //= size
                return word
            place -= count
        raise AssertionError(place)


def _tables(pattern: str) -> list[list[str]]:
    """Every four letters that there are, for each four places of a pattern."""
    return [_table(pattern[at : at + 4]) for at in range(0, len(pattern), 4)]


@cache
def _table(pattern: str) -> list[str]:
    pairs = (pattern[at : at + 2] for at in range(0, len(pattern), 2))
    choices = [["".join(letters) for letters in product(*map(_LETTERS.__getitem__, pair))] for pair in pairs]
    # The first two letters change from one to the next, the others when those have all come.
    return ["".join(reversed(parts)) for parts in product(*reversed(choices))]
