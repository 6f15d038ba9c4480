"""Frames of a WebSocket's server: what wsproto makes of bytes, our reader makes of them, however cut."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wsproto.connection import CLIENT, ConnectionState
from wsproto.connection import Connection as Oracle
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.events import Ping as OraclePing

from genload.client.errors import BadAnswerError
from genload.client.frames import Closed, FrameReader, Message, Ping

LIMIT = 1 << 20
CODES = (999, 1000, 1001, 1004, 1005, 1006, 1011, 1013, 1015, 1016, 2999, 3000, 4999, 5000)


def frame(first: int, payload: bytes, *, mask: bool = False, longer: int = 0) -> bytes:
    """A frame by RFC 6455 §5.2, maybe with a mask that is none, or a length in more bytes than it takes."""
    size, masked = len(payload), 0x80 if mask else 0
    if size < 126 and not longer:
        return bytes([first, masked | size]) + payload
    if size < 1 << 16 and longer < 2:
        return struct.pack("!BBH", first, masked | 126, size) + payload
    return struct.pack("!BBQ", first, masked | 127, size) + payload


def read(data: bytes, places: list[int]) -> tuple[list[Message], str]:
    """What our reader tells of a stream in pieces, and the class of its error."""
    told: list[Message] = []
    reader = FrameReader(LIMIT, told.append)
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    try:
        for a, b in pairwise(edges):
            reader.feed(data[a:b])
    except BadAnswerError as error:
        return told, error.error_class
    return told, ""


def expected(data: bytes) -> tuple[list[Message], str]:
    """The same by wsproto, which tells of messages in parts, and of an error as if the server had closed."""
    oracle = Oracle(CLIENT)
    oracle.receive_data(data)
    told: list[Message] = []
    text, binary = "", b""
    for event in oracle.events():
        if isinstance(event, TextMessage):
            text += event.data
            if event.message_finished:
                told.append(text)
                text = ""
        elif isinstance(event, BytesMessage):
            binary += event.data
            if event.message_finished:
                told.append(binary)
                binary = b""
        elif isinstance(event, OraclePing):
            told.append(Ping(bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            if oracle.state is ConnectionState.OPEN:
                return told, "protocol"
            told.append(Closed(int(event.code), event.reason or ""))
            break
    return told, ""


payloads = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=40),
    st.integers(120, 140).map(bytes),
    st.sampled_from([b"a" * 65_535, bytes(65_536)]),
    st.builds(
        lambda code, why: struct.pack("!H", code) + why.encode(), st.sampled_from(CODES), st.text(max_size=9)
    ),
)
usual = st.builds(frame, st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8A]), payloads)
odd = st.builds(
    lambda first, payload, mask, longer: frame(first, payload, mask=mask, longer=longer),
    st.integers(0, 255),
    payloads,
    st.booleans(),
    st.integers(0, 2),
)


@example([b"\x81\x80"], [])
@given(st.lists(usual | usual | odd, max_size=6), st.lists(st.integers(0, 200_000), max_size=8))
def test_it_reads_what_wsproto_reads(frames: list[bytes], places: list[int]) -> None:
    data = b"".join(frames)
    told, error_class = read(data, places)
    their_told, their_error = expected(data)
    assert told == their_told
    if (
        error_class != their_error
    ):  # wsproto waits for what a frame needs, or looks into text before it is whole
        assert _is_cut_short(data)


def _is_cut_short(data: bytes) -> bool:
    """Whether a stream of frames ends inside one."""
    return any(True for _ in _cut(data))


def _cut(data: bytes) -> Iterator[None]:
    while data:
        size, start = data[1] & 0x7F if len(data) > 1 else 0, 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        if start + size > len(data):
            yield None
        data = data[start + size :]


def test_what_is_larger_than_may_be_is_never_kept() -> None:
    told: list[Message] = []
    reader = FrameReader(1000, told.append)
    reader.feed(frame(0x82, bytes(600)))
    with pytest.raises(BadAnswerError, match="larger than 1,000 bytes") as caught:
        reader.feed(frame(0x82, bytes(401))[:4])  # its header is enough
    assert caught.value.error_class == "too_large" and told == [bytes(600)]


def test_a_large_frame_in_many_pieces_is_put_together_once() -> None:
    told: list[Message] = []
    reader, data = FrameReader(1 << 26, told.append), frame(0x82, bytes(range(256)) * 40_000)
    for at in range(0, len(data), 1000):
        reader.feed(data[at : at + 1000])
    assert told == [bytes(range(256)) * 40_000]


def test_nothing_is_told_behind_the_close() -> None:
    told, error_class = read(frame(0x88, b"") + frame(0x81, b"more") + b"\xff\xff", [])
    assert (told, error_class) == ([Closed(1005, "")], "")
