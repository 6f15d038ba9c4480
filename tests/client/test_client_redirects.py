"""Redirects: left alone unless asked for, never to another origin, one measurement from end to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genload.client import Answer, ClientError, Headers, HttpClient, Seen, Times, watched
from genload.client.origin import Origin
from genload.client.redirects import Request, redirected
from genload.client.request_head import RequestHead

from ..scripted_server import Peer, Script, ScriptedServer

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]

ORIGIN = Origin("http://gpu1:5000/api")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Away\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")


def answers(*pieces: bytes) -> Script:
    """Each request is answered by the next piece, all on one connection."""

    def script(peer: Peer) -> None:
        for piece in pieces:
            peer.answer(piece)
        peer.read_request()  # the client hangs up first

    return script


def first_lines(server: ScriptedServer) -> list[str]:
    return [request.decode("latin-1").partition(" HTTP")[0] for request in server.requests]


def answer(status: int, *locations: str) -> Answer:
    pairs = [(b"Location", location.encode("latin-1")) for location in locations]
    options: dict[str, Any] = {"arrivals": (), "bytes_sent": 0, "bytes_received": 0, "reused": False}
    return Answer(status=status, reason="", headers=Headers(pairs), body=b"", times=Times(), **options)


def following(
    request: Request, status: int, *locations: str, target: str = "/api/jobs/1?x=y"
) -> Request | None:
    return redirected(request, target, answer(status, *locations), ORIGIN)


def test_a_redirect_is_an_answer_unless_asked_for(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(answers(redirect("/there")))
    found = client_of(server.url).get("/here")
    assert (found.status, found.headers["location"]) == (302, "/there")
    assert len(server.requests) == 1


def test_asked_for_it_is_followed_on_the_same_connection(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(answers(redirect("/there"), redirect("again", 301), OK))
    client = client_of(server.url, follow_redirects=2, headers={"Authorization": "Bearer x"})
    assert client.get("/here").body == b"done"
    assert first_lines(server) == ["GET /here", "GET /there", "GET /again"]
    assert all(b"Authorization: Bearer x\r\n" in request for request in server.requests)
    assert server.connections == 1


def test_no_more_are_followed_than_asked_for(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(answers(*[redirect("/round")] * 9))
    found = client_of(server.url, follow_redirects=3).get("/round")
    assert found.status == 302
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (303, "DELETE", "GET"),
        (303, "HEAD", "HEAD"),
        (302, "HEAD", "HEAD"),
        (307, "GET", "GET"),
    ],
)
def test_methods_bodies_and_what_describes_them(status: int, method: str, then: str) -> None:
    headers = {"Content-Type": "text/plain", "X-Request-ID": "1"}
    request = following(Request(method, "/jobs/1", headers, b"body"), status, "/b")
    assert request is not None
    assert request.method == then
    if then == "GET" != method:
        assert (request.body, request.headers) == (None, {"X-Request-ID": "1"})
    else:
        assert (request.body, request.headers) == (b"body", headers)


@pytest.mark.parametrize("status", [300, 304, 305, 306, 310, 399])
def test_what_is_no_redirect_to_follow(status: int) -> None:
    assert following(Request("GET", "/", None, None), status, "/b") is None


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/b", "/b"),  # the base URL's own path is the server's to repeat
        ("b", "/api/jobs/b"),
        ("../b?c=d", "/api/b?c=d"),
        ("?p=2", "/api/jobs/1?p=2"),
        ("http://gpu1:5000/b#part", "/b"),
        ("HTTP://GPU1:5000/b", "/b"),
        ("//gpu1:5000/b", "/b"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("/\xc3\xbc", "/%C3%BC"),
        ("http://user:secret@gpu1:5000/b", "/b"),
    ],
)
def test_where_a_location_leads(location: str, path: str) -> None:
    request = following(Request("GET", "/jobs/1?x=y", None, None), 302, location)
    assert request is not None
    assert RequestHead(ORIGIN, {}).target(request.path) == path


@pytest.mark.parametrize(
    "location",
    [
        "http://gpu2:5000/b",
        "//gpu2/b",
        "http://gpu1/b",
        "http://gpu1:5001/b",
        "https://gpu1:5000/b",
        "http://gpu1:5000@gpu2/b",
        "ftp://gpu1:5000/b",
        "mailto:someone",
        "http://[",
        "http://gpu1:port/b",
        "#part",
        "",
    ],
)
def test_never_to_another_origin_or_to_none(location: str) -> None:
    assert following(Request("GET", "/jobs/1", None, None), 302, location) is None


def test_another_origin_gets_not_a_byte(raw_server: Servers, client_of: Clients) -> None:
    other = raw_server(answers(OK))
    server = raw_server(answers(redirect(f"{other.url}/there")))
    client = client_of(server.url, follow_redirects=5, headers={"Authorization": "Bearer x"})
    assert client.get("/here").status == 302
    assert other.connections == 0


def test_without_a_location_it_is_an_answer() -> None:
    assert following(Request("GET", "/", None, None), 302) is None


def test_times_and_bytes_are_those_of_the_whole_chain(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(answers(redirect("/there", 307), OK))
    seen: list[Seen] = []
    with watched(seen.append):
        found = client_of(server.url, follow_redirects=1).request("POST", "/here", body=b"x" * 100)
    times = found.times
    assert times.start_s < times.connected_s < times.chunks[0][0] < times.sent_s <= times.first_byte_s
    assert times.chunks[-1][0] == times.end_s >= times.first_byte_s
    assert [count for _, count in times.chunks] == [len(redirect("/there", 307)), len(OK)]
    assert found.bytes_received == len(redirect("/there", 307)) + len(OK)
    assert found.bytes_sent == sum(map(len, server.requests))
    assert [one.request for one in seen] == ["POST /here HTTP/1.1", "POST /there HTTP/1.1"]
    assert not found.reused


def test_a_connection_made_on_the_way_is_not_the_connect_time(
    raw_server: Servers, client_of: Clients
) -> None:
    closing = redirect("/there").replace(b"Away\r\n", b"Away\r\nConnection: close\r\n")
    server = raw_server(answers(closing), answers(OK))
    found = client_of(server.url, follow_redirects=1).get("/here")
    assert server.connections == 2
    assert found.times.connected_s < found.times.chunks[0][0]


def test_the_total_limit_is_that_of_the_chain(raw_server: Servers, client_of: Clients) -> None:
    def hang(peer: Peer) -> None:
        peer.answer(redirect("/there"))
        peer.answer()
        peer.read_request()  # the client hangs up

    server = raw_server(hang)
    with pytest.raises(ClientError) as caught:
        client_of(server.url, follow_redirects=1).get("/here", total_s=1)
    error = caught.value
    assert error.error_class == "timeout"
    assert error.message == "not done after 1 s"
    assert error.times.end_s - error.times.start_s >= 1
    assert (error.times.first_byte_s, error.bytes_received) == (0.0, len(redirect("/there")))
    assert error.times.sent_s > error.times.chunks[0][0]


def test_a_hop_without_an_answer_fails_the_request(raw_server: Servers, client_of: Clients) -> None:
    def hang_up(peer: Peer) -> None:
        peer.answer(redirect("/there"))
        peer.read_request()

    server = raw_server(hang_up)
    with pytest.raises(ClientError) as caught:
        client_of(server.url, follow_redirects=1).get("/here")
    error = caught.value
    assert error.error_class == "reset"
    assert error.bytes_sent == sum(map(len, server.requests))
    assert error.times.start_s < error.times.connected_s < error.times.chunks[0][0]


def test_a_hop_without_an_answer_fails_after_an_answer_in_pieces(
    raw_server: Servers, client_of: Clients
) -> None:
    moved = b"HTTP/1.1 302 Away\r\nLocation: /there\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000)
    server = raw_server(lambda peer: (peer.answer(moved), peer.read_request()))

    with pytest.raises(ClientError) as caught:
        client_of(server.url, follow_redirects=1).get("/here")

    assert len(caught.value.times.chunks) > 1  # more than one receive takes at most
    assert caught.value.error_class == "reset"
    assert caught.value.bytes_received == len(moved)
