"""Vorbis, Opus, FLAC and Speex in Ogg pages (RFC 3533, 7845, 9639 section 10.1; Vorbis I): what can be played
when a page is whole.

A page carries a checksum over all of it, and a number: players take it whole or not at all. Its granule
position says how much audio has been completed at its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from zlib import crc32

from genload.artifacts.audio.facts import AudioError
from genload.artifacts.audio.stream import Stream, check_number

_PAGE = struct.Struct("<4sBBqIIIB")
_CHECKSUM_AT = 22
_BEGIN, _END = 2, 4  # flags of a page: first, last of its stream
_NO_PACKET_ENDS = -1
_OPUS_RATE_HZ = 48_000
# Opus: samples of a frame at 48 kHz, by the first five bits of a packet (RFC 6716, table 2).
_OPUS_FRAME = (*(480, 960, 1920, 2880) * 3, *(480, 960) * 2, *(120, 240, 480, 960) * 4)
_FLAC_MAPPING_BYTES = 9  # what Ogg puts in front of FLAC's own first bytes
# Ogg's checksum is zlib's with the bits of every byte the other way round, and without its inversions.
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_INVERTED = 0xFFFF_FFFF


class _Page(NamedTuple):
    start: int
    end: int
    flags: int
    position: int
    serial: int
    number: int
    data: int  # where its packets begin
    sizes: bytes  # of its segments

    @property
    def packets_ending(self) -> int:
        """How many packets end in it."""
        return len(self.sizes) - self.sizes.count(255)

    def packets(self, content: bytes) -> list[bytes]:
        """Those that end in it; of one that began on an earlier page only the last part."""
        packets, begin, place = [], self.data, self.data
        for size in self.sizes:
            place += size
            if size < 255:
                packets.append(content[begin:place])
                begin = place
        return packets


@dataclass(slots=True)
class _Audio:
    """The audio of one link of a chain: one stream follows another, each with headers of its own."""

    codec: str
    serial: int
    rate_hz: int = 0  # 0: positions do not say how much can be played
    skipped: int = 0  # samples in front that only start the decoder
    longest_packet: int = 0  # samples; 0 for Opus, where each packet tells its own
    headers_left: int = 0
    start: int | None = None  # the position at which it begins: a recording of a broadcast begins late
    ended: bool = False
    ends: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def ogg_streams(content: bytes) -> list[Stream]:
    """Page by page; a stream for each link of a chain.

    Raises:
        AudioError: truncated, inside the first page; bad_audio, for something else between the pages, a page
            whose checksum does not hold, and pages that are missing.
    """
    streams: list[Stream] = []
    audio: _Audio | None = None
    numbers: dict[int, int] = {}  # of the last page, by serial
    start, place, heads_over = 0, 0, False
    for page in _pages(content):
        if page.flags & _BEGIN:
            if heads_over:  # a new link
                streams.append(_stream(audio, start, page.start))
                check_number(len(streams))
                audio, start, heads_over, numbers = None, page.start, False, {}
            audio = _better(audio, _begun(page, content))
        else:
            heads_over = True
            _check_number(page, numbers.get(page.serial))
        numbers[page.serial] = page.number
        place = page.end
        if audio is not None and page.serial == audio.serial:  # not pictures or captions beside it
            _advance(audio, page, content)
    cut = "" if place == len(content) else f"the last page, at byte {place}, is not whole"
    if cut and not place:
        raise AudioError("truncated", cut)
    streams.append(_stream(audio, start, len(content), cut))
    return streams


def flac_of_ogg(content: bytes) -> bytes:
    """The FLAC of one stream as a file of its own."""
    pages = list(_pages(content))
    audio = next((page.serial for page in pages if content.startswith(b"\x7fFLAC", page.data)), None)
    whole = b"".join(content[page.data : page.end] for page in pages if page.serial == audio)
    return whole[_FLAC_MAPPING_BYTES:]


def _stream(audio: _Audio | None, start: int, end: int, cut: str = "") -> Stream:
    if audio is None:
        return Stream("ogg", start, end, [], None, cut=cut)
    if not cut and audio.headers_left:
        cut = "it ends inside its headers"
    # The last page is marked (RFC 3533, section 6). A cut between two pages shows in nothing else.
    if not cut and not audio.ended:
        cut = f"it ends at byte {end}, after a page that is not the last of its stream"
    seconds = audio.seconds if audio.rate_hz else None
    return Stream(audio.codec, start, end, audio.ends, seconds, len(audio.ends), cut)


def _pages(content: bytes) -> Iterator[_Page]:
    """Up to the end, or to a page that is not whole."""
    mirrored = memoryview(content.translate(_MIRRORED))
    place = 0
    while len(content) >= place + _PAGE.size:
        mark, _, flags, position, serial, number, _, segments = _PAGE.unpack_from(content, place)
        if mark != b"OggS":
            raise AudioError("bad_audio", f"byte {place} should begin a page of Ogg, and does not")
        data = place + _PAGE.size + segments
        sizes = content[place + _PAGE.size : data]
        end = data + sum(sizes)
        if len(sizes) < segments or end > len(content):
            return
        crc = crc32(b"\0\0\0\0", crc32(mirrored[place : place + _CHECKSUM_AT], _INVERTED))
        crc = crc32(mirrored[place + _CHECKSUM_AT + 4 : end], crc) ^ _INVERTED
        if crc.to_bytes(4, "big") != mirrored[place + _CHECKSUM_AT : place + _CHECKSUM_AT + 4]:
            raise AudioError(
                "bad_audio", f"the page at byte {place} fails its checksum: players leave it out"
            )
        yield _Page(place, end, flags, position, serial, number, data, sizes)
        place = end


def _check_number(page: _Page, last: int | None) -> None:
    if last is not None and page.number != last + 1 & _INVERTED:
        between = f"pages of Ogg are missing before byte {page.start}"
        raise AudioError("bad_audio", f"{between}: number {page.number} follows number {last}")


def _better(audio: _Audio | None, begun: _Audio | None) -> _Audio | None:
    """Of two streams side by side the one whose positions are understood."""
    return begun if audio is None or not audio.rate_hz else audio


def _begun(page: _Page, content: bytes) -> _Audio | None:
    """The audio that a first packet announces; None for a codec that is not known here."""
    head, serial = content[page.data : page.end], page.serial
    if head.startswith(b"\x01vorbis") and len(head) >= 29:
        rate_hz = int.from_bytes(head[12:16], "little")
        return _Audio("vorbis", serial, rate_hz, 0, (1 << (head[28] >> 4)) // 2, 3)
    if head.startswith(b"OpusHead") and len(head) >= 19:
        return _Audio("opus", serial, _OPUS_RATE_HZ, int.from_bytes(head[10:12], "little"), 0, 2)
    if head.startswith(b"\x7fFLAC") and head[9:13] == b"fLaC" and len(head) >= 51:
        info = head[17:51]
        rate_hz, headers = int.from_bytes(info[10:13], "big") >> 4, int.from_bytes(head[7:9], "big")
        # 0 headers: unknown how many. They are no audio by their position, 0, either.
        return _Audio("flac in ogg", serial, rate_hz, 0, int.from_bytes(info[2:4], "big"), 1 + headers)
    if head.startswith(b"Speex   ") and len(head) >= 72:
        rate_hz, frame, each, more = (int.from_bytes(head[at : at + 4], "little") for at in (36, 56, 64, 68))
        return _Audio("speex", serial, rate_hz, 0, frame * max(each, 1), 2 + more)
    return None


def _advance(audio: _Audio, page: _Page, content: bytes) -> None:
    """Count the audio that a page completes."""
    audio.ended = bool(page.flags & _END)
    if audio.start is None:  # once it has begun, positions tell all
        headers = min(audio.headers_left, page.packets_ending)
        audio.headers_left -= headers
        if headers == page.packets_ending or page.position == _NO_PACKET_ENDS or not audio.rate_hz:
            return
        audio.start = _start(audio, page, content, headers)
        if audio.start is None:
            audio.rate_hz = 0
            return
    if page.position == _NO_PACKET_ENDS:
        return
    done_s = max(page.position - audio.start - audio.skipped, 0) / audio.rate_hz
    if done_s > (audio.seconds[-1] if audio.seconds else 0.0):
        audio.ends.append(page.end)
        audio.seconds.append(done_s)


def _start(audio: _Audio, page: _Page, content: bytes, headers: int) -> int | None:
    """The position before the first page of audio, which may begin with headers: 0, but in a recording that
    began in the middle; None if it cannot be said."""
    count = page.packets_ending - headers
    if audio.codec == "speex":  # all packets are of one length, and decoders give out their own delay, too
        return page.position - count * audio.longest_packet
    if audio.longest_packet:
        return 0 if page.position <= count * audio.longest_packet else None
    there = sum(_opus_samples(packet[:2]) for packet in page.packets(content)[headers:])
    return max(page.position - there, 0)


@cache
def _opus_samples(head: bytes) -> int:
    """Samples in a packet that begins with these two bytes, at 48 kHz (RFC 6716, section 3.1)."""
    if not head:
        return 0
    kind = head[0] & 3
    frames = (1, 2, 2)[kind] if kind < 3 else head[1] & 0x3F if len(head) > 1 else 0
    return frames * _OPUS_FRAME[head[0] >> 3]
