"""When something arrived, told by the kernel: right however late this process looks, and never nonsense."""

from __future__ import annotations

import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from genload.client import Answer, HttpClient
from genload.client import stamps as stamps_module
from genload.client.connection import FIRST_PARTS, Connection
from genload.client.fast_lane import lane_of
from genload.client.stamps import arrived_s, ask_for_stamps
from genload.extensions import Wings, attribute
from genload.settings.service import Service

from ..scripted_server import Peer, ScriptedServer

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
BLOCKED_S = 0.05
TURN_S = 0.005
PAUSE_S = 0.03  # shorter than a crowd's turns

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="other kernels are not asked for stamps")


class LateReader:
    """A client whose loop is held up while the last part of an answer comes.

    Attributes:
        written_s, resumed_s: right before the server's write; when the loop went on, long after it.
    """

    def __init__(self, servers: Servers, clients: Clients, stamps: str) -> None:
        self._go, self._written = threading.Event(), threading.Event()
        self._client = clients(servers(self._serve).url, stamps=stamps)
        self._warm_up(stamps)
        self.written_s = self.resumed_s = 0.0

    def read(self) -> Answer:
        reader = gevent.spawn(self._client.get, "/")
        while not self._headers_sent:
            gevent.sleep(0.001)
        gevent.sleep(0.02)  # until it has read them
        self._go.set()
        self._written.wait()  # these two hold up the loop, and leave the server's thread alone
        time.sleep(BLOCKED_S)
        self.resumed_s = time.monotonic()
        answer: Answer = reader.get()
        return answer

    def _serve(self, peer: Peer) -> None:
        while b"/warm-up" in peer.read_request():
            peer.sock.sendall(OK)
        peer.sock.sendall(HEAD)
        self._headers_sent = True
        self._go.wait()
        self.written_s = time.monotonic()
        peer.sock.sendall(b"abcdef")
        self._written.set()

    def _warm_up(self, stamps: str) -> None:
        """Until the kernel stamps: it begins a moment after the first socket asked."""
        self._headers_sent = False
        for _ in range(1000):
            self._client.get("/warm-up")
            assert self._client._kept is not None
            if stamps == "process" or self._client._kept.arrived_s:
                return
            gevent.sleep(0.005)
        pytest.fail("the kernel gave no stamp")


@linux_only
def test_the_kernel_tells_what_a_late_reader_cannot(raw_server: Servers, client_of: Clients) -> None:
    reader = LateReader(raw_server, client_of, "kernel")
    answer = reader.read()
    ((when_s, count),) = answer.arrivals
    assert count == 6
    # The wall clock may run a little faster or slower than the monotonic one, for these few milliseconds.
    assert reader.written_s - 0.001 <= when_s < reader.resumed_s - BLOCKED_S / 2
    assert answer.times.end_s == when_s


def test_the_process_stamps_what_it_reads(raw_server: Servers, client_of: Clients) -> None:
    reader = LateReader(raw_server, client_of, "process")
    answer = reader.read()
    assert answer.times.end_s == answer.arrivals[-1][0] >= reader.resumed_s


