"""What looking into audio finds: facts, or the reason why it is none. No audio library is needed here."""

from __future__ import annotations

import msgspec

from genload.artifacts.output_error import OutputError

SAMPLE_BYTES = {"s16le": 2, "f32le": 4}
LONGEST_S = 3600.0
"""More audio than this is nobody's answer, whatever the text."""

FRAME_S = 0.020
"""Silence is told frame by frame of this length."""


class AudioError(OutputError):
    """Some bytes are not the audio that an answer owes.

    Attributes:
        error_class: ``empty_audio`` (no byte, or no sample), ``wrong_content`` (text, or another format than
            was asked for), ``bad_audio`` (does not decode, or contradicts itself), ``truncated`` (ends inside
            a header, frame or page, or before the length that it states), ``nan_audio`` (samples that are no
            numbers), ``implausible_audio`` (longer than the limit given); ``cannot_inspect`` for audio that
            seems valid, and that nothing here decodes.
    """


class RawSamples(msgspec.Struct, frozen=True, array_like=True):
    """What samples without a header are: a suite says it, for they do not."""

    rate_hz: int = 24_000
    channels: int = 1
    encoding: str = "s16le"  # or "f32le"

    @property
    def block_bytes(self) -> int:
        """Of one sample of all channels."""
        return self.channels * SAMPLE_BYTES[self.encoding]


class AudioFacts(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What decoded audio is. Samples are numbers with full scale at 1; all channels count alike.

    Attributes:
        format: ``wav``, ``mp3``, ``flac``, ``ogg`` (Vorbis or FLAC in Ogg), ``opus`` (Opus in Ogg) or
            ``pcm``, by content.
        duration_s: samples of a channel ÷ rate.
        rms: square root of the mean of all samples' squares.
        peak: largest absolute value of a sample.
        silence: frames of 20 ms whose own RMS is under the threshold ÷ all frames; the last may be shorter.
        clipped: samples at full scale ÷ all samples. Full scale is what the encoding can hold at most: 32767
            ÷ 32768 of 1, for 8-bit encodings their own largest value.
        variation: of the loudness (RMS) of the frames that are not silent: standard deviation ÷ mean. Of
            speech 0.4 and more; of noise, and of a held tone, next to nothing.
        sounding_s: how long the frames that are not silent are together.
        sound_at_s: where the first sounding sample ends: the first of at least the threshold in the first
            frame that is not silent; None when every frame is.
        fingerprint: of the file's bytes: 16 bytes, equal for equal files.
    """

    format: str
    duration_s: float
    rate_hz: int
    channels: int
    rms: float
    peak: float
    silence: float
    clipped: float
    variation: float
    sounding_s: float
    sound_at_s: float | None
    fingerprint: bytes
