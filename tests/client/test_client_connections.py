"""Kept connections, lost connections, and which of them a request may be sent over twice."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import gevent
import pytest
from greenlet import settrace  # type: ignore[import-untyped]

from genload.client import ClientError, HttpClient
from genload.client.connection import Connection

from ..scripted_server import Peer, ScriptedServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        gevent.sleep(0.005)


def always(wire: bytes) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.sock.sendall(wire)

    return script


def test_a_connection_is_kept(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(always(OK))
    client = client_of(server.url)
    answers = [client.get("/a"), client.get("/b"), client.get("/c")]
    assert [answer.reused for answer in answers] == [False, True, True]
    assert [answer.body for answer in answers] == [b"hi"] * 3
    assert answers[0].connect_s > 0
    assert answers[1].connect_s == 0.0
    assert server.connections == 1


def test_answers_that_come_in_turns_do_not_get_mixed_up(raw_server: Servers, client_of: Clients) -> None:
    # All connections of a thread receive into the same memory.
    def in_pieces(letter: bytes) -> Callable[[Peer], None]:
        head = b"HTTP/1.1 200 OK\r\nX-Letter: %b\r\nContent-Length: 2000\r\n\r\n" % letter
        wire = head + letter * 2000

        def script(peer: Peer) -> None:
            peer.read_request()
            for start in range(0, len(wire), 100):
                peer.sock.sendall(wire[start : start + 100])
                time.sleep(0.001)

        return script

    letters = [b"a", b"b", b"c", b"d"]
    clients = [client_of(raw_server(in_pieces(letter)).url) for letter in letters]
    answers = [gevent.spawn(client.get, "/") for client in clients]
    for letter, answer in zip(letters, answers, strict=True):
        assert answer.get(timeout=30).body == letter * 2000
        assert answer.value.headers["x-letter"] == letter.decode()


@pytest.mark.parametrize("wire", [CLOSE, OK + b"surplus", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"])
def test_a_connection_that_cannot_go_on_is_not_kept(
    raw_server: Servers, client_of: Clients, wire: bytes
) -> None:
    server = raw_server(always(wire))
    client = client_of(server.url)
    assert [client.get("/").reused for _ in range(3)] == [False] * 3
    assert server.connections == 3


def test_a_body_read_to_the_close(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(lambda peer: peer.answer(b"HTTP/1.1 200 OK\r\n\r\n", b"abc"))
    answer = client_of(server.url).get("/")
    assert (answer.status, answer.body) == (200, b"abc")


@pytest.mark.parametrize("parting", [b"", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"])
def test_a_kept_connection_that_the_server_gave_up_is_replaced(
    raw_server: Servers, client_of: Clients, parting: bytes
) -> None:
    server = raw_server(lambda peer: peer.answer(OK, parting), always(OK))
    client = client_of(server.url)
    client.get("/first")
    wait_for(lambda: client._kept is None or not _quiet(client))
    answer = client.get("/second")
    assert (answer.status, answer.reused) == (200, False)
    assert answer.connect_s > 0
    assert [request.split(b" ")[1] for request in server.requests] == [b"/first", b"/second"]


def _quiet(client: HttpClient) -> bool:
    """Whether nothing has come on the kept connection, without taking anything from it."""
    assert client._kept is not None
    try:
        client._kept._sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("kept", [False, True])
def test_a_request_that_may_have_been_acted_on_is_never_sent_twice(
    raw_server: Servers, client_of: Clients, ending: str, kept: bool
) -> None:
    def script(peer: Peer) -> None:
        if kept:
            peer.answer(OK)
        peer.read_request()
        if ending == "reset":
            peer.reset()

    server = raw_server(script, always(OK))
    client = client_of(server.url)
    if kept:
        client.get("/first")
    with pytest.raises(ClientError) as caught:
        client.request("POST", "/order", body=b"x")
    assert caught.value.error_class == "reset"
    assert caught.value.bytes_sent > 0
    assert caught.value.bytes_received == 0
    assert caught.value.times.first_byte_s == 0.0
    assert sum(request.startswith(b"POST /order") for request in server.requests) == 1
    assert server.connections == 1
    assert client.get("/next").status == 200


def test_a_kept_connection_that_takes_not_one_byte_is_replaced_once(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server's end arrives between the look and the send: as if the look had not seen it.
    server = raw_server(lambda peer: peer.answer(OK), always(OK))
    client = client_of(server.url)
    client.get("/first")
    assert client._kept is not None
    client._kept._sock.shutdown(socket.SHUT_WR)
    monkeypatch.setattr(Connection, "is_alive", lambda self: True)
    answer = client.request("POST", "/order", body=b"x")
    assert (answer.status, answer.reused) == (200, False)
    assert answer.times.start_s < answer.times.connected_s <= answer.times.sent_s
    assert sum(request.startswith(b"POST /order") for request in server.requests) == 1


def test_an_answer_before_the_whole_upload_is_taken(raw_server: Servers, client_of: Clients) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"

    def script(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.sock.sendall(refusal)
        peer.sock.shutdown(socket.SHUT_WR)
        while peer.sock.recv(1 << 20):
            pass

    server = raw_server(script)
    answer = client_of(server.url).request("POST", "/", body=bytes(8 << 20))
    assert (answer.status, answer.body, answer.reused) == (413, b"big", False)


def test_killing_a_greenlet_closes_its_connection(raw_server: Servers, client_of: Clients) -> None:
    endings: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.read_request()
        endings.append(peer.sock.recv(1))

    server = raw_server(script)
    client = client_of(server.url)
    greenlet = gevent.spawn(client.get, "/")
    wait_for(lambda: bool(server.requests))
    greenlet.kill()
    wait_for(lambda: bool(endings))
    assert endings == [b""]
    assert isinstance(greenlet.value, gevent.GreenletExit)


def test_greenlets_may_share_a_client(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(always(OK))
    client = client_of(server.url)
    greenlets = [gevent.spawn(client.get, f"/{n}") for n in range(5)]
    gevent.joinall(greenlets, timeout=30)
    assert [greenlet.value.body for greenlet in greenlets] == [b"hi"] * 5
    assert client.get("/again").reused


def test_a_closed_client_keeps_nothing(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(always(OK))
    client = client_of(server.url)
    client.get("/")
    client.close()
    assert not client.get("/").reused
    assert not client.get("/").reused


def test_nothing_runs_between_the_start_and_the_send(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = raw_server(always(OK))
    client = client_of(server.url)
    client.get("/")
    switches: list[str] = []
    at_send: list[int] = []
    send = Connection.send

    def counted(self: Connection, data: bytes, until_s: Callable[[], float]) -> None:
        at_send.append(len(switches))
        send(self, data, until_s)

    monkeypatch.setattr(Connection, "send", counted)
    settrace(lambda event, _: switches.append(event))
    try:
        answer = client.get("/")
    finally:
        settrace(None)
    assert answer.reused
    assert at_send == [0]
    assert switches  # the wait for the answer does switch: the trace works


@pytest.mark.parametrize("stamps", ["process", "kernel"])
def test_the_stamps_are_in_order(raw_server: Servers, client_of: Clients, stamps: str) -> None:
    gate = gevent.get_hub().loop  # the hub exists before the server's thread runs
    assert gate is not None

    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        for _ in range(3):
            time.sleep(0.03)
            peer.sock.sendall(b"ab")

    before = time.monotonic()
    answer = client_of(raw_server(script).url, stamps=stamps).get("/")
    after = time.monotonic()
    times = answer.times
    order = [before, times.start_s, times.connected_s, times.sent_s, times.first_byte_s, times.end_s, after]
    assert order == sorted(order)
    assert times.first_byte_s == times.chunks[0][0]
    assert times.end_s == times.chunks[-1][0]
    assert sum(size for _, size in times.chunks) == answer.bytes_received
    assert len(times.chunks) >= 3
    assert times.end_s - times.first_byte_s >= 0.06


@pytest.mark.processes
def test_it_works_in_a_process_patched_by_gevent(raw_server: Servers) -> None:
    program = (
        "import sys; from gevent import monkey; monkey.patch_all()\n"
        "from genload.client import HttpClient, Timeouts\n"
        "client = HttpClient(sys.argv[1], timeouts=Timeouts(10, 10, 20), max_answer_bytes=99)\n"
        "print([(client.get('/').status, client.get('/').reused) for _ in range(2)])\n"
    )
    command = [sys.executable, "-c", program, raw_server(always(OK)).url]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200, check=True)
    assert done.stdout == "[(200, True), (200, True)]\n"
