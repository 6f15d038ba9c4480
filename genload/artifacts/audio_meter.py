"""Loudness, silence, clipping and the first sound of samples, block by block."""

from __future__ import annotations

from math import isfinite, sqrt

import numpy as np
import numpy.typing as npt

from genload.artifacts.audio_facts import FRAME_S, AudioError

Samples = npt.NDArray[np.float32]


def peak_of(samples: npt.NDArray[np.float32] | npt.NDArray[np.int16]) -> float:
    """The largest absolute value."""
    return max(float(np.maximum.reduce(samples)), -float(np.minimum.reduce(samples)))


class Meter:
    """Takes samples in turn; each figure's formula is in `AudioFacts`.

    Args:
        silent_below: RMS of a frame, of full scale, under which it is silent.
        full_scale: the value that stands for 1: 32768 for samples of 16 bits as they are.
        clipped_from: of full scale; samples of at least this count as clipped.
    """

    def __init__(
        self,
        rate_hz: int,
        channels: int,
        *,
        silent_below: float,
        full_scale: float = 1.0,
        clipped_from: float = 32767 / 32768,
    ) -> None:
        self.rate_hz, self.channels = rate_hz, channels
        self._frame = max(round(rate_hz * FRAME_S), 1) * channels
        self._scale = full_scale
        self._threshold = silent_below * full_scale
        self._clip = clipped_from * full_scale
        self._energy = self._peak = 0.0
        self._count = self._frames = self._silent = self._clipped = 0
        self._sound_end: int | None = None  # samples of all channels

    @property
    def block(self) -> int:
        """Samples of all channels that `feed` takes best at a time: whole frames, about 1 MiB."""
        return self._frame * max((1 << 18) // self._frame, 1)

    @property
    def duration_s(self) -> float:
        """Of what was fed."""
        return self._count / self.channels / self.rate_hz

    def feed(self, samples: Samples, peak: float | None = None) -> None:
        """The next samples, channels interleaved; whole frames of 20 ms but for the last call.

        Args:
            peak: the largest absolute value among them, where that is known already.

        Raises:
            AudioError: nan_audio.
        """
        whole = len(samples) - len(samples) % self._frame
        if whole:
            self._weigh(samples[:whole].reshape(-1, self._frame))
        if whole < len(samples):
            self._weigh_rest(samples[whole:])
        if peak is None:
            peak = peak_of(samples)
        if peak > self._peak:
            self._peak = peak
        if peak >= self._clip:
            self._clipped += int(np.count_nonzero(np.abs(samples) >= self._clip))

    def _weigh(self, frames: Samples) -> None:
        """Add whole frames."""
        energies = np.vecdot(frames, frames)
        sounding = energies >= self._threshold**2 * self._frame
        loud = int(np.count_nonzero(sounding))
        if loud and self._sound_end is None:
            first = int(sounding.argmax())
            self._find_sound(frames[first], first * self._frame)
        self._frames += len(energies)
        self._silent += len(energies) - loud
        self._add(float(np.add.reduce(energies, dtype=np.float64)), frames.size)

    def _weigh_rest(self, samples: Samples) -> None:
        """Add a last frame, which is shorter."""
        energy = float(np.dot(samples, samples))
        loud = energy >= self._threshold**2 * len(samples)
        if loud and self._sound_end is None:
            self._find_sound(samples, 0)
        self._frames += 1
        self._silent += not loud
        self._add(energy, len(samples))

    def _find_sound(self, frame: Samples, before: int) -> None:
        self._sound_end = self._count + before + int((np.abs(frame) >= self._threshold).argmax()) + 1

    def _add(self, energy: float, count: int) -> None:
        if not isfinite(energy):
            raise AudioError("nan_audio", f"a sample after {self.duration_s:.3f} s is no finite number")
        self._energy += energy
        self._count += count

    @property
    def rms(self) -> float:
        return sqrt(self._energy / self._count) / self._scale if self._count else 0.0

    @property
    def peak(self) -> float:
        return self._peak / self._scale

    @property
    def silence(self) -> float:
        return self._silent / self._frames if self._frames else 1.0

    @property
    def clipped(self) -> float:
        return self._clipped / self._count if self._count else 0.0

    @property
    def sound_at_s(self) -> float | None:
        if self._sound_end is None:
            return None
        return -(-self._sound_end // self.channels) / self.rate_hz
