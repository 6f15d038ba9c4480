"""Spoken codes: a row of digits in each text, by which it is told whose words an answer speaks.

A code of n digits d1 … dn has n-2 of information and two check digits, such that modulo 11

    d1 + d2 + … + d(n-1) = 0    and    1·d1 + 2·d2 + … + (n-1)·d(n-1) + dn = 0.

These are the words of a doubly extended Reed-Solomon code over GF(11): any two columns of its check matrix,
(1, i) for i < n and (0, 1), are independent, so that any two codes differ in at least three digits, which no
code of as many words does better: two digits heard wrong lead to no other request's code. Left out are words
in which a check digit would be 10, and those in which a digit follows itself, which run together when they
are spoken.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise, product
from math import gcd

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_GOLDEN = 0.618034


class Codes:
    """The codes of one length.

    Args:
        digits: 5 to 7. Five make 539 codes, six 4,882, seven 43,912.
    """

    def __init__(self, digits: int) -> None:
        self._codes = _all(digits)
        self._known = frozenset(self._codes)
        # Neighbours lie far apart, and a whole turn goes through every code once.
        self._step = round(len(self._codes) * _GOLDEN)
        while gcd(self._step, len(self._codes)) > 1:
            self._step += 1

    def __len__(self) -> int:
        return len(self._codes)

    def __contains__(self, digits: str) -> bool:
        return digits in self._known

    def code(self, number: int) -> str:
        """That of a request: another one for each of as many numbers in a row as there are codes."""
        return self._codes[number * self._step % len(self._codes)]


def spoken(code: str) -> str:
    """A code in words: ``four seven one …``."""
    return " ".join(DIGITS[int(digit)] for digit in code)


@cache
def _all(digits: int) -> tuple[str, ...]:
    """Every code, in the order of its information."""
    found = []
    for told in product(range(10), repeat=digits - 2):
        # The first sum gives the last but one, the second one the last.
        sum_digit = -sum(told) % 11
        weighed = sum(place * digit for place, digit in enumerate((*told, sum_digit), 1))
        last = -weighed % 11
        code = (*told, sum_digit, last)
        if sum_digit < 10 and last < 10 and all(digit != after for digit, after in pairwise(code)):
            found.append("".join(map(str, code)))
    return tuple(found)
