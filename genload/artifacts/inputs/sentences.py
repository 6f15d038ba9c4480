"""English of an exact length: grammatical sentences, each with a full stop, one space between two.

They are put together from four short lists, so that there are many of each length; an engine that streams
sentence by sentence finds sentences.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product

from genload.artifacts.inputs.draws import Draws

_SUBJECTS = (
    "She",
    "My aunt",
    "The baker",
    "A student",
    "The captain",
    "Our neighbour",
    "The old farmer",
    "A quiet stranger",
    "The young engineer",
    "Everyone in the village",
)
_VERBS = ("saw", "drew", "found", "wanted", "carried", "described", "remembered", "went back for")
_OBJECTS = (
    "it",
    "a map",
    "the boat",
    "two apples",
    "the red door",
    "a bag of nails",
    "the empty theatre",
    "an unfinished letter",
    "the path along the river",
)
_ENDINGS = (
    "",
    " again",
    " at noon",
    " in spring",
    " before dawn",
    " after the rain",
    " for the children",
    " without any doubt",
    " on the way to market",
)
# What a name alone can do, for texts that hold little more than the name.
_SHORT_DEEDS = (" ran", " left", " slept", " smiled", " listened", " came home")

LONGEST = 60
"""Of one sentence; what is longer is several."""


@cache
def _sentences() -> dict[int, list[str]]:
    """Every whole sentence by its length."""
    parts = product(_SUBJECTS, _VERBS, _OBJECTS, _ENDINGS)
    return _by_length(f"{subject} {verb} {what}{ending}." for subject, verb, what, ending in parts)


@cache
def _deeds() -> dict[int, list[str]]:
    """What may follow a name, by its length: " slept.", " carried a map before dawn."."""
    short = (f"{deed}{ending}." for deed, ending in product(_SHORT_DEEDS, _ENDINGS))
    full = (f" {verb} {what}{ending}." for verb, what, ending in product(_VERBS, _OBJECTS, _ENDINGS))
    return _by_length((*short, *full))


def _by_length(texts: Iterable[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for text in texts:
        found.setdefault(len(text), []).append(text)
    return found


SHORTEST = 20
"""Of a whole sentence: from here to `LONGEST` there is one of every length."""
SHORTEST_DEED = 5


def deed(characters: int, draws: Draws) -> str:
    """The rest of a sentence that begins with a name, `SHORTEST_DEED` to about `LONGEST` characters."""
    return draws.choice(_deeds()[characters])


def sentences(characters: int, draws: Draws) -> str:
    """Whole sentences of exactly so many characters together, `SHORTEST` or more."""
    made: list[str] = []
    left = characters
    while left > LONGEST:
        # Never so long that what is left would be too short for a sentence and the space before it.
        length = draws.between(SHORTEST + 5, min(LONGEST, left - SHORTEST - 1))
        made.append(draws.choice(_sentences()[length]))
        left -= length + 1
    made.append(draws.choice(_sentences()[left]))
    return " ".join(made)
