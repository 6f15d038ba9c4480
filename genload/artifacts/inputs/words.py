"""Words that nobody has used: pronounceable, one for each number, in an order that a key decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
        self._patterns = [_tables(pattern) for pattern in patterns]
        self._counts = [prod(map(len, tables)) for tables in self._patterns]
        self.count = sum(self._counts)
        digest = hashlib.sha256(f"{key}/{letters}".encode()).digest()
        self._first = int.from_bytes(digest[:8]) % self.count
        # A step without a common divisor visits every word once before it comes back.
        self._step = int.from_bytes(digest[8:16]) % self.count
        while gcd(self._step, self.count) != 1:
            self._step += 1

    def word(self, number: int) -> str:
        """The word of a number, which may be negative."""
        place = (self._first + number * self._step) % self.count
        for tables, count in zip(self._patterns, self._counts, strict=True):
            if place >= count:
                place -= count
                continue
            word = ""
            for table in tables:
                place, at = divmod(place, len(table))
                word += table[at]
            return word
        raise AssertionError(place)


def _tables(pattern: str) -> list[list[str]]:
    """Every two letters that there are, for each two places of a pattern."""
    pairs = (pattern[at : at + 2] for at in range(0, len(pattern), 2))
    return [["".join(letters) for letters in product(*(_LETTERS[kind] for kind in pair))] for pair in pairs]
