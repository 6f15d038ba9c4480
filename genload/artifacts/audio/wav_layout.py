"""WAV as it lies in a file: the chunks before the samples, and how many bytes of samples there are.

A server that streams cannot know the length when it writes the header: it writes a placeholder. So what
a header states is held against what is there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from genload.artifacts.audio.facts import LONGEST_S, AudioError, RawSamples
from genload.artifacts.audio.mark import Mark
from genload.artifacts.audio.stream import check_number

PCM, FLOAT, ALAW, MULAW = 1, 3, 6, 7
_LINEAR = (PCM, FLOAT, ALAW, MULAW)
_EXTENSIBLE, _EXTENSIBLE_BYTES = 0xFFFE, 26
_RAW_KINDS = {"s16le": (PCM, 16), "f32le": (FLOAT, 32)}
_USUAL = struct.Struct("<4s8x4sI16s4sI")  # RIFF, a format chunk of 16 bytes, the data chunk's head
_FORMAT = struct.Struct("<HHIIHH")
_CHUNK = struct.Struct("<4sI")
_CHUNK64 = struct.Struct("<4s12xQ")  # of Wave64: a GUID that begins with the name; the size counts this head
_MARKS = (b"RIFF", b"RF64", b"BW64")
_INNER_MARK = Mark(b"WAVEfmt ")  # eight bytes behind the beginning of a file
HEADER_PEAK = _INNER_MARK.loudest
"""Of samples of 16 bits among which a header lies."""
_MOST_CHUNKS = 1000
_NO_ANSWER_BYTES = 1 << 30  # 0x7FFFFFFF and 0xFFFFFFFF less a header, 2,000,000,000


class WavLayout(msgspec.Struct, frozen=True):  # several times faster to make than a dataclass
    """Attributes:
    encoding: `PCM`, `FLOAT`, `ALAW`, `MULAW`, or another number of the registry.
    block_bytes: of one sample of all channels.
    data_start, data_bytes: where the samples lie; whole blocks only.
    start, end: where the file begins, and where its samples end.
    stated: whether its header says where they end; if not, they go on to the end of what came.
    """

    encoding: int
    rate_hz: int
    channels: int
    bits: int
    block_bytes: int
    data_start: int
    data_bytes: int
    start: int
    end: int
    stated: bool = True

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
    whole = size_bytes - size_bytes % block
    return WavLayout(encoding, raw.rate_hz, raw.channels, bits, block, 0, whole, 0, size_bytes)


def wav_layouts(content: bytes | memoryview, *, streamed: bool, search: bool = True) -> list[WavLayout]:
    """The files that follow one another, nearly always one: WAV, RF64 or Sony's Wave64.

    Args:
        streamed: any length longer than the body is a placeholder; of a whole answer only 0 and what no
            answer has are: more than an hour, or than a gigabyte.
        search: False leaves `check_no_header_inside` to the caller, who reads the samples anyway.

    Raises:
        AudioError: truncated (inside its header, or before the length that it states); bad_audio, also as
            `check_no_header_inside`.
    """
    layouts = [_file(content, 0, streamed)]
    while (end := layouts[-1].end) < len(content):
        start = _next_file(content, end)
        if start < 0:
            break
        check_number(len(layouts) + 1)
        layouts.append(_file(content, start, streamed))
    if search and not layouts[-1].stated:
        check_no_header_inside(content, layouts[-1])
    return layouts


def check_no_header_inside(content: bytes | memoryview, layout: WavLayout) -> None:
    """Raises AudioError, bad_audio: among samples whose end is not stated lies the header of another file. It
    is no new file: every player plays it as a click.
    """
    if layout.stated:
        return
    for at in _INNER_MARK.places(content, layout.data_start, 1 if layout.block_bytes % 2 else 2):
        if content[at - 8 : at - 4] == b"RIFF":
            text = "among the samples of one that states no length: it is played as a click"
            raise AudioError("bad_audio", f"there is a WAV header at byte {at - 8}, {text}")


def available_s(layouts: Sequence[WavLayout], offsets: Sequence[int]) -> list[float]:
    """Seconds of audio in the first so many bytes, of files of linear samples one after the other."""
    if len(layouts) == 1:
        return layouts[0].available_s(offsets)
    parts = [layout.available_s(offsets) for layout in layouts]
    return [sum(seconds) for seconds in zip(*parts, strict=True)]


def _file(content: bytes | memoryview, start: int, streamed: bool) -> WavLayout:
    """The file that begins there."""
    if len(content) >= start + _USUAL.size:
        mark, name, size, chunk, data, stated = _USUAL.unpack_from(content, start)
        if name == b"fmt " and size == 16 and data == b"data" and mark == b"RIFF":
            return _layout(content, start, _shape(chunk), start + _USUAL.size, stated, streamed)
    return _walked(content, start, streamed)


def _walked(content: bytes | memoryview, start: int, streamed: bool) -> WavLayout:
    """Chunk by chunk, for files that are not the usual 44 bytes and samples."""
    wave64 = content[start : start + 4] == b"riff"
    chunk, place, aligned, counted = (_CHUNK64, start + 40, 8, 24) if wave64 else (_CHUNK, start + 12, 2, 0)
    shape, long = None, 0
    for _ in range(_MOST_CHUNKS):
        if len(content) < place + chunk.size:
            raise AudioError("truncated", f"the file ends after {len(content)} bytes, before its samples")
        name, size = chunk.unpack_from(content, place)
        place += chunk.size
        size = max(size - counted, 0)
        if name == b"data":
            if shape is None:
                raise AudioError("bad_audio", "the samples come before the chunk that says what they are")
            stated = long if size == 0xFFFF_FFFF and long else size
            return _layout(content, start, shape, place, stated, streamed)
        if name == b"fmt ":
            whole = place + size <= len(content)
            shape = _shape(bytes(content[place : place + min(size, _EXTENSIBLE_BYTES)])) if whole else None
        elif name == b"ds64":  # of RF64: what does not fit into 32 bits
            long = int.from_bytes(content[place + 8 : place + 16], "little")
        place += size + -size % aligned
    raise AudioError("bad_audio", f"more than {_MOST_CHUNKS} chunks before its samples")


def _next_file(content: bytes | memoryview, place: int) -> int:
    """Where another file begins behind the chunks that follow some samples; −1 if none does."""
    for _ in range(_MOST_CHUNKS):
        for start in (place, place + 1):  # behind an odd number of bytes, with or without the one that pads
            if content[start : start + 4] in _MARKS and content[start + 8 : start + 12] == b"WAVE":
                return start
        place += place % 2
        if len(content) < place + _CHUNK.size:
            break
        _, size = _CHUNK.unpack_from(content, place)
        place += _CHUNK.size + size + size % 2
    return -1


class _Shape(NamedTuple):
    """What a format chunk says; `fault`: how it contradicts itself."""

    encoding: int
    channels: int
    rate_hz: int
    block_bytes: int
    bits: int
    fault: str


@lru_cache(64)  # the answers of a service say all the same
def _shape(chunk: bytes) -> _Shape:
    """Of a format chunk, or its first 26 bytes."""
    if len(chunk) < _FORMAT.size:
        raise AudioError("bad_audio", f"a format chunk of {len(chunk)} bytes")
    encoding, channels, rate_hz, _, block, bits = _FORMAT.unpack_from(chunk)
    if encoding == _EXTENSIBLE and len(chunk) >= _EXTENSIBLE_BYTES:
        encoding = int.from_bytes(chunk[24:26], "little")
    linear, fault = encoding in _LINEAR, ""
    # Packed samples need not say how many bits one takes.
    if not (channels and rate_hz and block and (bits or not linear)) or (
        linear and block != channels * ((bits + 7) // 8)
    ):
        fault = f"{channels} channels, {rate_hz} Hz, {bits} bits, {block} bytes a block"
    return _Shape(encoding, channels, rate_hz, block, bits, fault)


def _layout(
    content: bytes | memoryview, start: int, shape: _Shape, place: int, stated: int, streamed: bool
) -> WavLayout:
    encoding, channels, rate_hz, block, bits, fault = shape
    if fault:
        raise AudioError("bad_audio", f"its header contradicts itself: {fault}")
    there = len(content) - place
    is_stated = 0 < stated <= there
    if is_stated:
        there = stated
    elif not (streamed or stated == 0 or stated > min(_NO_ANSWER_BYTES, LONGEST_S * rate_hz * block)):
        raise AudioError("truncated", f"it has {there} of the {stated} bytes of samples that it states")
    whole, end = there - there % block, place + there
    return WavLayout(encoding, rate_hz, channels, bits, block, place, whole, start, end, is_stated)
