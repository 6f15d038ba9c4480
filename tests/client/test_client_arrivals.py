"""Which receive brought how much of the body."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from itertools import accumulate

import pytest

from genload.client import ClientError, HttpClient

from ..scripted_server import Peer, ScriptedServer

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH_9 = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"


def paced(*pieces: bytes) -> Callable[[Peer], None]:
    """Answers with pieces that a client with time to look receives one by one."""

    def script(peer: Peer) -> None:
        peer.answer(pieces[0])
        for piece in pieces[1:]:
            time.sleep(0.02)
            peer.sock.sendall(piece)

    return script


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("stamps", ["process", "kernel"])
def test_arrivals_count_the_body_alone(raw_server: Servers, client_of: Clients, stamps: str) -> None:
    sizes = [960, 1, 4_000, 960]
    server = raw_server(paced(CHUNKED, *(chunk(bytes(size)) for size in sizes), b"0\r\n\r\n"))
    answer = client_of(server.url, stamps=stamps).get("/")
    times, counts = zip(*answer.arrivals, strict=True)
    # A chunk that this process was too busy to see alone comes with the next; none is ever cut.
    assert set(accumulate(counts)) <= set(accumulate(sizes))
    assert sum(counts) == len(answer.body) == sum(sizes)
    stamps = [stamp for stamp, _ in answer.times.chunks]
    assert set(times) <= set(stamps)
    assert list(times) == sorted(times)
    # Headers came first, the last chunk's mark last, and both are no body.
    assert answer.times.first_byte_s <= times[0]
    assert times[-1] <= answer.times.end_s


def test_one_receive_is_one_arrival(raw_server: Servers, client_of: Clients) -> None:
    answer = client_of(raw_server(lambda peer: peer.answer(LENGTH_9 + b"all of it")).url).get("/")
    assert answer.arrivals == ((answer.times.end_s, 9),)


def test_an_answer_without_a_body_has_no_arrivals(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(lambda peer: peer.answer(b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert client_of(server.url).get("/").arrivals == ()


def test_bytes_behind_the_answer_are_none_of_its_arrivals(raw_server: Servers, client_of: Clients) -> None:
    answer = client_of(raw_server(lambda peer: peer.answer(LENGTH_9 + b"all of it, and more")).url).get("/")
    assert [count for _, count in answer.arrivals] == [9]


def test_a_packed_body_is_counted_as_it_was_sent(raw_server: Servers, client_of: Clients) -> None:
    packed = gzip.compress(bytes(50_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    answer = client_of(raw_server(lambda peer: peer.answer(head + packed)).url).get("/")
    assert sum(count for _, count in answer.arrivals) == len(packed)
    assert len(answer.body) == 50_000


def test_a_redirects_own_body_is_none_of_the_answers(raw_server: Servers, client_of: Clients) -> None:
    away = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 4\r\n\r\ngone"

    def script(peer: Peer) -> None:
        peer.answer(away)
        paced(LENGTH_9 + b"all ", b"of it")(peer)

    answer = client_of(raw_server(script).url, follow_redirects=1).get("/")
    assert sum(count for _, count in answer.arrivals) == 9
    assert answer.arrivals[0][0] == answer.times.first_byte_s
    assert answer.arrivals[-1][0] == answer.times.end_s


@pytest.mark.parametrize("damage", [b"", b"no chunk at all"], ids=["truncated", "protocol"])
def test_what_came_of_a_broken_answer_has_arrivals(
    raw_server: Servers, client_of: Clients, damage: bytes
) -> None:
    server = raw_server(paced(CHUNKED + chunk(b"all "), chunk(b"of it") + damage))
    with pytest.raises(ClientError) as caught:
        client_of(server.url).get("/")
    answer = caught.value.answer
    assert answer is not None
    assert answer.body == b"all of it"
    assert sum(count for _, count in answer.arrivals) == 9
    assert all(stamp <= answer.times.end_s for stamp, _ in answer.arrivals)
