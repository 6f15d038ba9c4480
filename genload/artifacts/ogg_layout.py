"""Vorbis and Opus in Ogg pages (RFC 3533, 7845; Vorbis I): what can be played when a page is whole.

A page carries a checksum over all of it: players take it whole or not at all. Its granule position says
how much audio has been completed at its end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from genload.artifacts.audio_facts import AudioError

_PAGE = struct.Struct("<4sBBqIIIB")
_BEGIN, _END = 2, 4  # flags of a page: first, last of its stream
_NO_PACKET_ENDS = -1
_OPUS_RATE_HZ = 48_000
# Opus: milliseconds × 10 of a frame, by the first five bits of a packet (RFC 6716, table 2).
_OPUS_FRAME = (*(100, 200, 400, 600) * 3, *(100, 200) * 2, *(25, 50, 100, 200) * 4)


@dataclass(frozen=True, slots=True)
class OggLayout:
    """Attributes:
    ends: where the pages end that complete audio.
    seconds: of audio completed there, from the beginning.
    cut: what is missing at the end; "" for nothing.
    """

    ends: list[int]
    seconds: list[float]
    cut: str


@dataclass(slots=True)
class _Stream:
    """One logical stream: in a chained file one follows another, each with headers of its own."""

    serial: int
    rate_hz: int
    skipped: int  # samples in front that only start the decoder
    longest_packet: int  # samples; 0 for Opus, where each packet tells its own
    headers_left: int
    before_s: float  # of the streams before it
    start: int | None = None  # the position at which it begins: a recording of a broadcast begins late
    packets: int = field(default=0)


def ogg_layout(content: bytes) -> OggLayout | None:
    """Page by page; None where positions do not say how much can be played.

    Raises:
        AudioError: truncated, inside the first page; bad_audio, something else between the pages.
    """
    ends: list[int] = []
    seconds: list[float] = []
    stream: _Stream | None = None
    place, cut, ended = 0, "", False
    while place < len(content):
        page = _page(content, place)
        if page is None:
            cut = f"the last page, at byte {place}, is not whole"
            break
        flags, position, serial, packets, place = page
        if flags & _BEGIN:
            stream = _begun(packets[0] if packets else b"", serial, seconds[-1] if seconds else 0.0)
        if stream is None:
            return None
        if serial != stream.serial:
            continue  # pictures or captions beside it
        ended = bool(flags & _END)
        done_s = _completed_s(stream, flags, position, packets)
        if done_s is None:
            return None
        if done_s > (seconds[-1] if seconds else 0.0):
            ends.append(place)
            seconds.append(done_s)
    cut = cut or _missing(stream, ended, place)
    if cut and not place:
        raise AudioError("truncated", cut)
    return OggLayout(ends, seconds, cut)


def _missing(stream: _Stream | None, ended: bool, place: int) -> str:
    """What a file of whole pages lacks at its end; "" for nothing."""
    if stream is not None and stream.headers_left:
        return "it ends inside its headers"
    # The last page is marked (RFC 3533, section 6). A cut between two pages shows in nothing else.
    return "" if ended else f"it ends at byte {place}, after a page that is not the last of its stream"


def _page(content: bytes, place: int) -> tuple[int, int, int, list[bytes], int] | None:
    """(flags, granule position, serial, packets that end in it, where it ends); None if it is not whole.

    Of a packet that began on an earlier page only the last part is in here.
    """
    if len(content) < place + _PAGE.size:
        return None
    mark, _, flags, position, serial, _, _, segments = _PAGE.unpack_from(content, place)
    if mark != b"OggS":
        raise AudioError("bad_audio", f"byte {place} should begin a page of Ogg, and does not")
    sizes = content[place + _PAGE.size : place + _PAGE.size + segments]
    start = place + _PAGE.size + segments
    end = start + sum(sizes)
    if len(sizes) < segments or end > len(content):
        return None
    packets, begin = [], start
    for size in sizes:
        start += size
        if size < 255:
            packets.append(content[begin:start])
            begin = start
    return flags, position, serial, packets, end


def _begun(head: bytes, serial: int, before_s: float) -> _Stream | None:
    """The stream that a first packet announces; None for a codec whose positions are not known here."""
    if head.startswith(b"\x01vorbis") and len(head) >= 29:
        rate_hz = int.from_bytes(head[12:16], "little")
        longest = 1 << (head[28] >> 4)
        return _Stream(serial, rate_hz, 0, longest // 2, 3, before_s) if rate_hz else None
    if head.startswith(b"OpusHead") and len(head) >= 19:
        return _Stream(serial, _OPUS_RATE_HZ, int.from_bytes(head[10:12], "little"), 0, 2, before_s)
    return None


def _completed_s(stream: _Stream, flags: int, position: int, packets: list[bytes]) -> float | None:
    """Seconds of audio completed at a page's end; what was before if it completes none; None for unknown."""
    headers = min(stream.headers_left, len(packets))
    stream.headers_left -= headers
    audio = packets[headers:]
    if not audio or position == _NO_PACKET_ENDS:
        return stream.before_s
    if stream.start is None:
        stream.start = _start(stream, flags, position, audio)
        if stream.start is None:
            return None
    samples = position - stream.start - stream.skipped
    return stream.before_s + max(samples, 0) / stream.rate_hz


def _start(stream: _Stream, flags: int, position: int, packets: list[bytes]) -> int | None:
    """The position before the first page of audio: 0, but in a recording that began in the middle."""
    if stream.longest_packet:
        return 0 if position <= len(packets) * stream.longest_packet else None
    there = sum(_opus_samples(packet) for packet in packets)
    return max(position - there, 0)


def _opus_samples(packet: bytes) -> int:
    """Samples in a packet, at 48 kHz (RFC 6716, section 3.1)."""
    if not packet:
        return 0
    kind = packet[0] & 3
    frames = (1, 2, 2)[kind] if kind < 3 else packet[1] & 0x3F if len(packet) > 1 else 0
    return frames * _OPUS_FRAME[packet[0] >> 3] * _OPUS_RATE_HZ // 10_000
