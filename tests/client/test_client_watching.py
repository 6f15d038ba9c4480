"""Looking on while a client works."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.client import Answer, ClientError, HttpClient, Seen, watched
from genload.client.frames import Closed

from ..scripted_server import Peer, ScriptedServer
from .test_client_websocket import BINARY, TEXT, accept, closing, conversation, frame

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]


def good(peer: Peer) -> None:
    peer.answer(b"HTTP/1.1 201 Made\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def cut(peer: Peer) -> None:
    peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal")


def test_an_exchange_is_told_as_it_went_over_the_wire(raw_server: Servers, client_of: Clients) -> None:
    seen: list[Seen] = []
    client = client_of(raw_server(good, good).url, headers={"Authorization": "Bearer x: y"})
    with watched(seen.append):
        answer = client.post_json("/a?b=c", {"n": 1})
    client.get("/afterwards")

    (one,) = seen
    assert one.request == "POST /a?b=c HTTP/1.1" and one.body == b'{"n":1}'
    assert ("Authorization", "Bearer x: y") in one.headers and ("Content-Length", "7") in one.headers
    assert one.answer is answer and one.error is None


def test_a_failed_exchange_is_told_with_what_came(raw_server: Servers, client_of: Clients) -> None:
    seen: list[Seen] = []
    with watched(seen.append), pytest.raises(ClientError) as caught:
        client_of(raw_server(cut).url).get("/")

    (one,) = seen
    assert one.error is caught.value and one.error.error_class == "truncated"
    assert one.answer is not None and (one.answer.status, one.answer.body) == (200, b"hal")


def test_a_websocket_is_told_of_once_with_all_that_passed(raw_server: Servers, client_of: Clients) -> None:
    def talk(peer: Peer) -> None:
        peer.sock.sendall(accept(peer))
        peer.sock.recv(65536)
        peer.sock.sendall(frame(TEXT, b"one") + frame(BINARY, b"two") + closing(1000, "bye"))

    seen: list[Seen] = []
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    client = client_of(raw_server(talk, lambda peer: peer.answer(refused)).url)
    with watched(seen.append):
        heard = conversation(client, "hello")
        with client.websocket("/talk") as answer:
            assert isinstance(answer, Answer)
    one, other = seen
    assert one.answer is not None and one.answer.status == 101 and one.error is None
    assert [(each.sent, each.message) for each in one.messages] == [
        (True, "hello"),
        (False, "one"),
        (False, b"two"),
        (False, Closed(1000, "bye")),
    ]
    assert [each.when_s for each in one.messages[1:3]] == [getattr(each, "when_s", 0.0) for each in heard[:2]]
    assert other.answer is answer and other.messages == ()
