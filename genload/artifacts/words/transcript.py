"""How much of a text a transcript has: the word error rate, with numbers and case written alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import nan

from genload.artifacts.inputs.codes import DIGITS

_WORD = re.compile(r"[a-z']+|\d+(?:\.\d+)?")
_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LONGEST_NUMBER = 6


def word_error_rate(text: str, transcript: Sequence[str]) -> float:
    """Words that were left out, put in or changed ÷ words of the text: 0 for all, above 1 where more was said
    than the text has; NaN for a text without words.
    """
    said = words_of(text)
    return edits(said, words_of(" ".join(transcript))) / len(said) if said else nan


def words_of(text: str) -> list[str]:
    """Its words in small letters, numbers as they are spoken, without what separates them."""
    found: list[str] = []
    for word in _WORD.findall(text.lower().replace("’", "'").replace(",", "")):
        found += _number(word) if word[0].isdigit() else [word.replace("'", "")]
    return [word for word in found if word]


def edits(said: Sequence[str], heard: Sequence[str], *, from_anywhere: bool = False) -> int:
    """The fewest insertions, deletions and changes that make one of the other (Levenshtein).

    Args:
        from_anywhere: what was heard may begin with anything, which counts as nothing.
    """
    row = [0] * (len(heard) + 1) if from_anywhere else list(range(len(heard) + 1))
    for n, word in enumerate(said, 1):
        before, row[0] = row[0], n
        for m, other in enumerate(heard, 1):
            before, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, before + (word != other))
    return row[-1]


def _number(digits: str) -> list[str]:
    """A number as it is spoken; of a long one, or one that begins with 0, the digits."""
    whole, _, part = digits.partition(".")
    if len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole[0] == "0"):
        spoken = [DIGITS[int(digit)] for digit in whole]
    else:
        spoken = _cardinal(int(whole))
    return spoken + (["point", *(DIGITS[int(digit)] for digit in part)] if part else [])


def _cardinal(number: int) -> list[str]:
    if number < 10:
        return [DIGITS[number]]
    if number < 20:
        return [_TEENS[number - 10]]
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return [*_cardinal(number // size), name, *(_cardinal(rest) if rest else [])]
    rest = number % 10
    return [_TENS[number // 10 - 2], *(_cardinal(rest) if rest else [])]
