"""MPEG audio (MP3) as it lies in a file: tags, the header of each frame, what an encoder added.

ISO/IEC 11172-3 and 13818-3 for the frames; the Xing, Info and LAME tags as LAME and mpg123 have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from genload.artifacts.audio_facts import AudioError

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
_TRAILERS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame's header says."""

    size_bytes: int
    samples: int  # of each channel
    rate_hz: int
    mpeg1: bool
    layer: int
    mono: bool


@dataclass(frozen=True, slots=True)
class Mp3Layout:
    """Attributes:
    rate_hz: of all frames.
    ends: where each frame of audio ends.
    samples: of each channel, of each frame.
    skipped: samples in front, and `padding` at the end, that are the encoder's and decoder's own.
    cut: what is missing at the end; "" for nothing.
    """

    rate_hz: int
    ends: list[int]
    samples: list[int]
    skipped: int
    padding: int
    cut: str


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
    return Frame(size_bytes, samples, rate_hz, mpeg1, layer, mono=header[3] >> 6 == 3)


def frame_at(content: bytes, place: int) -> Frame | None:
    """The frame whose header lies there."""
    return _frame(content[place : place + _HEADER_BYTES])


def begins_with_frames(content: bytes, count: int) -> bool:
    """Whether so many whole frames of one kind, each followed by the next or the end, begin the file."""
    place, first = 0, frame_at(content, 0)
    frame = first
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


def mp3_layout(content: bytes) -> Mp3Layout | None:
    """Frame by frame; None for a file whose frames cannot be followed to its end.

    Raises:
        AudioError: truncated, before the first frame of audio.
    """
    place = skip_id3(content)
    first = frame_at(content, place)
    if place + _HEADER_BYTES > len(content):
        raise AudioError("truncated", "the file ends before its first frame")
    if first is None:
        return None
    tag = _tag_of(content[place : place + first.size_bytes], first)
    if tag is None:
        return _followed(content, place, first, _Tag(skipped=_DECODER_DELAY if first.layer == 3 else 0))
    return _followed(content, place + first.size_bytes, first, tag)


def mp3_with_length(content: bytes) -> bytes:
    """The file with its number of frames in front, where its server did not know it or did not say:
    mpg123 guesses it from the first bit rate then, and libsndfile reads no further than the guess.

    Raises:
        AudioError: as `mp3_layout`.
    """
    place = skip_id3(content)
    first = frame_at(content, place)
    layout = mp3_layout(content)
    if first is None or first.layer != 3 or layout is None:
        return content
    count = len(layout.ends).to_bytes(4, "big")
    tag_frame = content[place : place + first.size_bytes]
    tag = _tag_of(tag_frame, first)
    if tag is None:
        return _counting_frame(content[place : place + _HEADER_BYTES], count) + content[place:]
    at = place + _HEADER_BYTES + _side_bytes(first)
    if tag.frames or not content[at + 7] & 1:
        return content
    return content[: at + 8] + count + content[at + 12 :]


def _counting_frame(header: bytes, count: bytes) -> bytes:
    """A frame of the same kind without audio, that says how many follow."""
    # Without a checksum; at 64 kbit/s or more, so that it has room.
    header = bytes((header[0], header[1] | 1, header[2] & 0x0C | 0x80, header[3]))
    frame = frame_at(header, 0)
    assert frame is not None  # noqa: S101  every bit but the rate's is that of a frame
    body = bytes(_side_bytes(frame)) + b"Xing" + (1).to_bytes(4, "big") + count
    return header + body.ljust(frame.size_bytes - _HEADER_BYTES, b"\0")


def _side_bytes(frame: Frame) -> int:
    """Of layer III, between a frame's header and its audio."""
    if frame.mpeg1:
        return 17 if frame.mono else 32
    return 9 if frame.mono else 17


def _followed(content: bytes, place: int, first: Frame, tag: _Tag) -> Mp3Layout | None:
    ends: list[int] = []
    samples: list[int] = []
    size = len(content)
    cut = "it ends before its first frame of audio" if place > size else ""
    while place < size:
        frame = frame_at(content, place)
        if frame is None or frame.rate_hz != first.rate_hz:
            if content.startswith(b"ID3", place):
                place = skip_id3(content, place)
                continue
            if content.startswith(_TRAILERS, place) or not any(content[place:]):
                break
            if size - place >= _HEADER_BYTES:
                return None
        if frame is None or place + frame.size_bytes > size:
            cut = f"the last of {len(ends) + 1} frames is not whole"
            break
        place += frame.size_bytes
        ends.append(place)
        samples.append(frame.samples)
    if not cut and len(ends) < tag.frames:
        cut = f"it has {len(ends)} of the {tag.frames} frames that it states"
    return Mp3Layout(first.rate_hz, ends, samples, tag.skipped, tag.padding, cut)


def _tag_of(frame: bytes, header: Frame) -> _Tag | None:
    """What a first frame that holds no audio but facts says; None for one of audio."""
    if header.layer != 3:
        return None
    place = _HEADER_BYTES + _side_bytes(header)
    if frame.startswith(b"VBRI", 36):
        return _Tag()
    if not frame.startswith((b"Xing", b"Info"), place) or len(frame) < place + 8:
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