@linux_only
@pytest.mark.parametrize("step_s", [3600.0, -3600.0, 1.0, -1.0])
def test_a_wall_clock_that_is_set_falsifies_nothing(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    reader = LateReader(raw_server, client_of, "kernel")
    monkeypatch.setattr(stamps_module, "time", lambda: time.time() + step_s)
    answer = reader.read()
    times = answer.times
    assert times.end_s == answer.arrivals[-1][0] >= reader.resumed_s
    order = [times.start_s, times.connected_s, times.sent_s, times.first_byte_s, times.end_s]
    assert order == sorted(order)


@linux_only
def test_a_small_step_of_the_wall_clock_keeps_the_order(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter([0.0, 0.002, -0.002, 0.001, -0.001] * 100)
    monkeypatch.setattr(stamps_module, "time", lambda: time.time() + next(steps))
    pieces = [b"2\r\nab\r\n"] * 20

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in [*pieces, b"0\r\n\r\n"]:
                time.sleep(0.001)
                peer.sock.sendall(piece)

    client = client_of(raw_server(script).url, stamps="kernel")
    for _ in range(5):
        answer = client.get("/")
        times = answer.times
        stamps = [when_s for when_s, _ in times.chunks]
        order = [times.start_s, times.connected_s, times.sent_s, times.first_byte_s, *stamps, times.end_s]
        assert order == sorted(order)
        assert times.end_s <= time.monotonic()
        assert sum(count for _, count in answer.arrivals) == len(answer.body) == 40


def test_the_age_of_a_stamp_is_taken_off_the_monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps_module, "time", lambda: 1_000_000_000.5)
    monkeypatch.setattr(stamps_module, "monotonic", lambda: 70.0)
    stamped = struct.pack("ll", 1_000_000_000, 250_000_000)
    assert arrived_s([(1, 35, stamped)]) == pytest.approx(69.75, abs=1e-6)
    assert arrived_s([]) == 0.0


class Refusing:
    """A socket of a system that knows no such option."""

    def setsockopt(self, *args: Any) -> None:
        raise OSError("Protocol not available")


def test_where_the_kernel_tells_nothing_it_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ask_for_stamps(Refusing())
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not ask_for_stamps(None)


@linux_only
@pytest.mark.parametrize(
    ("api", "request_of_api", "stamped"),
    [("speech", {"dialect": "litetts"}, True), ("orfeas", {}, False)],
)
def test_speech_is_stamped_by_the_kernel_and_jobs_are_not(
    raw_server: Servers,
    monkeypatch: pytest.MonkeyPatch,
    api: str,
    request_of_api: dict[str, str],
    stamped: bool,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("genload.client.connection.ask_for_stamps", lambda sock: bool(asked.append(sock)))
    server = raw_server(lambda peer: peer.answer(b'HTTP/1.1 200 OK\r\n\r\n{"status": "ready"}'))
    settings = {"api": api, "host": server.url, "request": request_of_api}
    service = Service.model_validate(settings, context={"wings": Wings()})
    client = attribute("services", api, "Client")(service)
    client.ready()
    client.close()
    assert bool(asked) is stamped


class Crowd:
    """Connections that all have something to read at once, of which each takes the loop a while.

    Attributes:
        busy: one of them has had its turn.
    """

    SIZE = 20

    def __init__(self) -> None:
        self.busy = threading.Event()
        self._pairs = [gevent.socket.socketpair() for _ in range(self.SIZE)]
        self._readers = [gevent.spawn(self._read, here) for here, _ in self._pairs]
        gevent.sleep(0.01)  # until all wait
        for _, there in self._pairs:
            there.send(b"x")

    def _read(self, here: Any) -> None:
        here.setblocking(False)
        connection = Connection(here, tls=False)
        connection.receive(self._take, time.monotonic() + 30)
        connection.close()

    def _take(self, data: memoryview) -> float:
        self.busy.set()
        time.sleep(TURN_S)
        return 0.0

    def close(self) -> None:
        gevent.joinall(self._readers)
        for _, there in self._pairs:
            there.close()


@linux_only
@pytest.mark.parametrize("told", [True, False])
def test_first_parts_are_read_before_the_turns_of_others(
    raw_server: Servers, client_of: Clients, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    if not told:  # as inside TLS
        monkeypatch.setattr("genload.client.connection.ask_for_stamps", lambda sock: False)
    crowds: list[Crowd] = []
    written_s: list[float] = []

    def serve(peer: Peer) -> None:
        while b"/warm-up" in peer.read_request():
            peer.sock.sendall(OK)
        peer.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not crowds:
            time.sleep(0.001)
        crowds[0].busy.wait()
        for part in (b"3\r\nabc\r\n", b"3\r\ndef\r\n0\r\n\r\n"):
            written_s.append(time.monotonic())
            peer.sock.sendall(part)
            time.sleep(PAUSE_S)

    client = client_of(raw_server(serve).url, stamps="kernel")
    client.get("/warm-up")
    reader = gevent.spawn(client.get, "/")
    gevent.sleep(0.02)  # until it has read the headers
    crowds.append(Crowd())
    answer: Answer = reader.get()
    crowds[0].close()
    assert [count for _, count in answer.arrivals] == [3, 3]
    (when_s, _), _ = answer.arrivals
    assert written_s[0] - 0.001 <= when_s < written_s[1]


@linux_only
def test_who_has_had_its_first_parts_takes_turns() -> None:
    lane = lane_of(gevent.get_hub())
    assert lane is not None
    here, there = gevent.socket.socketpair()
    here.setblocking(False)
    connection = Connection(here, tls=False, kernel_stamps=True)
    in_lane: list[int] = []

    def take(data: memoryview) -> float:
        in_lane.append(len(lane))
        there.send(b"x")
        return time.monotonic() + 30 if len(in_lane) % (FIRST_PARTS + 2) else 0.0

    for _ in range(2):
        connection.send(b"?", lambda: time.monotonic() + 30)
        there.send(b"x")
        connection.receive(take, time.monotonic() + 30)
    assert in_lane == [*[1] * FIRST_PARTS, 0, 0] * 2
    connection.send(b"?", lambda: time.monotonic() + 30)
    assert len(lane) == 1
    connection.close()
    assert len(lane) == 0
    for end in (here, there):
        end.close()


@linux_only
def test_who_was_read_before_its_turn_keeps_its_place_for_the_next_answer() -> None:
    lane = lane_of(gevent.get_hub())
    assert lane is not None
    pairs = [gevent.socket.socketpair() for _ in range(3)]
    connections = []
    for here, _ in pairs:
        here.setblocking(False)
        connections.append(Connection(here, tls=False, kernel_stamps=True))
    for _ in range(2):  # answers of one part each, all there at the same turn of the loop
        for connection, (_, there) in zip(connections, pairs, strict=True):
            connection.send(b"?", lambda: time.monotonic() + 30)
            there.recv(1)
        waits = [gevent.spawn(one.receive, lambda data: 0.0, time.monotonic() + 30) for one in connections]
        gevent.sleep(0.005)
        for _, there in pairs:
            there.send(b"x")
        gevent.joinall(waits, raise_error=True)
        gevent.sleep(0.005)
        assert len(lane) == len(pairs)
    for connection, (_, there) in zip(connections, pairs, strict=True):
        connection.close()
        there.close()
    assert len(lane) == 0
