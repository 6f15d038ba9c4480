"""Loudness, silence, clipping and the first sound of samples, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt

import numpy as np
import numpy.typing as npt

from genload.artifacts.audio.facts import FRAME_S, AudioError, AudioFacts

Floats = npt.NDArray[np.float32]
Samples = Floats | npt.NDArray[np.int16]
_MOST_SAMPLES = 1 << 18
# Each without the wrapper of its array method, which takes as long as the second of speech in it.
_largest, _least, _sum = np.maximum.reduce, np.minimum.reduce, np.add.reduce
# One for all: what is allocated for each block goes back to the system as often, and comes cleared.
_floats = np.empty(_MOST_SAMPLES, np.float32)


class Meter:
    """Takes samples in turn; each figure's formula is in `AudioFacts`.

    Of an answer of a second, as most are, calls cost more than samples: hence as few of either as possible.

    Args:
        silent_below: RMS of a frame, of full scale, under which it is silent.
        full_scale: the value that stands for 1: 32768 for samples of 16 bits as they are.
        clipped_from: of full scale; samples of at least this count as clipped.
    """

    __slots__ = (
        "_channels",
        "_clip",
        "_clipped",
        "_count",
        "_energy",
        "_frame",
        "_frames",
        "_loudness",
        "_loudness_squared",
        "_peak",
        "_rate_hz",
        "_scale",
        "_silent",
        "_sound_end",
        "_threshold",
    )

    def __init__(
        self,
        rate_hz: int,
        channels: int,
        silent_below: float,
        full_scale: float = 1.0,
        clipped_from: float = 32767 / 32768,
    ) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        self._frame = max(round(rate_hz * FRAME_S), 1) * channels
        self._scale = full_scale
        self._threshold = silent_below * full_scale
        self._clip = clipped_from * full_scale
        self._energy = self._peak = 0.0
        self._loudness = self._loudness_squared = 0.0  # of the frames that are not silent, summed up
        self._count = self._frames = self._silent = self._clipped = 0
        self._sound_end: int | None = None  # samples of all channels

    @property
    def block(self) -> int:
        """Samples of all channels that are looked at together: whole frames, about 1 MiB."""
        return self._frame * max(_MOST_SAMPLES // self._frame, 1)

    @property
    def duration_s(self) -> float:
        """Of what was fed."""
        return self._count / self._channels / self._rate_hz

    @property
    def peak(self) -> float:
        """Of what was fed, in the unit of its samples."""
        return self._peak

    def feed(self, samples: Samples) -> None:
        """The next samples, channels interleaved; whole frames of 20 ms but for the last call.

        Raises:
            AudioError: nan_audio.
        """
        length, size = len(samples), self.block
        if 0 < length <= size:  # nearly always
            self._weigh(samples)
            return
        for start in range(0, length, size):
            self._weigh(samples[start : start + size])

    def _weigh(self, samples: Samples) -> None:
        """Add a block."""
        frame, length = self._frame, len(samples)
        count = -(-length // frame)
        # Of whole numbers in half the time.
        peak = max(float(_largest(samples)), -float(_least(samples)))
        floats = _floats[: count * frame]
        floats[:length] = samples
        if length < len(floats):
            floats[length:] = 0.0
        frames = floats.reshape(count, frame)
        energies = np.vecdot(frames, frames)
        energy = sum(energies.tolist())  # in double precision
        if not isfinite(energy):
            raise AudioError("nan_audio", f"a sample after {self.duration_s:.3f} s is no finite number")
        if length < len(floats):
            energies[-1] *= frame / (frame - len(floats) + length)  # the last frame is shorter
        sounding = energies >= self._threshold**2 * frame
        heard = energies[sounding]
        loud = len(heard)
        if loud and self._sound_end is None:
            first = int(sounding.argmax())
            found = int((np.abs(frames[first]) >= self._threshold).argmax())
            self._sound_end = self._count + first * frame + found + 1
        if peak > self._peak:
            self._peak = peak
        if peak >= self._clip:
            self._clipped += int(np.count_nonzero(np.abs(floats) >= self._clip))
        if loud:
            self._loudness += float(_sum(np.sqrt(heard)))
            self._loudness_squared += float(_sum(heard))
        self._energy += energy
        self._count += length
        self._frames += count
        self._silent += count - loud

    @property
    def shape(self) -> tuple[int, int]:
        """(rate, channels)."""
        return self._rate_hz, self._channels


def facts_of(meters: Sequence[Meter], form: str, fingerprint: bytes) -> AudioFacts | None:
    """What all that was fed is; None without a sample.

    Args:
        meters: of the streams of one file, in their order; all of one rate and number of channels.
        form, fingerprint: of the file.
    """
    count = frames = silent = clipped = 0
    energy = peak = before_s = loudness = loudness_squared = 0.0
    sound_at_s = None
    rate_hz = channels = 1
    for meter in meters:
        rate_hz, channels, scale = meter._rate_hz, meter._channels, meter._scale
        if sound_at_s is None and meter._sound_end is not None:
            sound_at_s = before_s + -(-meter._sound_end // channels) / rate_hz
        energy += meter._energy / (scale * scale)
        loudness += meter._loudness / scale
        loudness_squared += meter._loudness_squared / (scale * scale)
        if meter._peak > peak * scale:
            peak = meter._peak / scale
        count += meter._count
        frames += meter._frames
        silent += meter._silent
        clipped += meter._clipped
        before_s += meter._count / channels / rate_hz
    if not count:
        return None
    sounding = frames - silent
    mean = loudness / sounding if sounding else 0.0
    variance = max(loudness_squared / sounding - mean * mean, 0.0) if sounding else 0.0
    return AudioFacts(
        format=form,
        duration_s=before_s,
        rate_hz=rate_hz,
        channels=channels,
        rms=sqrt(energy / count),
        peak=peak,
        silence=silent / frames,
        clipped=clipped / count,
        variation=sqrt(variance) / mean if mean else 0.0,
        sounding_s=sounding * FRAME_S,
        sound_at_s=sound_at_s,
        fingerprint=fingerprint,
    )
