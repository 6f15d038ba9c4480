"""Where an answer ends: known answers for the assembler, one for every trap of the parser below it."""

from __future__ import annotations

import gzip

import pytest

from genload.client.errors import BadAnswerError
from genload.client.parser import MAX_HEAD_BYTES, AnswerAssembler


def assembled(*pieces: bytes, head: bool = False, eof: bool = False, limit: int = 1 << 20) -> AnswerAssembler:
    assembler = AnswerAssembler(head=head, max_body_bytes=limit)
    for piece in pieces:
        assembler.feed(piece)
    if eof:
        assembler.eof()
    return assembler


def unpacked(answer: AnswerAssembler) -> bytes:
    return answer.unpacked(answer.body())


LENGTH_2 = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("wire", "status", "body", "keep_alive"),
    [
        (LENGTH_2 + b"hi", 200, b"hi", True),
        (CHUNKED + b"2\r\nhi\r\n3;x=y\r\nyou\r\n0\r\n\r\n", 200, b"hiyou", True),
        (CHUNKED + b"0\r\nX-Trailer: 1\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b"", True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", True),
        # Interim answers, the last one with what would end the connection if it were real.
        (b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH_2 + b"hi", 200, b"hi", True),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 P\r\n\r\n" + LENGTH_2 + b"hi",
            200,
            b"hi",
            True,
        ),
        (b"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" + LENGTH_2 + b"hi", 200, b"hi", True),
        (b"HTTP/1.0 100 Continue\r\n\r\n" + LENGTH_2 + b"hi", 200, b"hi", True),
        (b"HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n" + LENGTH_2 + b"hi", 200, b"hi", True),
        # RFC 9112 §6.3: Transfer-Encoding overrides Content-Length.
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            200,
            b"hi",
            True,
        ),
        # Apache offers an upgrade that nobody asked for; the answer is a plain one.
        (
            b"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2\r\nContent-Length: 2\r\n\r\nhi",
            200,
            b"hi",
            True,
        ),
        (b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc", 101, b"", False),
        # Bytes behind a complete answer are none of its own, and spoil the connection.
        (LENGTH_2 + b"hixyz", 200, b"hi", False),
        (LENGTH_2 + b"hi" + b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nbad", 200, b"hi", False),
        (LENGTH_2 + b"hiHTT", 200, b"hi", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhixyz", 200, b"hi", False),
    ],
)
def test_a_complete_answer(wire: bytes, status: int, body: bytes, keep_alive: bool) -> None:
    answer = assembled(wire)
    assert (answer.complete, answer.status, answer.body(), answer.keep_alive) == (
        True,
        status,
        body,
        keep_alive,
    )


def test_the_headers_are_those_of_the_final_answer() -> None:
    answer = assembled(
        b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", LENGTH_2, b"hi", b"HTTP/1.1 500 Oops\r\nB: c\r\n"
    )
    assert answer.pairs == [(b"Content-Length", b"2")]
    assert answer.reason == "OK"


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    answer = assembled(b"HTTP/1.1 200 OK\r\n\r\n", b"abc", b"def")
    assert not answer.complete
    answer.eof()
    assert (answer.complete, answer.body(), answer.keep_alive) == (True, b"abcdef", False)


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked", b"X: y"])
def test_head_ends_with_the_headers(framing: bytes) -> None:
    answer = assembled(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n", head=True)
    assert (answer.complete, answer.status, answer.body()) == (True, 200, b"")


def test_a_body_sent_to_head_spoils_the_connection() -> None:
    answer = assembled(LENGTH_2 + b"hi", head=True)
    assert (answer.body(), answer.keep_alive) == (b"", False)


def test_head_passes_over_interim_answers() -> None:
    answer = assembled(b"HTTP/1.1 100 Continue\r\n\r\n", head=True)
    assert not answer.complete
    assert answer.feed(LENGTH_2)


@pytest.mark.parametrize(
    "wire",
    [
        LENGTH_2 + b"h",
        LENGTH_2,
        CHUNKED,
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"2\r\nhi\r\n",
        CHUNKED + b"2\r\nhi\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTT",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_an_end_inside_an_answer_is_a_truncation(wire: bytes) -> None:
    with pytest.raises(BadAnswerError) as caught:
        assembled(wire, eof=True)
    assert caught.value.error_class == "truncated"


def test_a_truncated_body_is_kept_as_far_as_it_came() -> None:
    answer = assembled(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    with pytest.raises(BadAnswerError, match="after 3 of 9 body bytes"):
        answer.eof()
    assert answer.body() == b"abc"


@pytest.mark.parametrize(
    "wire",
    [
        b"<html>not HTTP</html>",
        b"\x00\x00\x12\x04\x00",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        CHUNKED + b"zz\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_protocol_error(wire: bytes) -> None:
    with pytest.raises(BadAnswerError) as caught:
        assembled(wire)
    assert caught.value.error_class == "protocol"


def test_a_tls_alert_is_explained() -> None:
    with pytest.raises(BadAnswerError, match="use https"):
        assembled(b"\x15\x03\x01\x00\x02\x02\x46")


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"],
        [CHUNKED, b"65\r\n" + b"x" * 101],
        [b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 60, b"x" * 60],
        [b"HTTP/1.1 200 OK\r\nX: ", *[b"y" * 1000] * 100],
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n" * 200] * 100],
        [b"HTTP/1.1 100 Continue\r\n\r\n" * 100] * 100,
        [CHUNKED, b"1;", *[b"y" * 1000] * 100],
        [CHUNKED, b"0\r\nX: ", *[b"y" * 1000] * 100],
    ],
    ids=["length", "chunked", "to_close", "header", "headers", "interim", "extension", "trailer"],
)
def test_an_endless_answer_is_cut_off(pieces: list[bytes]) -> None:
    with pytest.raises(BadAnswerError) as caught:
        assembled(*pieces, limit=100)
    assert caught.value.error_class == "too_large"


def test_a_body_in_one_byte_chunks_is_not_too_large() -> None:
    answer = assembled(CHUNKED, *[b"1\r\nx\r\n"] * (MAX_HEAD_BYTES // 4), b"0\r\n\r\n")
    assert len(answer.body()) == MAX_HEAD_BYTES // 4


def test_a_head_larger_than_the_body_limit_is_fine() -> None:
    assert assembled(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: " + b"y" * 500 + b"\r\n\r\nx", limit=1
    ).complete


def gzipped(wire_body: bytes, limit: int = 1 << 20) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: GZip\r\nContent-Length: %d\r\n\r\n" % len(wire_body)
    return unpacked(assembled(head + wire_body, limit=limit))


def test_gzip_is_undone() -> None:
    assert gzipped(gzip.compress(b"hello" * 1000)) == b"hello" * 1000
    assert gzipped(gzip.compress(b"one") + gzip.compress(b"two")) == b"onetwo"
    assert gzipped(b"") == b""


def test_unknown_codings_are_left_alone() -> None:
    answer = assembled(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nhi")
    assert unpacked(answer) == b"hi"


@pytest.mark.parametrize(
    ("wire_body", "error_class"),
    [
        (b"no gzip at all", "protocol"),
        (gzip.compress(b"hello" * 1000)[:-6], "protocol"),
        (gzip.compress(b"one") + b"trailing rubbish", "protocol"),
        (gzip.compress(bytes(10_000_000)), "too_large"),
    ],
    ids=["none", "cut off", "trailing rubbish", "a bomb"],  # not the bytes: they hold the time of packing
)
def test_bad_gzip(wire_body: bytes, error_class: str) -> None:
    with pytest.raises(BadAnswerError) as caught:
        gzipped(wire_body, limit=100_000)
    assert caught.value.error_class == error_class


def test_trailers_are_among_the_headers() -> None:
    answer = assembled(CHUNKED + b"2\r\nhi\r\n0\r\nX-Took: 3\r\n\r\n")
    assert answer.headers["x-took"] == "3"
    assert len(answer.headers) == 2


def test_servers_bytes_are_latin_1() -> None:
    answer = assembled(b"HTTP/1.1 200 \xe9t\xe9\r\nX: \xff\x80\r\nContent-Length: 0\r\n\r\n")
    assert answer.reason == "été"
    assert answer.pairs[0] == (b"X", b"\xff\x80")
