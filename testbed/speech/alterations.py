"""What faults make of audio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from .encoding import Samples
from .faults import SpeechFault

_HUM_RADIANS = 0.11  # a sample: 420 Hz at 24 kHz
SHORT_S = 0.6

DUPLICATE_TEXT = "This is what it always says, whatever the text."


def _silence(samples: Samples) -> Samples:
    return np.zeros_like(samples)


def _clip(samples: Samples) -> Samples:
    return np.where(samples < 0, -32768, 32767).astype(np.int16)


def _thin(samples: Samples) -> Samples:
    return np.ascontiguousarray(samples[::2])


def beginning(pieces: Iterable[Samples], count: int) -> Iterator[Samples]:
    """The first samples of some audio."""
    for samples in pieces:
        yield samples[:count]
        count -= len(samples)
        if count <= 0:
            return


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64))))) if len(samples) else 0.0


def _hiss(samples: Samples) -> Samples:
    noise = np.random.default_rng(len(samples)).normal(0.0, _rms(samples), len(samples))
    return np.clip(noise, -32768, 32767).astype(np.int16)


def _hum(samples: Samples) -> Samples:
    wave = np.sin(np.arange(len(samples)) * _HUM_RADIANS)
    loud: Samples = np.clip(wave * _rms(samples) * np.sqrt(2), -32768, 32767).astype(np.int16)
    return loud


ALTERATIONS: dict[SpeechFault, Callable[[Samples], Samples]] = {
    SpeechFault.SILENCE: _silence,
    SpeechFault.CLIPPED: _clip,
    SpeechFault.WRONG_RATE: _thin,
    SpeechFault.HISS: _hiss,
    SpeechFault.HUM: _hum,
}
"""What becomes of the audio, piece by piece."""
