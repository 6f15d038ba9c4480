"""Real speech: hibari's one voice, from which others are derived."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from zlib import crc32

import numpy as np
import numpy.typing as npt

from .encoding import Samples
from .engine import Engine

# How much higher than hibari's own each voice is. The same text in two voices is then no duplicate, and a
# listener hears who is who.
_PITCHES = {
    "af_heart": 1.0,
    "af_bella": 1.08,
    "af_sky": 1.16,
    "am_adam": 0.8,
    "am_puck": 0.72,
    "bf_emma": 1.04,
    "bm_george": 0.76,
    "alloy": 0.94,
    "echo": 0.84,
    "nova": 1.12,
}
# Characters that are spoken in one go. The model's memory grows with them, to a GB for 400, and stays.
_LONGEST = 200


class Speaker(Engine):
    """Speaks a text sentence by sentence, some hundred times faster than it is heard.

    Args:
        seed: the same seed speaks a text the same, bit by bit.
    """

    voices = tuple(_PITCHES)
    instant = False

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def load(self) -> None:
        from hibari import SAMPLE_RATE, Hibari

        self.rate_hz = SAMPLE_RATE
        self._hibari = Hibari(threads=1)
        # Its dictionaries are read, and the model's memory grows, with the first long text: not only when
        # somebody looks for leaks.
        self._hibari("everything is ready for everybody now " * (_LONGEST // 38), speed=0.8)

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        pitch = _PITCHES[voice]
        seed = crc32(text.encode(), self._seed)
        # Played faster by as much as it is spoken slower: the tempo stays, the pitch does not.
        for sentence in self._hibari.split_sentences(text):
            for part in textwrap.wrap(sentence, _LONGEST):
                for wave in self._hibari.stream(part, speed=speed / pitch, seed=seed):
                    yield _pitched(wave, pitch)


def _pitched(wave: npt.NDArray[np.float32], pitch: float) -> Samples:
    if pitch != 1.0 and len(wave):
        wave = np.interp(np.arange(0, len(wave) - 1, pitch), np.arange(len(wave)), wave).astype(np.float32)
    return (np.clip(wave, -1.0, 1.0) * 32767).astype(np.int16)
