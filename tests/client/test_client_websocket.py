"""WebSockets over the measuring client: frames written by hand on the server's side, byte by byte."""

from __future__ import annotations

import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.utilities import generate_accept_token

from genload.client import Answer, ClientError, Headers, Timeouts, Times, TlsOptions
from genload.client.frames import Closed
from genload.client.websocket import Heard, WebSocket

from ..scripted_server import Peer
from .certificates import Authority
from .spoken_frames import (
    BINARY,
    CLOSE,
    FIN,
    PING,
    PONG,
    TEXT,
    Clients,
    Servers,
    accept,
    answering,
    closing,
    conversation,
    failing,
    frame,
    frames_of,
)


def test_messages_of_every_size_and_their_stamps(raw_server: Servers, client_of: Clients) -> None:
    sizes = [0, 1, 125, 126, 65_535, 65_536, 200_000]
    said: list[bytes] = []
    pieces = [frame(BINARY, bytes([n]) * size) for n, size in enumerate(sizes)]
    server = raw_server(
        answering(*pieces, frame(TEXT, "Grüße".encode()), closing(1000, "bye"), said=said, pause_s=0.01)
    )
    before_s = time.monotonic()
    *messages, end = conversation(client_of(server.url), "one", "two")

    assert end == Closed(1000, "bye")
    assert [message.data for message in messages] == [bytes([n]) * size for n, size in enumerate(sizes)] + [
        "Grüße"
    ]
    stamps = [message.when_s for message in messages]
    assert stamps == sorted(stamps) and before_s < stamps[0] and stamps[-1] < time.monotonic()
    assert stamps[-1] - stamps[0] > 0.05
    deadline_s = time.monotonic() + 30
    while not said and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert frames_of(said[0]) == [(TEXT, b"one"), (TEXT, b"two"), (CLOSE, struct.pack("!H", 1000) + b"bye")]


def test_the_handshake_is_a_request_like_any_other(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(answering(closing(1000)))
    client = client_of(f"{server.url}/v1", headers={"Authorization": "Bearer x"})
    conversation(client, headers={"X-Request-ID": "request-1"})
    (asked,) = server.requests
    head = asked.decode().split("\r\n")
    assert head[0] == "GET /v1/talk HTTP/1.1"
    for line in (
        "Authorization: Bearer x",
        "X-Request-ID: request-1",
        "Upgrade: websocket",
        "Connection: Upgrade",
    ):
        assert line in head
    assert "Sec-WebSocket-Version: 13" in head


def test_to_open_it_is_to_connect(raw_server: Servers, client_of: Clients) -> None:
    def script(peer: Peer) -> None:
        agreed = accept(peer)
        time.sleep(0.05)
        peer.sock.sendall(agreed)
        peer.sock.recv(65536)
        time.sleep(0.05)
        peer.sock.sendall(frame(BINARY, b"x") + closing(1000))

    with client_of(raw_server(script).url).websocket("/") as socket:
        assert isinstance(socket, WebSocket)
        socket.send("hello")
        times = socket.times
        heard = socket.receive()
        assert isinstance(heard, Heard)
        assert times.connected_s - times.start_s > 0.045
        assert times.connected_s <= times.sent_s < times.first_byte_s == heard.when_s
        assert times.first_byte_s - times.sent_s > 0.045
        assert socket.bytes_received > 100 and socket.bytes_sent > 100


def test_what_came_with_the_101_is_heard(raw_server: Servers, client_of: Clients) -> None:
    def script(peer: Peer) -> None:
        peer.sock.sendall(accept(peer) + frame(TEXT, b"at once") + closing(1000))
        peer.sock.recv(65536)

    heard = conversation(client_of(raw_server(script).url))
    assert [getattr(each, "data", None) for each in heard] == ["at once", None]


def test_fragments_are_one_message_with_pings_between_them(raw_server: Servers, client_of: Clients) -> None:
    said: list[bytes] = []
    pieces = (
        frame(TEXT, "Grü".encode()[:3], fin=False),
        frame(PING, b"still there?"),
        frame(0, "Grü".encode()[3:], fin=False),
        frame(PONG, b"unasked"),
        frame(0, b"!") + frame(BINARY, b"a", fin=False) + frame(0, b"b"),
        closing(1000),
    )
    one, two, _ = conversation(client_of(raw_server(answering(*pieces, said=said, pause_s=0.005)).url))
    assert (one.data, two.data) == ("Grü!", b"ab")
    deadline_s = time.monotonic() + 30
    while not said and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert (PONG, b"still there?") in frames_of(said[0])


@pytest.mark.parametrize("code", [1001, 1008, 1011, 1013, 4000])
def test_why_it_was_closed_is_told(raw_server: Servers, client_of: Clients, code: int) -> None:
    server = raw_server(answering(closing(code, "engine is gone")))
    assert conversation(client_of(server.url)) == [Closed(code, "engine is gone")]


def test_a_close_without_a_code(raw_server: Servers, client_of: Clients) -> None:
    assert conversation(client_of(raw_server(answering(frame(CLOSE))).url)) == [Closed(1005, "")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (b"\x81\x85\x01\x02\x03\x04hello", "masked"),
        (b"\x83\x00", "opcode"),
        (b"\xc1\x00", "reserved bit"),
        (b"\x09\x00", "control frame in fragments"),
        (b"\x89\x7e\x00\x80" + bytes(128), "125"),
        (b"\x82\x7e\x00\x01x", "more bytes than it takes"),
        (frame(0, b"x"), "goes on with no message"),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), "inside another"),
        (frame(TEXT, b"\xff\xfe"), "no UTF-8"),
        (frame(CLOSE, b"\x03"), "half a closing code"),
        (closing(999), "code 999"),
        (closing(1006), "code 1006"),
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
    ],
)
def test_frames_that_no_server_may_send(
    raw_server: Servers, client_of: Clients, wrong: bytes, words: str
) -> None:
    error = failing(client_of(raw_server(answering(frame(BINARY, b"fine") + wrong)).url))
    assert error.error_class == "protocol"
    assert words in error.message


