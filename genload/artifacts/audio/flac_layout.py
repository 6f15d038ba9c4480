"""FLAC as it lies in a file (RFC 9639): metadata blocks, then frames, whose end only the next one tells."""

from __future__ import annotations

import re
from itertools import accumulate, islice

import numpy as np

from genload.artifacts.audio.facts import AudioError
from genload.artifacts.audio.mark import Mark
from genload.artifacts.audio.mp3_layout import skip_id3
from genload.artifacts.audio.stream import MOST_STREAMS, Stream, check_number

_STREAMINFO_BYTES = 34
_LONGEST_HEADER_BYTES = 16
_LARGEST_TOTAL = (1 << 36) - 1
_MARK = Mark(b"fLaC")
_BEGINNING = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")  # the mark, and the head of STREAMINFO


def _crc8_table() -> bytes:
    table = bytearray()
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = rest << 1 ^ (0x107 if rest & 0x80 else 0)
        table.append(rest)
    return bytes(table)


def _crc16_table() -> list[int]:
    """Of two bytes at once: half the steps."""
    words = np.arange(1 << 16)
    for _ in range(16):
        words = words << 1 ^ np.where(words & 0x8000, 0x18005, 0)
    found: list[int] = words.tolist()
    return found


_CRC8, _CRC16 = _crc8_table(), _crc16_table()


def flac_streams(content: bytes) -> list[Stream]:
    """Frame by frame; a stream for each file of several, one after the other.

    Raises:
        AudioError: truncated, before the first frame; bad_audio, without the block that says what it is.
    """
    first = skip_id3(content)
    later = (int(at) for at in _MARK.places(content, first + 1) if _BEGINNING.match(content, at))
    starts = [0, *islice(later, MOST_STREAMS)]
    check_number(len(starts))
    ends = [*starts[1:], len(content)]
    return [_stream(content[start:end], start) for start, end in zip(starts, ends, strict=True)]


def _stream(content: bytes, start: int) -> Stream:
    """One file, and where it begins among others."""
    end = start + len(content)
    place, info = _metadata(content)
    rate_hz = int.from_bytes(info[10:13], "big") >> 4
    total = int.from_bytes(info[13:18], "big") & _LARGEST_TOTAL
    smallest_bytes = max(int.from_bytes(info[4:7], "big"), _LONGEST_HEADER_BYTES // 2)
    if not rate_hz:
        raise AudioError("bad_audio", "the file says that it has no samples a second")
    if len(content) - place < _LONGEST_HEADER_BYTES:
        return Stream("flac", start, end, [], [], cut="it ends before its first frame" if total else "")
    frames = _frames(content, place, smallest_bytes)
    if not frames:
        return Stream("flac", start, end, [], None)
    ends = [start + place for place, _ in frames[1:]]
    samples = [size for _, size in frames]
    if _is_whole(content[frames[-1][0] :]):
        ends.append(end)
    else:
        samples.pop()
    cut = _cut(len(frames) - len(ends), total, sum(samples))
    seconds = [done / rate_hz for done in accumulate(samples)]
    return Stream("flac", start, end, ends, seconds, sum(samples), cut)


def flac_with_length(content: bytes, samples: int) -> bytes:
    """One stream with the number of its samples in its header, where a server that streamed could not know
    it: libsndfile does not read to an end that is not stated.

    Raises:
        AudioError: as `flac_streams`.
    """
    place, info = _metadata(content)
    if int.from_bytes(info[13:18], "big") & _LARGEST_TOTAL or not samples:
        return content
    start = content.index(info, 0, place) + 13
    stated = int.from_bytes(info[13:18], "big") | min(samples, _LARGEST_TOTAL)
    return content[:start] + stated.to_bytes(5, "big") + content[start + 5 :]


def _cut(frames_cut: int, total: int, samples: int) -> str:
    if frames_cut:
        return f"the last frame, after {samples} samples, is not whole"
    if samples < total:
        return f"it has {samples} of the {total} samples that it states"
    return ""


def _metadata(content: bytes) -> tuple[int, bytes]:
    """Where the frames begin, and the block STREAMINFO."""
    place = skip_id3(content) + 4
    info, last = b"", False
    while not last:
        head = content[place : place + 4]
        size = int.from_bytes(head[1:], "big")
        if len(head) < 4 or place + 4 + size > len(content):
            raise AudioError("truncated", "the file ends inside its metadata")
        if head[0] & 0x7F == 0:
            info = content[place + 4 : place + 4 + size]
        last = bool(head[0] & 0x80)
        place += 4 + size
    if len(info) < _STREAMINFO_BYTES:
        raise AudioError("bad_audio", "the file does not say what it is: no STREAMINFO")
    return place, info


def _frames(content: bytes, place: int, smallest_bytes: int) -> list[tuple[int, int]]:
    """(where, samples) of each frame. A header is one if its checksum holds and its number is the next; so
    that what looks like one inside a frame is told apart."""
    mark = content[place : place + 2]
    if mark not in (b"\xff\xf8", b"\xff\xf9"):
        return []
    by_sample = mark[1] & 1
    frames: list[tuple[int, int]] = []
    expected, next_from = None, place
    for at in map(int, Mark(mark).places(content, place)):
        header = _header(content, at) if at >= next_from else None
        if header is not None and (expected is None or header[0] == expected):
            number, size = header
            frames.append((at, size))
            expected = number + (size if by_sample else 1)
            next_from = at + smallest_bytes
    return frames


def _header(content: bytes, place: int) -> tuple[int, int] | None:
    """(number, samples) of the frame header that lies there; None if there is none."""
    head = content[place : place + _LONGEST_HEADER_BYTES]
    if len(head) < 6 or head[3] & 1:
        return None
    number, at = _coded_number(head)
    size_code, rate_code = head[2] >> 4, head[2] & 15
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    end = at + size_bytes + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if number < 0 or size_code == 0 or end >= len(head):
        return None
    crc = 0
    for byte in head[:end]:
        crc = _CRC8[crc ^ byte]
    if crc != head[end]:
        return None
    if size_bytes:
        return number, int.from_bytes(head[at : at + size_bytes], "big") + 1
    if size_code == 1:
        return number, 192
    return number, 576 << size_code - 2 if size_code < 6 else 256 << size_code - 8


def _coded_number(head: bytes) -> tuple[int, int]:
    """The frame's or sample's number, coded as UTF-8 is, and where it ends; −1 for none."""
    first = head[4]
    if first < 0x80:
        return first, 5
    length = 8 - (first ^ 0xFF).bit_length()
    rest = head[5 : 4 + length]
    if length < 2 or length > 7 or len(rest) < length - 1 or any(byte >> 6 != 2 for byte in rest):
        return -1, 5
    number = first & (1 << 7 - length) - 1
    for byte in rest:
        number = number << 6 | byte & 0x3F
    return number, 4 + length


def _is_whole(frame: bytes) -> bool:
    """Whether the checksum at a frame's end holds."""
    even = frame if len(frame) % 2 == 0 else b"\0" + frame  # a zero in front changes no checksum
    crc = 0
    for word in np.frombuffer(even, ">u2").tolist():
        crc = _CRC16[crc ^ word]
    return crc == 0
