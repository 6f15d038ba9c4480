"""A sine in syllables, its length by the text alone: audio that can be checked sample by sample."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from .encoding import Samples
from .engine import Engine

# Whole numbers of Hz: the wave repeats after a second exactly.
_PITCHES_HZ = {"af_heart": 440, "af_bella": 523, "am_adam": 330, "am_puck": 247, "alloy": 392, "echo": 294}
_SYLLABLES_HZ = 5  # it swells so often, as speech does: one that does not is taken for none
_AMPLITUDE = 0.3
_PREPARED_S = 60
_SIGNED_SAMPLES = 64


class Tone(Engine):
    """Hums a text.

    The voice is the pitch. The lowest bits of the first 64 samples are a digest of text, voice and speed, so
    that different texts have different audio, which is not to be heard.

    Args:
        per_character_s: audio at speed 1.
        audio_s: of every text; 0: as long as its characters take.
    """

    voices = tuple(_PITCHES_HZ)
    instant = True

    def __init__(self, per_character_s: float, audio_s: float) -> None:
        self._per_character_s, self._audio_s = per_character_s, audio_s
        self._waves: dict[str, Samples] = {}

    def load(self) -> None:
        at_s = np.arange(self.rate_hz) / self.rate_hz
        syllables = 0.55 - 0.45 * np.cos(2 * np.pi * _SYLLABLES_HZ * at_s)
        for voice, pitch_hz in _PITCHES_HZ.items():
            wave = syllables * np.sin(2 * np.pi * pitch_hz * at_s)
            second = np.round(_AMPLITUDE * 32767 * wave).astype(np.int16)
            self._waves[voice] = np.tile(second, _PREPARED_S)

    def samples(self, text: str, speed: float) -> int:
        """How many there are of a text."""
        return round((self._audio_s or self._per_character_s * len(text)) / speed * self.rate_hz)

    def speak(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        wave, count = self._waves[voice], self.samples(text, speed)
        if count > len(wave):
            wave = np.resize(wave, count)
        signed = min(count, _SIGNED_SAMPLES)
        digest = blake2b(f"{voice} {speed} {text}".encode(), digest_size=_SIGNED_SAMPLES // 8).digest()
        bits = np.unpackbits(np.frombuffer(digest, np.uint8)).astype(np.int16)
        yield (wave[:signed] & ~np.int16(1)) | bits[:signed]
        if count > signed:
            yield wave[signed:count]
