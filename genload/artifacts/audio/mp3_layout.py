"""MPEG audio (MP3) as it lies in a file: tags, the header of each frame, what an encoder added.

ISO/IEC 11172-3 and 13818-3 for the frames; the Xing, Info and LAME tags as LAME and mpg123 have them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from genload.artifacts.audio.facts import AudioError
from genload.artifacts.audio.stream import Stream, check_number

_BITRATES_KBIT = {  # by (MPEG-1?, layer), index 1..14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_HEADER_BYTES = 4
_DECODER_DELAY = 529  # samples that every decoder of layer III adds in front
_TRAILERS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")
_ID3V1_BYTES, _APE_BYTES = 128, 32
_NOT_ZERO = re.compile(rb"[^\0]")
_XING = (b"Xing", b"Info")
_VBRI, _VBRI_AT = b"VBRI", 36


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame's header says."""

    size_bytes: int
    samples: int  # of each channel
    rate_hz: int
    layer: int
    mark_at: int  # where, in one of layer III, a mark in the place of audio lies: Xing or Info


@dataclass(frozen=True, slots=True)
class _Tag:
    """What an encoder says of the frames that follow; 0 frames: it does not say how many."""

    frames: int = 0
    skipped: int = _DECODER_DELAY
    padding: int = 0


