"""A WebSocket that carries one request after the other: times and limits of its own for each."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from genload.client import ClientError, HttpClient, Times
from genload.client.websocket import WebSocket

from ..scripted_server import Peer
from .spoken_frames import BINARY, CLOSE, TEXT, Clients, Servers, accept, closing, frame, frames_of


def talking(peer: Peer) -> None:
    """Agrees, and answers each message with one of its own, to the end."""
    peer.sock.sendall(accept(peer))
    while heard := peer.sock.recv(65536):
        for opcode, payload in frames_of(heard):
            if opcode == CLOSE:
                return
            peer.sock.sendall(frame(BINARY, payload) + frame(TEXT, payload.upper()))


def said_and_heard(client: HttpClient, text: str, **options: Any) -> tuple[WebSocket, list[Any]]:
    """One conversation, which ends with its first text."""
    with client.websocket("/talk", **options) as socket:
        assert isinstance(socket, WebSocket)
        socket.send(text)
        heard = [socket.receive(), socket.receive()]
    return socket, [getattr(each, "data", each) for each in heard]


def test_a_kept_one_goes_on_with_times_and_limits_of_its_own(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(talking)
    client = client_of(server.url, max_answer_bytes=300)  # of a conversation, not of all
    ends: list[float] = []
    for n in range(3):
        times, text = Times(), f"{n}" * 100
        socket, heard = said_and_heard(client, text, keep=True, times=times, total_s=30.0)
        assert heard == [text.encode(), text]
        assert socket.times is times
        assert times.start_s <= times.connected_s <= times.sent_s <= times.first_byte_s <= times.end_s
        assert (times.connect_s > 0) == (n == 0)
        assert not ends or ends[-1] <= times.start_s
        ends.append(times.end_s)
        if n:
            assert (socket.bytes_sent, socket.bytes_received) == (106, 204)
    client.close()
    assert len(server.requests) == 1


def test_one_is_opened_anew_where_the_kept_one_cannot_go_on(raw_server: Servers, client_of: Clients) -> None:
    def leaving(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        peer.sock.recv(65536)
        peer.sock.sendall(frame(BINARY, b"a") + frame(TEXT, b"A") + closing(1000))

    def halting(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        peer.sock.recv(65536)
        peer.sock.sendall(frame(BINARY, b"a") + frame(TEXT, b"A") + frame(TEXT, b"more")[:3])
        peer.sock.recv(65536)

    server = raw_server(halting, leaving, talking, talking, talking)
    client = client_of(server.url)
    assert said_and_heard(client, "none", keep=True)[1] == [b"a", "A"]
    assert said_and_heard(client, "one", keep=True)[1] == [b"a", "A"]
    gevent.sleep(0.02)  # until it has come
    assert said_and_heard(client, "two", keep=True)[1] == [b"two", "TWO"]
    with pytest.raises(KeyError), client.websocket("/talk", keep=True) as socket:  # the kept one
        assert isinstance(socket, WebSocket)
        socket.send("cut off")
        raise KeyError
    assert said_and_heard(client, "three", keep=True)[1] == [b"three", "THREE"]
    assert len(server.requests) == 4
    assert said_and_heard(client, "four")[1] == [b"four", "FOUR"]  # of its own, as it does not ask for it
    assert len(server.requests) == 5


def test_one_that_breaks_off_in_a_later_request_is_a_failure_of_that(
    raw_server: Servers, client_of: Clients
) -> None:
    def breaking_off(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        peer.sock.recv(65536)
        peer.sock.sendall(frame(BINARY, b"a") + frame(TEXT, b"A"))
        peer.sock.recv(65536)

    client = client_of(raw_server(breaking_off).url)
    assert said_and_heard(client, "a", keep=True)[1] == [b"a", "A"]
    with pytest.raises(ClientError) as caught:
        said_and_heard(client, "b", keep=True)
    assert caught.value.error_class == "reset" and caught.value.times.chunks == []
