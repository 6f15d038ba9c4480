"""Recognising spoken words with pocketsphinx, whose wheel brings its model of English (``genload[words]``).

Runs in the inspector's process. Digits are searched among digits alone: a hundredth to a fortieth of the time
that the audio takes. A transcript is searched among all of English, which takes about a sixth of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from genload.artifacts.inputs.codes import DIGITS

RATE_HZ = 16_000
"""What the model knows."""

_SOUNDS: Mapping[str, tuple[str, ...]] = {
    "zero": ("Z IH R OW", "Z IY R OW"),
    "one": ("W AH N",),
    "two": ("T UW",),
    "three": ("TH R IY",),
    "four": ("F AO R",),
    "five": ("F AY V",),
    "six": ("S IH K S",),
    "seven": ("S EH V AH N",),
    "eight": ("EY T",),
    "nine": ("N AY N",),
}
_ANY_DIGITS = f"#JSGF V1.0; grammar digits; public <digits> = ({' | '.join(DIGITS)})+;"
# Of each word, so that a breath or a stop is not taken for another "eight".
_WORD_PENALTY = 0.01
_LEAST_S = 0.1

Samples = npt.NDArray[np.int16]


def heard_digits(samples: Samples) -> str:
    """The digits that are spoken, and what comes nearest to digits in other words; "" for none. One that is
    heard several times in a row is given once: codes have none, and a stop is easily taken for an "eight"."""
    found = [word for word in _searched(_digits(), samples).split() if word in DIGITS]
    return "".join(str(DIGITS.index(word)) for word, _ in groupby(found))


def heard_words(samples: Samples) -> list[str]:
    """The English words that are spoken, as far as they are recognised."""
    return [word.partition("(")[0] for word in _searched(_english(), samples).split() if word[0] not in "<["]


def _searched(decoder: Any, samples: Samples) -> str:
    if len(samples) < RATE_HZ * _LEAST_S:
        return ""
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr if found is not None else ""


@cache
def _digits() -> Any:
    # Its first search alone: a second one takes half as long again, and finds the same digits.
    decoder = _decoder(lm=None, dict=None, wip=_WORD_PENALTY, bestpath=False)
    spellings = [
        (word if n == 1 else f"{word}({n})", sounds)
        for word, ways in _SOUNDS.items()
        for n, sounds in enumerate(ways, 1)
    ]
    for spelling, sounds in spellings:
        decoder.add_word(spelling, sounds, spelling == spellings[-1][0])
    decoder.add_jsgf_string("digits", _ANY_DIGITS)
    decoder.activate_search("digits")
    return decoder


@cache
def _english() -> Any:
    return _decoder()


def _decoder(**settings: Any) -> Any:
    import pocketsphinx

    # Each answer by its own loudness and colour, and not by those of the answers before it.
    return pocketsphinx.Decoder(loglevel="FATAL", logfn=os.devnull, cmn="batch", **settings)
