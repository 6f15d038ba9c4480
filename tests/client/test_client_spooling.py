"""Large answers in a spool: the same answer, elsewhere, and never more than there is room for."""

from __future__ import annotations

import gc
import gzip
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.client import ClientError, HttpClient
from genload.client import spooling as module
from genload.client.parser import AnswerAssembler
from genload.client.spooling import SpoolingAssembler
from genload.spool import Spool, Spooled, SpoolFullError

from ..scripted_server import ScriptedServer

LARGE = 1 << 20
ROOM = 8 << 20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


def answered(raw_server: Callable[..., ScriptedServer], *pieces: bytes) -> str:
    return raw_server(lambda peer: [peer.answer(*pieces), peer.answer(*pieces)]).url


@pytest.mark.parametrize("size", [LARGE, LARGE + 1, 5 * LARGE + 7])
def test_an_answer_of_more_than_a_megabyte_is_kept_in_the_spool_and_the_connection_with_it(
    raw_server: Any, client_of: Callable[..., HttpClient], size: int
) -> None:
    body, spool = bytes(range(256)) * (size // 256) + b"x" * (size % 256), Spool(ROOM)
    client = client_of(answered(raw_server, HEAD % size, body), max_answer_bytes=ROOM)
    plain = client.get("/")
    answer = client.request("GET", "/", spool=spool)

    assert (answer.spooled is not None) == (size > LARGE)
    assert bytes(answer.content) == body == plain.content
    assert answer.reused and answer.bytes_received == plain.bytes_received
    assert sum(count for _, count in answer.arrivals) == size
    assert [at_s for at_s, _ in answer.arrivals] == sorted(at_s for at_s, _ in answer.arrivals)
    assert spool.held_bytes == (size if size > LARGE else 0)
    del answer
    assert spool.held_bytes == 0


PACKED_HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize("size", [7, 5 * LARGE])
def test_a_body_packed_with_gzip_is_unpacked_into_the_spool(
    raw_server: Any, client_of: Callable[..., HttpClient], size: int
) -> None:
    body, spool = (bytes(range(256)) * (size // 256 + 1))[:size], Spool(ROOM)
    packed = gzip.compress(body[:3]) + gzip.compress(body[3:])
    url = answered(raw_server, PACKED_HEAD % len(packed), packed)
    answer = client_of(url, max_answer_bytes=ROOM).request("GET", "/", spool=spool)

    assert bytes(answer.content) == body and spool.held_bytes == size
    assert answer.body == b"" and sum(count for _, count in answer.arrivals) == len(packed)


@pytest.mark.parametrize(
    ("packed", "error_class"),
    [
        (gzip.compress(bytes(5 * LARGE)), "too_large"),
        (gzip.compress(b"abc")[:-1], "protocol"),
        (b"no gzip", "protocol"),
    ],
    ids=["too much", "cut off", "none"],  # not the bytes: they hold the time of packing
)
def test_gzip_that_is_none_or_unpacks_to_too_much_is_a_failure(
    raw_server: Any, client_of: Callable[..., HttpClient], packed: bytes, error_class: str
) -> None:
    url = answered(raw_server, PACKED_HEAD % len(packed), packed)
    with pytest.raises(ClientError) as caught:
        client_of(url, max_answer_bytes=2 * LARGE).request("GET", "/", spool=Spool(ROOM))

    assert caught.value.error_class == error_class


@pytest.mark.parametrize(
    ("size", "sent", "most", "room", "error_class"),
    [
        (3 * LARGE, 3 * LARGE, ROOM, 2 * LARGE, "client_limit"),
        (3 * LARGE, 3 * LARGE, 2 * LARGE, ROOM, "too_large"),
        (3 * LARGE, 2 * LARGE, ROOM, ROOM, "truncated"),
    ],
)
def test_an_answer_that_is_not_whole_has_its_class_and_what_came(
    raw_server: Any,
    client_of: Callable[..., HttpClient],
    size: int,
    sent: int,
    most: int,
    room: int,
    error_class: str,
) -> None:
    spool = Spool(room)
    server = raw_server(lambda peer: peer.answer(HEAD % size, bytes(sent)))
    with pytest.raises(ClientError) as caught:
        client_of(server.url, max_answer_bytes=most).request("GET", "/", spool=spool)

    assert caught.value.error_class == error_class
    assert spool.held_bytes <= min(room, most)
    if error_class == "truncated":
        assert caught.value.answer is not None and len(caught.value.answer.content) == sent
    del caught  # it holds what came, and its traceback who had it
    gevent.sleep(0)  # what reads in the loop holds what it has raised until its turn is over
    gc.collect()
    assert spool.held_bytes == 0


@given(st.lists(st.integers(1, 30), max_size=20), st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_wherever_a_chunked_answer_is_cut_it_is_the_same_as_in_memory(
    chunks: list[int], cuts: list[int], more: bool
) -> None:
    body = b"".join(bytes([65 + n]) * size for n, size in enumerate(chunks))
    framed = b"".join(b"%x\r\n%s\r\n" % (size, bytes([65 + n]) * size) for n, size in enumerate(chunks))
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
    data += b"HTTP/1.1 200 OK\r\n" if more else b""
    spool = Spool(1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SPOOLED_BYTES", 50)
        here = AnswerAssembler(head=False, max_body_bytes=1000)
        there = SpoolingAssembler(head=False, max_body_bytes=1000, spool=spool)
        place = 0
        for cut in [*cuts, len(data)]:
            ended = here.feed(data[place : place + cut]), there.feed(data[place : place + cut])
            place += cut
            assert ended[0] == ended[1]
            if ended[0]:
                break

    assert here.keep_alive == there.keep_alive
    assert here.body_bytes_by_feed() == there.body_bytes_by_feed()
    assert here.body() == body == (there.body() if there.spooled is None else bytes(there.spooled))
    if there.spooled is not None:
        assert len(body) > 50 and there.body() == b""


def test_a_spool_holds_no_more_than_it_may_and_gives_back_what_nobody_holds() -> None:
    spool = Spool(100)
    one = Spooled(spool)
    one.write(b"a" * 60)
    other = Spooled(spool)
    with pytest.raises(SpoolFullError, match="more than 100 bytes"):
        other.write(b"b" * 41)
    other.write(b"b" * 40)
    with pytest.raises(SpoolFullError):
        Spooled(spool).written(1)
    assert (bytes(one), one.beginning(3), len(other)) == (b"a" * 60, b"aaa", 40)
    del one
    assert spool.held_bytes == 40


@pytest.mark.processes
def test_a_process_that_ends_with_a_large_answer_in_its_hands_says_nothing() -> None:
    program = "from genload.spool import *; held = Spooled(Spool(9 << 20)); held.write(bytes(8 << 20))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
