"""Audio as a file of its format: whole, or piece by piece as it is spoken. Samples are mono int16."""

from __future__ import annotations

import io
import struct
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.int16]

WAV_HEADER_BYTES = 44
_UNKNOWN = 0xFFFFFFFF  # the length in a streamed WAV header
_PCM, _FLOAT = 1, 3  # WAVE_FORMAT_PCM, WAVE_FORMAT_IEEE_FLOAT


class Format(StrEnum):
    """By the name that requests have for it."""

    WAV = "wav"
    PCM = "pcm"  # s16le, mono, no header
    MP3 = "mp3"
    FLAC = "flac"
    OGG = "ogg"  # Vorbis
    OPUS = "opus"  # in Ogg
    AAC = "aac"  # a name only: libsndfile does not write it


_FILES = {
    Format.MP3: ("MP3", "MPEG_LAYER_III"),
    Format.FLAC: ("FLAC", "PCM_16"),
    Format.OGG: ("OGG", "VORBIS"),
    Format.OPUS: ("OGG", "OPUS"),
}


_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # layer III, below 32 kHz


class EncodingError(Exception):
    """The format cannot be written."""


def encode(samples: Samples, form: Format, rate_hz: int) -> bytes:
    """The whole file.

    Raises:
        EncodingError: `Format.AAC`.
    """
    if form is Format.PCM:
        return samples.tobytes()
    if form is Format.WAV:
        return wav_header(rate_hz, samples.nbytes) + samples.tobytes()
    if form not in _FILES:
        raise EncodingError(f"Format '{form}' is not supported")
    kind, subtype = _FILES[form]
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=kind, subtype=subtype)
    return file.getvalue()


def wav_header(rate_hz: int, size_bytes: int | None) -> bytes:
    """44 bytes; None is for a stream, whose header cannot know how much follows."""
    return _wav_header(rate_hz, size_bytes, _PCM, 2)


def nan_wav(samples: Samples, rate_hz: int) -> bytes:
    """A WAV of 32-bit floats, some of which are no numbers."""
    floats = (samples / 32768).astype("<f4")
    floats[::7] = np.nan
    return _wav_header(rate_hz, floats.nbytes, _FLOAT, 4) + floats.tobytes()


def _wav_header(rate_hz: int, size_bytes: int | None, code: int, width: int) -> bytes:
    riff_bytes = _UNKNOWN if size_bytes is None else size_bytes + 36
    data_bytes = _UNKNOWN if size_bytes is None else size_bytes
    form = struct.pack("<IHHIIHH", 16, code, 1, rate_hz, rate_hz * width, width, 8 * width)
    return (
        b"RIFF" + struct.pack("<I", riff_bytes) + b"WAVEfmt " + form + b"data" + struct.pack("<I", data_bytes)
    )


class Encoder:
    """A file that is written as it is spoken.

    As in any stream, a WAV header's length is a placeholder then, and FLAC's number of samples is 0 for
    "unknown". MP3 has a constant bit rate, and no leading frame that would tell the length.

    Raises:
        EncodingError: `Format.AAC`.
    """

    def __init__(self, form: Format, rate_hz: int) -> None:
        self._sink = _Sink()
        self.exact = form in (Format.WAV, Format.PCM)  # which audio is in which bytes can be told
        self._file: Any = None
        if form in _FILES:
            kind, subtype = _FILES[form]
            steady = {"bitrate_mode": "CONSTANT", "compression_level": 0.5} if form is Format.MP3 else {}
            self._file = soundfile.SoundFile(
                self._sink, "w", rate_hz, 1, format=kind, subtype=subtype, **steady
            )
        elif not self.exact:
            raise EncodingError(f"Format '{form}' is not supported")
        self._drops_frame, self._rate_hz = form is Format.MP3, rate_hz
        self.header = wav_header(rate_hz, None) if form is Format.WAV else b""

    def feed(self, pcm: bytes) -> bytes:
        """More audio, s16le; the bytes that are ready for it, maybe none."""
        if self._file is None:
            return pcm
        self._file.buffer_write(pcm, "int16")
        return self._without_first_frame(self._sink.take())

    def finish(self) -> bytes:
        """No more audio: the rest."""
        if self._file is None:
            return b""
        self._file.close()
        return self._without_first_frame(self._sink.take())

    def _without_first_frame(self, content: bytes) -> bytes:
        if not self._drops_frame or not content:
            return content
        self._drops_frame = False
        # ISO 11172-3's header: the bit rate's index, and whether the frame is padded by a byte.
        bits_a_second = 1000 * _MPEG2_KBPS[content[2] >> 4]
        return content[72 * bits_a_second // self._rate_hz + (content[2] >> 1 & 1) :]


class _Sink(io.RawIOBase):
    """A file for libsndfile, of which the end is taken away as it grows."""

    def __init__(self) -> None:
        self._bytes, self._at, self._taken = bytearray(), 0, 0

    def take(self) -> bytes:
        content = bytes(self._bytes)
        self._taken += len(content)
        self._bytes.clear()
        return content

    def write(self, content: Any) -> int:
        lost = max(0, min(len(content), self._taken - self._at))  # gone out already
        start = max(0, self._at - self._taken)
        self._bytes[start : start + len(content) - lost] = bytes(content)[lost:]
        self._at += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._taken + len(self._bytes)}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at
