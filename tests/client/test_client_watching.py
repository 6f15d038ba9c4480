"""Looking on while a client works."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.client import ClientError, HttpClient, Seen, watched

from ..scripted_server import Peer, ScriptedServer

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
