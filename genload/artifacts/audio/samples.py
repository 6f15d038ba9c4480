"""Samples that lie in the file as they are, 16-bit whole numbers or floats: numpy reads them where they are.

No audio library is needed here, so that what generates load can look into a short answer by itself.
"""

from __future__ import annotations

import numpy as np
from xxhash import xxh3_128_digest

from genload.artifacts.audio.facts import LONGEST_S, AudioError, AudioFacts
from genload.artifacts.audio.meter import Meter, facts_of
from genload.artifacts.audio.wav_layout import (
    FLOAT,
    HEADER_PEAK,
    PCM,
    WavLayout,
    check_no_header_inside,
)
from genload.human import human

File = bytes | memoryview

FULL_SCALE_16 = 32767 / 32768
_MOST_CHANNELS = 8
_MOST_HZ = 768_000
_PLAIN = {(PCM, 16): ("<i2", 32768.0), (FLOAT, 32): ("<f4", 1.0)}


def are_plain(layout: WavLayout) -> bool:
    """Whether the samples are such ones."""
    return (layout.encoding, layout.bits) in _PLAIN


class Ear:
    """Meters of the streams of one file."""

    kind: type[Meter] = Meter
    __slots__ = ("_most_s", "_silent_below", "meters")

    def __init__(self, silent_below: float, longest_s: float) -> None:
        self._silent_below, self._most_s = silent_below, min(longest_s, LONGEST_S)
        self.meters: list[Meter] = []

    @property
    def duration_s(self) -> float:
        """Of what was heard."""
        return sum([meter.duration_s for meter in self.meters])

    def begin(
        self, rate_hz: int, channels: int, full_scale: float = 1.0, clipped_from: float = FULL_SCALE_16
    ) -> Meter:
        """The meter of the next stream.

        Raises:
            AudioError: bad_audio; wrong_rate or wrong_channels, if they are not those of the first stream.
        """
        if channels > _MOST_CHANNELS or rate_hz > _MOST_HZ:
            raise AudioError("bad_audio", f"{channels} channels at {rate_hz} Hz: nobody speaks like that")
        if self.meters:
            first_hz, first_channels = self.meters[0].shape
            if rate_hz != first_hz:
                raise AudioError("wrong_rate", f"its streams differ: {first_hz} and {rate_hz} Hz")
            if channels != first_channels:
                raise AudioError(
                    "wrong_channels", f"its streams differ: {first_channels} and {channels} channels"
                )
        meter = self.kind(rate_hz, channels, self._silent_below, full_scale, clipped_from)
        self.meters.append(meter)
        return meter

    def hear_plain(self, content: File, layout: WavLayout) -> None:
        """The samples of a file for which `are_plain` says yes.

        Raises:
            AudioError: as `begin`, `check_length` and `check_no_header_inside`; nan_audio.
        """
        word, full_scale = _PLAIN[layout.encoding, layout.bits]
        self.check_length(layout.duration_s)
        meter = self.begin(layout.rate_hz, layout.channels, full_scale)
        count = layout.data_bytes * 8 // layout.bits
        samples = np.frombuffer(content, word, count, layout.data_start)
        if layout.encoding == FLOAT:
            check_no_header_inside(content, layout)  # before its letters count as numbers out of all bounds
            with what_overflows_is_told():
                meter.feed(samples)
        else:
            meter.feed(samples)
            if meter.peak >= HEADER_PEAK:  # most answers are not: a fifth of their time is not spent
                check_no_header_inside(content, layout)

    def facts(self, content: File, form: str) -> AudioFacts:
        """What all that was heard is.

        Args:
            content: the whole file.

        Raises:
            AudioError: empty_audio.
        """
        facts = facts_of(self.meters, form, xxh3_128_digest(content))
        if facts is None:
            raise AudioError("empty_audio", "there are headers, and not a single sample")
        return facts

    def check_length(self, more_s: float = 0.0) -> None:
        """Raises AudioError, implausible_audio: there is more of it than anyone wants."""
        heard_s = self.duration_s if self.meters else 0.0
        if heard_s + more_s > self._most_s:
            raise AudioError("implausible_audio", f"more than {human(self._most_s, 's')} of audio")


def what_overflows_is_told() -> np.errstate:
    """As what it is, and needs no warning. Whole numbers cannot, and to say so takes a microsecond."""
    return np.errstate(over="ignore", invalid="ignore")
