"""Random numbers of one request: the same for the same seed, number and purpose, in every process.

`random.Random` takes as long to be seeded with a text as everything else about a short text does, for a
state of 2.5 kB of which one or two words are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from math import cos, log, pi, sqrt
from struct import Struct
from typing import TypeVar

_Item = TypeVar("_Item")
_WORD = Struct("<Q")
_WORD_BYTES, _DIGEST_BYTES = _WORD.size, blake2b().digest_size
_word_at: Callable[[bytes, int], tuple[int]] = _WORD.unpack_from


class Draws:
    """Words of 64 bits from BLAKE2b over seed, number and purpose; whoever needs more than eight gets those
    of the digest's own digest, and so on. A range of n is hit by word × n ÷ 2⁶⁴: even to n ÷ 2⁶⁴.
    """

    __slots__ = ("_at", "_digest")

    def __init__(self, seed: int, number: int, purpose: bytes) -> None:
        self._digest = blake2b(b"%d/%d/%b" % (seed, number, purpose)).digest()
        self._at = 0

    def below(self, bound: int) -> int:
        """A whole number from 0 to under the bound."""
        at = self._at
        if at == _DIGEST_BYTES:
            self._digest, at = blake2b(self._digest).digest(), 0
        self._at = at + _WORD_BYTES
        return _word_at(self._digest, at)[0] * bound >> 64

    def between(self, low: int, high: int) -> int:
        """A whole number from one to the other, both included."""
        return low + self.below(high - low + 1)

    def choice(self, items: Sequence[_Item]) -> _Item:
        """One of them."""
        return items[self.below(len(items))]

    def share(self) -> float:
        """A number from 0 to under 1, in steps of 2⁻⁵³."""
        return self.below(1 << 53) * 2.0**-53

    def normal(self) -> float:
        """Normally distributed about 0 with a standard deviation of 1 (Box and Muller's transform)."""
        return sqrt(-2.0 * log(1.0 - self.share())) * cos(2.0 * pi * self.share())
