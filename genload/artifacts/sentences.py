"""English of an exact length: grammatical sentences, each with a full stop, one space between two.

They are put together from four short lists, so that there are many of each length; an engine that streams
sentence by sentence finds sentences.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random

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
def _sentences() -> dict[int, list[tuple[str, ...]]]:
    """Every whole sentence by its length."""
    found: dict[int, list[tuple[str, ...]]] = {}
    for subject, verb, what, ending in product(_SUBJECTS, _VERBS, _OBJECTS, _ENDINGS):
        parts = (subject, " ", verb, " ", what, ending, ".")
        found.setdefault(sum(map(len, parts)), []).append(parts)
    return found


@cache
def _deeds() -> dict[int, list[tuple[str, ...]]]:
    """What may follow a name, by its length: " slept.", " carried a map before dawn."."""
    found: dict[int, list[tuple[str, ...]]] = {}
    short = [(deed, ending, ".") for deed in _SHORT_DEEDS for ending in _ENDINGS]
    full = [(" ", v, " ", o, e, ".") for v, o, e in product(_VERBS, _OBJECTS, _ENDINGS)]
    for parts in (*short, *full):
        found.setdefault(sum(map(len, parts)), []).append(parts)
    return found


SHORTEST = 20
"""Of a whole sentence: from here to `LONGEST` there is one of every length."""
SHORTEST_DEED = 5


def deed(characters: int, rng: Random) -> str:
    """The rest of a sentence that begins with a name, `SHORTEST_DEED` to about `LONGEST` characters."""
    return "".join(rng.choice(_deeds()[characters]))


def sentences(characters: int, rng: Random) -> str:
    """Whole sentences of exactly so many characters together, `SHORTEST` or more."""
    made: list[str] = []
    left = characters
    while left > LONGEST:
        # Never so long that what is left would be too short for a sentence and the space before it.
        length = rng.randint(SHORTEST + 5, min(LONGEST, left - SHORTEST - 1))
        made.append("".join(rng.choice(_sentences()[length])))
        left -= length + 1
    made.append("".join(rng.choice(_sentences()[left])))
    return " ".join(made)
