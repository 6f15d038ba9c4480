"""However the network cuts an answer, the answer is the same; whatever comes, only our own errors leave."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from genload.client.errors import BadAnswerError
from genload.client.parser import AnswerAssembler

tokens = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ-", min_size=1, max_size=12).map(
    lambda t: f"X-{t}".encode()
)
values = st.binary(max_size=20).map(lambda b: bytes(c for c in b if c in range(0x21, 0x7F) or c >= 0x80))
interim = st.sampled_from(
    [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nLink: </x>\r\nConnection: close\r\n\r\n"]
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, int, bytes, list[tuple[bytes, bytes]], bool]:
    """The wire's bytes; what must come out (status, body, headers); whether the stream's end ends it."""
    status = draw(st.sampled_from([200, 201, 301, 404, 500, 503, 999]))
    body = draw(st.binary(max_size=200))
    headers = draw(st.lists(st.tuples(tokens, values), max_size=5))
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    if framing == "length":
        headers.append((b"Content-Length", str(len(body)).encode()))
        payload = body
    elif framing == "chunked":
        headers.append((b"Transfer-Encoding", b"chunked"))
        size = draw(st.integers(1, 50))
        chunks = [body[i : i + size] for i in range(0, len(body), size)]
        payload = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    else:
        payload = body
    lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
    head = b"HTTP/1.1 %d Some Words\r\n%b\r\n" % (status, lines)
    return draw(interim) + head + payload, status, body, headers, framing == "close"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if b > a]


@given(answers(), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cut_gives_the_same_answer(
    answer: tuple[bytes, int, bytes, list[tuple[bytes, bytes]], bool], places: list[int]
) -> None:
    wire, status, body, headers, ends_with_stream = answer
    assembler = AnswerAssembler(head=False, max_body_bytes=1000)
    pieces = cut(wire, places)
    completions, body_bytes = [], []
    for piece in pieces:
        before = len(assembler.body())
        completions.append(assembler.feed(piece))
        body_bytes.append(len(assembler.body()) - before)
    assert assembler.body_bytes_by_feed() == body_bytes
    assert not any(completions[:-1])
    assert completions[-1] is not ends_with_stream
    if ends_with_stream:
        assembler.eof()
    assert (assembler.status, assembler.body(), assembler.pairs) == (status, body, headers)
    assert assembler.reason == "Some Words"
    assert assembler.keep_alive is not ends_with_stream


@given(answers(), st.integers(0, 10_000))
def test_any_truncation_is_noticed(
    answer: tuple[bytes, int, bytes, list[tuple[bytes, bytes]], bool], place: int
) -> None:
    wire, _, body, _, ends_with_stream = answer
    assembler = AnswerAssembler(head=False, max_body_bytes=1000)
    part = wire[: place % len(wire)]
    if part:
        assert not assembler.feed(part)
    try:
        assembler.eof()
    except BadAnswerError as error:
        assert error.error_class == "truncated"
        assert body.startswith(assembler.body())
    else:
        # Only a body without a length can be cut without anyone being able to know.
        assert ends_with_stream


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.booleans())
def test_rubbish_raises_nothing_but_our_error(pieces: list[bytes], head: bool) -> None:
    assembler = AnswerAssembler(head=head, max_body_bytes=50)
    try:
        if not any(assembler.feed(piece) for piece in [b"HTTP/1.1 200 OK\r\n", *pieces]):
            assembler.eof()
        assembler.unpacked(assembler.body())
    except BadAnswerError as error:
        assert error.error_class in {"protocol", "truncated", "too_large"}
    else:
        assert assembler.complete
