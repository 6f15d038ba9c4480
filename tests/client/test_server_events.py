"""Server-sent events: known answers, and any cut of any stream against a reader of the whole text."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.client.errors import BadAnswerError
from genload.client.server_events import EventParser, ServerEvent

BOM = b"\xef\xbb\xbf"
LIMIT = 1 << 20


def events_of(*pieces: bytes) -> list[tuple[str, bytes]]:
    parser = EventParser(LIMIT)
    return [(event.name, event.data) for piece in pieces for event in parser.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\n", [("message", b"one")]),
        (b"event: speech.audio.delta\ndata: {}\n\n", [("speech.audio.delta", b"{}")]),
        (
            b"data: one\r\n\r\ndata: two\r\rdata: three\n\n",
            [("message", each) for each in (b"one", b"two", b"three")],
        ),
        (b"data: one\ndata:two\ndata\n\n", [("message", b"one\ntwo\n")]),
        (b"data:  two spaces\n\n", [("message", b" two spaces")]),
        (b"data\n\n", [("message", b"")]),
        (b": ping\n\nid: 7\nretry: 10\nother: x\n\ndata: x\n\n", [("message", b"x")]),
        # A kind without data is no event, and not the next one's kind either.
        (b"event: done\n\ndata: x\n\n", [("message", b"x")]),
        (b"event: a\nevent: b\ndata: x\n\n", [("b", b"x")]),
        (BOM + b"data: x\n\n", [("message", b"x")]),
        (b"data: x\n\n" + BOM + b"data: y\n\n", [("message", b"x")]),
        ("data: Grüße\n\n".encode(), [("message", "Grüße".encode())]),
        (b"event: \xff\ndata: \xff\n\n", [("\ufffd", b"\xff")]),
        (b"data: cut\n", []),
        (b"data: cut", []),
        (b"", []),
    ],
)
def test_known_streams(stream: bytes, events: list[tuple[str, bytes]]) -> None:
    assert events_of(stream) == events
    assert events_of(*(stream[n : n + 1] for n in range(len(stream)))) == events


def test_an_event_that_ends_with_cr_does_not_wait_for_what_follows() -> None:
    parser = EventParser(LIMIT)
    assert parser.feed(b"data: one\r\r") == [ServerEvent("message", b"one")]
    assert parser.feed(b"") == []
    assert parser.feed(b"\ndata: two\r\n\r") == [ServerEvent("message", b"two")]
    assert parser.feed(b"\n") == []
    assert not parser.unfinished


def test_what_is_left_at_the_end_is_told() -> None:
    parser = EventParser(LIMIT)
    assert not parser.unfinished
    parser.feed(b"data: one\n\ndata: tw")
    assert parser.unfinished
    parser.feed(b"o\n")
    assert parser.unfinished
    parser.feed(b"\n")
    assert not parser.unfinished


def naive(stream: bytes) -> list[tuple[str, bytes]]:
    """The rules of the standard, of the whole text at once."""
    lines = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removeprefix(BOM).split(b"\n")[:-1]
    events, name, data = [], b"", list[bytes]()
    for line in lines:
        if not line:
            if data:
                events.append((name.decode("utf-8", "replace") or "message", b"\n".join(data)))
            name, data = b"", []
        elif line.startswith((b"data:", b"event:")) or line in (b"data", b"event"):
            field, _, value = line.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"data":
                data.append(value)
            else:
                name = value
    return events


ends = st.sampled_from([b"\n", b"\r", b"\r\n"])
texts = st.binary(max_size=12) | st.sampled_from([b"data", b"event", b" x", b":", b"", BOM])
lines = st.tuples(
    st.sampled_from([b"data:", b"data: ", b"event:", b"event: ", b":", b"id:", b"", BOM]), texts, ends
)
streams = st.tuples(st.sampled_from([b"", BOM]), st.lists(lines.map(b"".join), max_size=20)).map(
    lambda pair: pair[0] + b"".join(pair[1])
)


@given(streams | st.binary(max_size=80), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cut_gives_what_the_whole_text_gives(stream: bytes, places: list[int]) -> None:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    assert events_of(*(stream[a:b] for a, b in pairwise(edges))) == naive(stream)


@pytest.mark.parametrize("line", [b"data: ", b": ", b""], ids=["data", "comment", "no field"])
def test_an_event_over_the_limit_is_refused_before_it_is_kept(line: bytes) -> None:
    parser = EventParser(100_000)
    piece = bytes(1000)
    tracemalloc.start()
    try:
        with pytest.raises(BadAnswerError) as caught:
            parser.feed(line)
            for _ in range(10_000):  # 10 MB
                parser.feed(piece)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert caught.value.error_class == "too_large"
    assert kept < 200_000


def test_the_limit_is_an_events_and_not_the_streams() -> None:
    parser = EventParser(100)
    event = b"data: " + b"x" * 80 + b"\n\n"
    assert sum(len(parser.feed(event)) for _ in range(1000)) == 1000
    with pytest.raises(BadAnswerError):
        parser.feed(b"data: " + b"x" * 90 + b"\n\n" + b"data: " + b"x" * 200)
    many_lines = EventParser(100)
    with pytest.raises(BadAnswerError):
        many_lines.feed(b"data: short\n" * 10)
