"""Words that nobody has used: pronounceable, one for each number, in an order that a key decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
        self._patterns: Sequence[str] = _SHORT_PATTERNS if letters == SHORTEST else (alternating,)
        self._sizes = [prod(len(_LETTERS[kind]) for kind in pattern) for pattern in self._patterns]
        self.count = sum(self._sizes)
        digest = hashlib.sha256(f"{key}/{letters}".encode()).digest()
        self._first = int.from_bytes(digest[:8]) % self.count
        # A step without a common divisor visits every word once before it comes back.
        self._step = int.from_bytes(digest[8:16]) % self.count
        while gcd(self._step, self.count) != 1:
            self._step += 1

    def word(self, number: int) -> str:
        """The word of a number, which may be negative."""
        place = (self._first + number * self._step) % self.count
        for pattern, size in zip(self._patterns, self._sizes, strict=True):
            if place < size:
                return _spelt(pattern, place)
            place -= size
        raise AssertionError(place)


def _spelt(pattern: str, place: int) -> str:
    letters = []
    for kind in pattern:
        place, letter = divmod(place, len(_LETTERS[kind]))
        letters.append(_LETTERS[kind][letter])
    return "".join(letters)
