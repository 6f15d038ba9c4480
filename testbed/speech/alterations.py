"""What faults make of audio."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .encoding import Samples
from .faults import SpeechFault

DUPLICATE_TEXT = "This is what it always says, whatever the text."


def _silence(samples: Samples) -> Samples:
    return np.zeros_like(samples)


def _clip(samples: Samples) -> Samples:
    return np.where(samples < 0, -32768, 32767).astype(np.int16)


def _thin(samples: Samples) -> Samples:
    return np.ascontiguousarray(samples[::2])


ALTERATIONS: dict[SpeechFault, Callable[[Samples], Samples]] = {
    SpeechFault.SILENCE: _silence,
    SpeechFault.CLIPPED: _clip,
    SpeechFault.WRONG_RATE: _thin,
}
"""What becomes of the audio, piece by piece."""