def test_an_end_without_a_closing_frame_is_truncated(raw_server: Servers, client_of: Clients) -> None:
    for cut in (b"", frame(BINARY, bytes(1000))[:500]):
        assert failing(client_of(raw_server(answering(cut)).url)).error_class == "truncated"

    def script(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        peer.sock.recv(65536)
        peer.reset()

    assert failing(client_of(raw_server(script).url)).error_class == "truncated"


def test_a_101_for_somebody_else_is_refused(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(lambda peer: peer.sock.sendall(accept(peer, key=b"somebody else's")))
    error = failing(client_of(server.url))
    assert (error.error_class, error.message) == ("protocol", "a 101 that does not answer this handshake")


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden", b"503 Service Unavailable"])
def test_a_refusal_is_an_answer(raw_server: Servers, client_of: Clients, status: bytes) -> None:
    reply = b"HTTP/1.1 " + status + b"\r\nContent-Length: 4\r\nRetry-After: 3\r\n\r\nbusy"
    with client_of(raw_server(lambda peer: peer.answer(reply)).url).websocket("/") as answer:
        assert isinstance(answer, Answer)
        assert (answer.status, answer.body) == (int(status[:3]), b"busy")


def test_silence_and_the_deadline_end_it(raw_server: Servers, client_of: Clients) -> None:
    def silent(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        while peer.sock.recv(65536):
            pass

    def pinging(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        while True:
            peer.sock.sendall(frame(PING))
            time.sleep(0.01)

    client = client_of(raw_server(silent).url, timeouts=Timeouts(5, 0.05))
    assert failing(client).error_class == "receive_timeout"
    client = client_of(raw_server(pinging).url, timeouts=Timeouts(5, 5))
    assert failing(client, total_s=0.2).error_class == "timeout"


def test_more_than_the_client_takes_is_too_large(raw_server: Servers, client_of: Clients) -> None:
    many = frame(BINARY, bytes(600)) * 2
    one = struct.pack("!BBQ", FIN | BINARY, 127, 1 << 40) + bytes(100_000)
    for pieces in (many, one):
        client = client_of(raw_server(answering(pieces)).url, max_answer_bytes=1000)
        assert failing(client).error_class == "too_large"


def heard_of(*pieces: bytes) -> list[Heard | Closed]:
    """What is heard when a server that has agreed sends these and ends, without any socket."""
    left = [*pieces, b""]

    def receive(connection: Any, take: Callable[[memoryview], bool]) -> None:
        while not take(memoryview(left.pop(0))):
            pass

    exchange: Any = SimpleNamespace(
        behind=b"",
        send_until_s=lambda: 0.0,
        times=Times(),
        max_answer_bytes=1000,
        receive=receive,
        failed=lambda error_class, message: ClientError(error_class, message, times=Times()),
    )
    connection: Any = SimpleNamespace(send=lambda data, until_s: None, sent_bytes=0)
    accepted = [(b"Sec-WebSocket-Accept", generate_accept_token(b"key"))]
    answer = Answer(101, "", Headers(accepted), b"", (), Times(), 0, 0, False)
    socket = WebSocket(exchange, connection, answer, b"key")
    heard: list[Heard | Closed] = []
    with suppress(ClientError):
        while not heard or not isinstance(heard[-1], Closed):
            heard.append(socket.receive())
    return heard


frames = st.builds(
    lambda opcode, payload, fin: frame(opcode, payload, fin=fin),
    st.sampled_from([0, TEXT, BINARY, CLOSE, PING, PONG, 3]),
    st.binary(max_size=150),
    st.booleans(),
)


@given(
    st.lists(frames | st.binary(max_size=20), max_size=6).map(b"".join),
    st.lists(st.integers(0, 2000), max_size=8),
)
def test_whatever_comes_and_however_it_is_cut_only_our_own_errors_leave(
    data: bytes, places: list[int]
) -> None:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges) if b > a]
    assert heard_of(*pieces) == heard_of(*([data] if data else []))


def test_over_tls(raw_server: Servers, client_of: Clients, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("127.0.0.1"))

    def script(peer: Peer) -> None:
        peer.sock = context.wrap_socket(peer.sock, server_side=True)
        answering(frame(BINARY, bytes(100_000)), closing(1000))(peer)

    url = raw_server(script).url.replace("http:", "https:")
    heard, end = conversation(client_of(url, tls=TlsOptions(ca_file=str(authority.file))))
    assert heard.data == bytes(100_000) and end == Closed(1000, "")
