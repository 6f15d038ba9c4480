"""Timeouts, sizes and every class of error, against a server that misbehaves to the byte."""

from __future__ import annotations

import errno
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import gevent.socket
import pytest

from genload.client import ClientError, HttpClient, Timeouts
from genload.client.connection import Connection
from genload.client.errors import connect_error_class
from genload.runlog.error_classes import ERROR_CLASSES

from ..scripted_server import Peer, ScriptedServer

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]


def failure(
    client: HttpClient, method: str = "GET", body: bytes | None = None, **options: float
) -> ClientError:
    with pytest.raises(ClientError) as caught:
        client.request(method, "/", body=body, **options)  # type: ignore[arg-type]
    error = caught.value
    assert error.error_class in ERROR_CLASSES
    assert error.times.start_s <= error.times.end_s
    return error


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.sock.recv(1)


def drip(peer: Peer) -> None:
    peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        peer.sock.sendall(b"x")
        time.sleep(0.02)


def test_silence_ends_with_the_receive_timeout(raw_server: Servers, client_of: Clients) -> None:
    client = client_of(raw_server(silent).url, timeouts=Timeouts(10, 0.1, 20))
    error = failure(client)
    assert error.error_class == "receive_timeout"
    assert error.answer is None
    assert error.times.end_s - error.times.sent_s >= 0.1


def test_silence_inside_an_answer_keeps_what_came(raw_server: Servers, client_of: Clients) -> None:
    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        peer.sock.recv(1)

    error = failure(client_of(raw_server(script).url, timeouts=Timeouts(10, 0.1)))
    assert error.error_class == "receive_timeout"
    assert error.answer is not None
    assert (error.answer.status, error.answer.body) == (200, b"abc")


def test_dripping_defeats_the_receive_timeout_but_not_the_total(
    raw_server: Servers, client_of: Clients
) -> None:
    error = failure(client_of(raw_server(drip).url, timeouts=Timeouts(10, 5, 0.3)))
    assert error.error_class == "timeout"
    assert len(error.times.chunks) >= 2
    assert 0.3 <= error.times.end_s - error.times.start_s < 4


def test_a_requests_own_total_goes_before_the_clients(raw_server: Servers, client_of: Clients) -> None:
    error = failure(client_of(raw_server(silent).url, timeouts=Timeouts(10, 10, 20)), total_s=0.1)
    assert error.error_class == "timeout"
    assert "100 ms" in error.message


