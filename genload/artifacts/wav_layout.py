"""WAV as it lies in a file: the chunks before the samples, and how many bytes of samples there are.

A server that streams cannot know the length when it writes the header: it writes a placeholder. So what
a header states is held against what is there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec

from genload.artifacts.audio_facts import AudioError, RawSamples

PCM, FLOAT, ALAW, MULAW = 1, 3, 6, 7
_LINEAR = (PCM, FLOAT, ALAW, MULAW)
_EXTENSIBLE = 0xFFFE
_RAW_KINDS = {"s16le": (PCM, 16), "f32le": (FLOAT, 32)}
_USUAL = struct.Struct("<4sI4s4sIHHIIHH4sI")  # RIFF, WAVE, a format chunk of 16 bytes, the data chunk's head
_FORMAT = struct.Struct("<HHIIHH")
_CHUNK = struct.Struct("<4sI")
_PLACEHOLDER_FROM = 0x7FFF_0000  # 0x7FFFFFFF and 0xFFFFFFFF less a header, and all that no file has


class WavLayout(msgspec.Struct, frozen=True):  # several times faster to make than a dataclass
    """Attributes:
    encoding: `PCM`, `FLOAT`, `ALAW`, `MULAW`, or another number of the registry.
    block_bytes: of one sample of all channels.
    data_start, data_bytes: where the samples lie; whole blocks only.
    """

    encoding: int
    rate_hz: int
    channels: int
    bits: int
    block_bytes: int
    data_start: int
    data_bytes: int

    @property
    def linear(self) -> bool:
        """Whether every sample takes the same number of bytes; if not, nobody can say how much plays when."""
        return self.encoding in _LINEAR

    @property
    def duration_s(self) -> float:
        """Of all samples; of linear ones."""
        return self.data_bytes // self.block_bytes / self.rate_hz

    def available_s(self, offsets: Sequence[int]) -> list[float]:
        """Seconds of audio in the first so many bytes, for each number of bytes; of linear samples."""
        start, size, block, rate_hz = self.data_start, self.data_bytes, self.block_bytes, self.rate_hz
        return [min(max(offset - start, 0), size) // block / rate_hz for offset in offsets]


def raw_layout(size_bytes: int, raw: RawSamples) -> WavLayout:
    """Of samples without a header."""
    encoding, bits = _RAW_KINDS[raw.encoding]
    block = raw.block_bytes
    return WavLayout(encoding, raw.rate_hz, raw.channels, bits, block, 0, size_bytes - size_bytes % block)


def wav_layout(content: bytes | memoryview, *, streamed: bool) -> WavLayout:
    """The chunks of a file that begins with ``RIFF….WAVE``.

    Args:
        streamed: any length longer than the body is a placeholder; of a whole answer only 0 and what no file
            has (from 0x7FFF0000 on) are.

    Raises:
        AudioError: truncated (inside its header, or before the length that it states), bad_audio.
    """
    if len(content) >= _USUAL.size:
        _, _, _, name, size, encoding, channels, rate_hz, _, block, bits, data, stated = _USUAL.unpack_from(
            content
        )
        if name == b"fmt " and size == 16 and data == b"data":
            return _layout(content, encoding, channels, rate_hz, block, bits, _USUAL.size, stated, streamed)
    return _walked(content, streamed)


def _walked(content: bytes | memoryview, streamed: bool) -> WavLayout:
    """Chunk by chunk, for files that are not the usual 44 bytes and samples."""
    place, shape = 12, None
    while len(content) >= place + _CHUNK.size:
        name, size = _CHUNK.unpack_from(content, place)
        place += _CHUNK.size
        if name == b"data":
            if shape is None:
                raise AudioError("bad_audio", "the samples come before the chunk that says what they are")
            return _layout(content, *shape, place, size, streamed)
        if name == b"fmt ":
            shape = _shape(content[place : place + size]) if place + size <= len(content) else None
        place += size + size % 2
    raise AudioError("truncated", f"the file ends after {len(content)} bytes, before its samples")


def _shape(chunk: bytes | memoryview) -> tuple[int, int, int, int, int]:
    """(encoding, channels, rate, bytes a block, bits a sample)."""
    if len(chunk) < _FORMAT.size:
        raise AudioError("bad_audio", f"a format chunk of {len(chunk)} bytes")
    encoding, channels, rate_hz, _, block, bits = _FORMAT.unpack_from(chunk)
    if encoding == _EXTENSIBLE and len(chunk) >= 26:
        encoding = int.from_bytes(chunk[24:26], "little")
    return encoding, channels, rate_hz, block, bits


def _layout(
    content: bytes | memoryview,
    encoding: int,
    channels: int,
    rate_hz: int,
    block: int,
    bits: int,
    start: int,
    stated: int,
    streamed: bool,
) -> WavLayout:
    if not (channels and rate_hz and block and bits) or (
        encoding in _LINEAR and block != channels * ((bits + 7) // 8)
    ):
        text = f"{channels} channels, {rate_hz} Hz, {bits} bits, {block} bytes a block"
        raise AudioError("bad_audio", f"its header contradicts itself: {text}")
    there = len(content) - start
    if 0 < stated <= there:
        there = stated
    elif not (streamed or stated == 0 or stated >= _PLACEHOLDER_FROM):
        raise AudioError("truncated", f"it has {there} of the {stated} bytes of samples that it states")
    return WavLayout(encoding, rate_hz, channels, bits, block, start, there - there % block)