@lru_cache(maxsize=1024)
def _frame(header: bytes) -> Frame | None:
    """The frame that four bytes begin; None if they begin none, or one of free format."""
    if len(header) < _HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3 or header[3] & 3 == 2:
        return None
    mpeg1 = version == 3
    bits_per_s = _BITRATES_KBIT[mpeg1, layer][bitrate - 1] * 1000
    rate_hz = _RATES_HZ[version][rate]
    if layer == 1:
        samples, size_bytes = 384, (12 * bits_per_s // rate_hz + padding) * 4
    else:
        samples = 576 if layer == 3 and not mpeg1 else 1152
        size_bytes = samples // 8 * bits_per_s // rate_hz + padding
    mono = header[3] >> 6 == 3
    side_bytes = (17 if mono else 32) if mpeg1 else (9 if mono else 17)
    return Frame(size_bytes, samples, rate_hz, layer, _HEADER_BYTES + side_bytes)


def frame_at(content: bytes, place: int) -> Frame | None:
    """The frame whose header lies there."""
    return _frame(content[place : place + _HEADER_BYTES])


def begins_with_frames(content: bytes, count: int, place: int = 0) -> bool:
    """Whether so many whole frames of one kind, each followed by the next or the end, begin there."""
    first = frame = frame_at(content, place)
    for _ in range(count):
        if first is None or frame is None or (frame.rate_hz, frame.layer) != (first.rate_hz, first.layer):
            return False
        place += frame.size_bytes
        frame = frame_at(content, place)
    return frame is not None or len(content) - place < _HEADER_BYTES or content.startswith(_TRAILERS, place)


def skip_id3(content: bytes, place: int = 0) -> int:
    """Where the ID3v2 tags that begin there end."""
    while content.startswith(b"ID3", place) and len(content) >= place + 10:
        size = 0
        for byte in content[place + 6 : place + 10]:
            size = size << 7 | byte & 0x7F
        has_footer = bool(content[place + 5] & 0x10)
        place += 10 + size + (10 if has_footer else 0)
    return place


def mp3_streams(content: bytes) -> list[Stream]:
    """Frame by frame. A new stream begins with tags (ID3, Xing, Info, VBRI), with another rate or layer, and
    behind as many frames as a tag states.

    Raises:
        AudioError: truncated, before the first frame of audio; bad_audio, where bytes are missing between the
            frames or were changed.
    """
    place, size = skip_id3(content), len(content)
    if place + _HEADER_BYTES > size:
        raise AudioError("truncated", "the file ends before its first frame")
    if frame_at(content, place) is None:  # free format
        return [Stream("mp3", 0, size, [], None)]
    streams: list[Stream] = []
    start = 0
    while place < size or not streams:
        stream, place = _followed(content, start, place)
        streams.append(stream)
        check_number(len(streams))
        start, place = place, skip_id3(content, place)
    return streams


def mp3_with_length(content: bytes, frames: int) -> bytes:
    """One stream with its number of frames in front, where its server did not know it or did not say:
    mpg123 guesses it from the first bit rate then, and libsndfile reads no further than the guess.
    """
    place = skip_id3(content)
    first = frame_at(content, place)
    if first is None or first.layer != 3 or not frames:
        return content
    count = frames.to_bytes(4, "big")
    tag_frame = content[place : place + first.size_bytes]
    tag = _tag_of(tag_frame, first)
    if tag is None:
        return _counting_frame(content[place : place + _HEADER_BYTES], count) + content[place:]
    at = place + first.mark_at
    if tag.frames or not content[at + 7] & 1:
        return content
    return content[: at + 8] + count + content[at + 12 :]


def _counting_frame(header: bytes, count: bytes) -> bytes:
    """A frame of the same kind without audio, that says how many follow."""
    # Without a checksum; at 64 kbit/s or more, so that it has room.
    header = bytes((header[0], header[1] | 1, header[2] & 0x0C | 0x80, header[3]))
    frame = frame_at(header, 0)
    assert frame is not None  # noqa: S101  every bit but the rate's is that of a frame
    tag = b"Xing" + (1).to_bytes(4, "big") + count
    return (header.ljust(frame.mark_at, b"\0") + tag).ljust(frame.size_bytes, b"\0")


def _is_tag(content: bytes, place: int, frame: Frame) -> bool:
    """Whether the frame that begins there holds facts in the place of audio."""
    at = place + frame.mark_at
    if content[at : at + 4] not in _XING and content[place + _VBRI_AT : place + _VBRI_AT + 4] != _VBRI:
        return False
    return frame.layer == 3


def _followed(content: bytes, start: int, place: int) -> tuple[Stream, int]:
    """The stream whose first frame lies at `place`, its tags from `start` on; and where the next begins."""
    first = frame_at(content, place)
    assert first is not None  # noqa: S101  whoever calls has seen it
    head = place
    tag = _tag_of(content[place : place + first.size_bytes], first)
    if tag is None:
        tag = _Tag(skipped=_DECODER_DELAY if first.layer == 3 else 0)
    else:
        place += first.size_bytes
    ends: list[int] = []
    samples: list[int] = []
    size = len(content)
    cut = "it ends before its first frame of audio" if place > size else ""
    stated = tag.frames or -1
    while place < size:
        frame = _frame(content[place : place + _HEADER_BYTES])
        if frame is None or frame.rate_hz != first.rate_hz or frame.layer != first.layer:
            place, cut = _between(content, place, len(ends))
            break
        if len(ends) == stated:
            break
        if place + frame.size_bytes > size:
            cut, place = f"the last of {len(ends) + 1} frames is not whole", size
            break
        # Where no audio is, zeros stand in front of the mark: few frames are looked into for it.
        if not content[place + _HEADER_BYTES] and place != head and _is_tag(content, place, frame):
            break
        place += frame.size_bytes
        ends.append(place)
        samples.append(frame.samples)
    if not cut and len(ends) < tag.frames:
        cut = f"it has {len(ends)} of the {tag.frames} frames that it states"
    last = sum(samples) - tag.skipped - tag.padding
    seconds = [max(min(done - tag.skipped, last), 0) / first.rate_hz for done in accumulate(samples)]
    return Stream("mp3", start, place, ends, seconds, len(ends), cut), place


def _between(content: bytes, place: int, frames: int) -> tuple[int, str]:
    """Where the next stream begins, or the end; and what is cut off there.

    Raises:
        AudioError: bad_audio.
    """
    size = len(content)
    after = _skip_trailers(content, place)
    begins = skip_id3(content, after)
    if begins >= size:
        return size, ""
    if begins_with_frames(content, 1, begins):
        return after, ""
    if size - begins < _HEADER_BYTES:
        return size, f"the last of {frames + 1} frames is not whole"
    text = f"byte {begins}, after {frames} frames, begins no frame: bytes are missing or were changed"
    raise AudioError("bad_audio", text)


def _skip_trailers(content: bytes, place: int) -> int:
    """Where the tags that follow a stream end: ID3v1, APE, Lyrics3, and zeros."""
    while True:
        before = place
        if content.startswith(b"TAG", place):
            place += _ID3V1_BYTES
        elif content.startswith(b"APETAGEX", place) and len(content) >= place + _APE_BYTES:
            is_header = content[place + 23] & 0x20
            place += _APE_BYTES + (
                int.from_bytes(content[place + 12 : place + 16], "little") if is_header else 0
            )
        elif content.startswith(b"LYRICSBEGIN", place):
            end = content.find(b"LYRICS200", place)
            place = len(content) if end < 0 else end + 9
        elif content.startswith(b"\0", place):
            rest = _NOT_ZERO.search(content, place)
            place = len(content) if rest is None else rest.start()
        if place == before:
            return min(place, len(content))


def _tag_of(frame: bytes, header: Frame) -> _Tag | None:
    """What a first frame that holds no audio but facts says; None for one of audio."""
    place = header.mark_at
    if not _is_tag(frame, 0, header):
        return None
    if frame[place : place + 4] not in _XING:
        return _Tag()
    if len(frame) < place + 8:
        return None
    flags = frame[place + 7]
    # A server that streams does not know how many there will be, and writes 0.
    frames = int.from_bytes(frame[place + 8 : place + 12], "big") if flags & 1 else 0
    parts = ((1, 4), (2, 4), (4, 100), (8, 4))  # frames, bytes, table of contents, quality
    lame = place + 8 + sum(length for bit, length in parts if flags & bit)
    delays = frame[lame + 21 : lame + 24]
    if len(delays) < 3 or not any(frame[lame : lame + 4]):
        return _Tag(frames)
    delay, padding = delays[0] << 4 | delays[1] >> 4, (delays[1] & 15) << 8 | delays[2]
    return _Tag(frames, delay + _DECODER_DELAY, max(padding - _DECODER_DELAY, 0))