def test_an_answer_that_waited_for_a_busy_loop_is_in_time(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(lambda peer: peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
    client = client_of(server.url, timeouts=Timeouts(10, 0.15))

    def hog() -> None:
        while not server.requests:
            gevent.sleep(0.002)
        time.sleep(0.2)  # blocks the loop past the timeout; the answer is there long before

    assert gevent.get_hub() is not None
    hogger = gevent.spawn(hog)
    assert client.get("/").body == b"hi"
    hogger.join()


def test_a_server_that_takes_nothing(raw_server: Servers, client_of: Clients) -> None:
    told = threading.Event()

    def script(peer: Peer) -> None:
        told.wait(30)

    error = failure(client_of(raw_server(script).url, timeouts=Timeouts(10, 0.2)), "POST", bytes(32 << 20))
    told.set()
    assert error.error_class == "send_timeout"
    assert 0 < error.bytes_sent < 32 << 20
    assert error.times.sent_s == 0.0


@pytest.fixture
def full_listener() -> Iterator[int]:
    """A port whose queue of connections is full: further ones are neither taken nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize(
    ("timeouts", "error_class"),
    [(Timeouts(0.1, 10, 10), "connect_timeout"), (Timeouts(10, 10, 0.1), "timeout")],
)
def test_a_connect_that_never_ends(
    full_listener: int, client_of: Clients, timeouts: Timeouts, error_class: str
) -> None:
    error = failure(client_of(f"http://127.0.0.1:{full_listener}", timeouts=timeouts))
    assert error.error_class == error_class
    assert (error.times.connected_s, error.bytes_sent) == (0.0, 0)
    assert error.times.connect_s == error.times.end_s - error.times.start_s >= 0.1


def test_a_tls_handshake_that_never_ends(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(silent)
    client = client_of(f"https://127.0.0.1:{server.port}", timeouts=Timeouts(0.1, 10))
    assert failure(client).error_class == "connect_timeout"


def test_refused(client_of: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(client_of(f"http://127.0.0.1:{port}"))
    assert (error.error_class, error.message) == ("refused", "Connection refused")


def test_a_name_without_an_address(client_of: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(gevent.socket, "getaddrinfo", unknown)
    error = failure(client_of("http://nowhere.invalid"))
    assert (error.error_class, error.message) == ("dns", "Name or service not known")


def test_the_second_address_is_tried_and_remembered(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = raw_server(lambda peer: peer.answer(b"HTTP/1.0 204 No Content\r\n\r\n"))
    look_ups: list[object] = []

    def two(*arguments: object, **_: object) -> list[object]:
        look_ups.append(arguments)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("127.0.0.2", server.port)), (*kind, ("127.0.0.1", server.port))]

    monkeypatch.setattr(gevent.socket, "getaddrinfo", two)
    client = client_of(f"http://service.test:{server.port}")
    assert [client.get("/").status, client.get("/").status] == [204, 204]
    assert len(look_ups) == 1
    assert client._origin._addresses[0][1] == ("127.0.0.1", server.port)


def test_a_name_that_leads_elsewhere_after_a_restart_is_looked_up_again(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (raw_server(lambda peer: peer.answer(b"HTTP/1.0 204 No Content\r\n\r\n")) for _ in range(2))
    leads_to = [old.port]

    def current(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", leads_to[-1]))]

    monkeypatch.setattr(gevent.socket, "getaddrinfo", current)
    client = client_of("http://service.test:80")
    assert client.get("/").status == 204
    old.close()
    leads_to.append(new.port)
    assert failure(client).error_class == "refused"
    assert client.get("/").status == 204, "after one failure, which is told"


@pytest.mark.parametrize(
    ("number", "error_class"),
    [
        (errno.EMFILE, "client_limit"),
        (errno.EADDRNOTAVAIL, "client_limit"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.ENETUNREACH, "unreachable"),
        (errno.ETIMEDOUT, "connect_timeout"),
        (errno.ECONNREFUSED, "refused"),
        (errno.ECONNRESET, "reset"),
    ],
)
def test_whose_fault_a_failed_connect_is(number: int, error_class: str) -> None:
    assert connect_error_class(OSError(number, "words")) == error_class


def test_own_limits_are_not_the_servers_fault(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    client = client_of(raw_server(silent).url)
    monkeypatch.setattr("genload.client.connection._new_socket", no_more)
    assert failure(client).error_class == "client_limit"


@pytest.mark.parametrize("rst", [False, True])
@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-", None),
    ],
)
def test_a_truncated_answer(
    raw_server: Servers, client_of: Clients, wire: bytes, body: bytes | None, rst: bool
) -> None:
    def script(peer: Peer) -> None:
        peer.answer(wire)
        if rst:
            time.sleep(0.05)  # what is on its way is not taken back by the reset
            peer.reset()

    error = failure(client_of(raw_server(script).url))
    assert error.error_class == "truncated"
    assert error.bytes_received == len(wire)
    assert sum(size for _, size in error.times.chunks) == len(wire)
    assert (error.answer.body if error.answer else None) == body


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        + gzip.compress(bytes(9000)),
    ],
    ids=["length", "body", "headers", "gzip"],
)
def test_an_answer_that_is_too_large(raw_server: Servers, client_of: Clients, wire: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.answer(wire)
        if b"gzip" not in wire:
            peer.sock.recv(1)

    client = client_of(raw_server(script).url, max_answer_bytes=1000)
    assert failure(client).error_class == "too_large"
    assert client._kept is None


class AlwaysReady:
    """A socket whose server is faster than anyone can read."""

    def __init__(self, sock: socket.socket) -> None:
        self.fileno = sock.fileno
        self.send = sock.send

    def recv_into(self, buffer: memoryview) -> int:
        return len(buffer)


def test_a_server_faster_than_the_loop_leaves_time_for_others() -> None:
    turns: list[int] = []

    def other() -> None:
        while True:
            turns.append(1)
            gevent.sleep(0)

    here, there = socket.socketpair()
    there.send(b"x")
    connection = Connection(AlwaysReady(here), tls=False)
    neighbour = gevent.spawn(other)
    parts: list[int] = []

    def take(data: memoryview) -> float:
        parts.append(len(turns))
        return time.monotonic() + 30 if len(parts) < 1000 else 0.0

    try:
        connection.receive(take, time.monotonic() + 30)
    finally:
        neighbour.kill()
        here.close()
        there.close()
    assert parts[-1] - parts[0] >= 5


def test_not_http(raw_server: Servers, client_of: Clients) -> None:
    error = failure(client_of(raw_server(lambda peer: peer.answer(b"220 smtp ready\r\n")).url))
    assert error.error_class == "protocol"


def test_any_status_is_an_answer(raw_server: Servers, client_of: Clients) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /else\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    server = raw_server(lambda peer: peer.answer(moved))
    answer = client_of(server.url).get("/")
    assert (answer.status, answer.headers["location"]) == (302, "/else")
    assert len(server.requests) == 1  # a redirect is shown, never followed


@pytest.mark.parametrize("limits", [(0, 1), (1, -1), (1, 1, 0), (float("nan"), 1)])
def test_senseless_timeouts_are_refused(limits: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Timeouts(*limits)
