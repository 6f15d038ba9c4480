"""An answer's audio as a recogniser takes it: one channel of 16-bit samples at the recogniser's rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from genload.artifacts.audio.facts import LONGEST_S, RawSamples
from genload.artifacts.audio.meter import Floats, Meter, Samples
from genload.artifacts.audio.reader import hear
from genload.artifacts.audio.samples import Ear, File

_LOUDEST = 32767


class _Tape(Meter):
    """A meter that keeps what it is fed."""

    __slots__ = ("kept",)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kept: list[Floats] = []

    def feed(self, samples: Samples) -> None:
        super().feed(samples)
        self.kept.append(samples.astype(np.float32) / np.float32(self._scale))

    def mono(self) -> Floats:
        """The mean of the channels; full scale is 1."""
        joined = np.concatenate(self.kept)
        mean: Floats = (
            joined[: len(joined) - len(joined) % self._channels].reshape(-1, self._channels).mean(1)
        )
        return mean


class _Recorder(Ear):
    """An ear that remembers."""

    kind = _Tape
    __slots__ = ()

    def last(self, seconds: float) -> tuple[int, Floats]:
        """Rate and samples of the last seconds of all streams."""
        tapes = [meter for meter in self.meters if isinstance(meter, _Tape) and meter.kept]
        if not tapes:
            return 1, np.empty(0, np.float32)
        rate_hz, _ = tapes[0].shape
        samples = np.concatenate([tape.mono() for tape in tapes])
        return rate_hz, samples[-max(round(seconds * rate_hz), 1) :]


def mono(
    content: File,
    form: str,
    rate_hz: int,
    *,
    raw: RawSamples,
    streamed: bool = False,
    last_s: float = LONGEST_S,
) -> npt.NDArray[np.int16]:
    """The last seconds of a file's audio, at this rate; arguments and errors as of `read_audio`."""
    recorder = _Recorder(0.0, LONGEST_S)
    hear(recorder, content, form, raw=raw, streamed=streamed)
    own_hz, samples = recorder.last(last_s)
    return np.clip(_at_rate(samples, own_hz, rate_hz) * _LOUDEST, -_LOUDEST, _LOUDEST).astype(np.int16)


def _at_rate(samples: Floats, own_hz: int, rate_hz: int) -> Floats:
    """The same sound at another rate, without what that rate cannot hold."""
    count = round(len(samples) * rate_hz / own_hz)
    if own_hz == rate_hz or not count:
        return samples
    # Lengths of small factors: a Fourier transform of a prime one takes several times as long.
    whole = -(-len(samples) // own_hz) * own_hz
    spectrum = np.fft.rfft(samples, whole)
    length = whole * rate_hz // own_hz
    found = np.fft.irfft(spectrum[: length // 2 + 1], length)[:count] * (length / whole)
    return found.astype(np.float32)
