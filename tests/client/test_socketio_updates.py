"""The one connection of a process: how it begins, what it asks, what it hands over, how it comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from math import inf
from time import monotonic
from typing import Any

import gevent
import pytest

from genload.client.followers import Follower
from genload.client.socketio_updates import SocketIoUpdates
from genload.service import ServiceClient
from genload.settings.service import Service

from ..scripted_server import Peer, Reply
from .spoken_frames import TEXT, Servers, accept, closing, frame, frames_of

LONG_S = 30.0
OPENED = '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
JOINED = '40{"sid":"t"}'
REFUSED = '44/genload,{"message":"Unable to connect"}'


class Client(ServiceClient):
    operation = "generate"

    def ready(self) -> None:
        raise AssertionError("nobody asks")


class Server:
    """One connection of a Socket.IO server, in its own thread: says what the test tells it to."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        peer.sock.sendall(accept(peer))
        self.say(OPENED)
        assert self.hear() == "40"

    def say(self, *texts: str) -> None:
        self._peer.sock.sendall(b"".join(frame(TEXT, text.encode()) for text in texts))

    def hear(self) -> str:
        """The next message; "" where it is a closing frame, or the end."""
        data = self._peer.sock.recv(65536)
        return "" if not data or data[0] & 0xF != TEXT else frames_of(data)[0][1].decode()

    def hang_up(self) -> None:
        self._peer.sock.sendall(closing(1001))


def event(job_id: str, **fields: Any) -> str:
    return "42" + json.dumps(["job_update", {"job_id": job_id, **fields}])


Listening = Callable[..., SocketIoUpdates]


@pytest.fixture
def listening() -> Iterator[Listening]:
    """A factory: updates of a server, and what is told of them."""
    opened: list[SocketIoUpdates] = []

    def start(url: str, told: list[str] | None = None, question_s: float = 0.001) -> SocketIoUpdates:
        client = Client(Service(api="x", host=url, headers={"X-Team": "blue"}))
        updates = SocketIoUpdates(client, event="job_update", key="job_id", question_s=question_s)
        updates.open((told if told is not None else []).append)
        opened.append(updates)
        return updates

    yield start
    for updates in opened:
        updates.close()


def next_of(follower: Follower) -> Any:
    found = follower.wait(LONG_S)
    assert found is not None
    return found


def test_it_joins_answers_pings_and_hands_over_what_is_told(
    raw_server: Servers, listening: Listening
) -> None:
    said: list[str] = []

    def script(peer: Peer) -> None:
        server = Server(peer)
        server.say(JOINED, '42["connected",{"status":"connected"}]', event("early", progress=0), "2probe")
        while (heard := server.hear()).startswith("44") or not heard.startswith("3"):
            said.append(heard)
        said.append(heard)
        server.say(event("mine", progress=25), event("other"), '42["job_update"]', event("mine", progress=50))
        while server.hear():
            pass

    server = raw_server(script)
    updates = listening(server.url)
    updates.wait_until_heard(LONG_S)
    mine = updates.follow("mine")

    assert [next_of(mine).fields["progress"] for _ in range(2)] == [25, 50]
    assert next_of(updates.follow("early")).fields == {"job_id": "early", "progress": 0}
    assert said[-1] == "3probe"
    assert (updates.connections, updates.messages) == (1, 5)
    head = server.requests[0].decode()
    assert head.startswith("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n")
    assert "X-Team: blue" in head and "X-Request-ID: " in head


@pytest.mark.parametrize("lets_in", [False, True])
def test_what_comes_behind_an_answer_was_not_sent_before_its_question(
    raw_server: Servers, listening: Listening, lets_in: bool
) -> None:
    """The server waits with its answer: what it says behind that is dated by the question, and what it says
    before it by the question before."""
    arrived: list[float] = []
    left: list[str] = []

    def script(peer: Peer) -> None:
        server = Server(peer)
        server.say(JOINED)
        assert server.hear() == "40/genload,"
        arrived.append(monotonic())
        server.say(event("mine", n=1))
        server.say('40/genload,{"sid":"u"}' if lets_in else REFUSED, event("mine", n=2))
        while heard := server.hear():
            left.append(heard)
            if heard == "40/genload,":
                server.say(REFUSED)

    updates = listening(raw_server(script).url)
    updates.wait_until_heard(LONG_S)
    mine = updates.follow("mine")
    first, second = next_of(mine), next_of(mine)

    assert first.since_s < mine.since_s <= second.since_s < arrived[0] < first.seen_s <= second.seen_s
    deadline_s = monotonic() + LONG_S
    while lets_in and not left and monotonic() < deadline_s:
        gevent.sleep(0.001)
    assert not lets_in or left[0] == "41/genload,"


def test_a_loss_is_told_and_the_next_connection_is_another(raw_server: Servers, listening: Listening) -> None:
    cut = threading.Event()

    def first(peer: Peer) -> None:
        server = Server(peer)
        server.say(JOINED)
        cut.wait(LONG_S)
        peer.sock.close()

    def second(peer: Peer) -> None:
        server = Server(peer)
        server.say(JOINED, event("mine", n=2))
        while server.hear():
            server.say(REFUSED)

    told: list[str] = []
    updates = listening(raw_server(first, second).url, told)
    updates.wait_until_heard(LONG_S)
    mine = updates.follow("mine")
    cut.set()

    assert mine.wait(LONG_S) is None and mine.since_s == inf
    again = next_of(mine)
    assert again.fields["n"] == 2 and mine.since_s <= again.seen_s < inf
    assert updates.connections == 2
    assert told[0].startswith("no updates over Socket.IO (") and told[-1].endswith("arrive again")


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (['44{"message":"who are you?"}'], "refused: who are you?"),
        ([JOINED, "41"], "the service has ended it"),
        ([JOINED, "1"], "the service has ended it"),
        (["<html>"], "no packet of a Socket.IO server: '<html>'"),
    ],
)
def test_who_is_not_wanted_says_why(
    raw_server: Servers, listening: Listening, says: list[str], why: str
) -> None:
    def script(peer: Peer) -> None:
        server = Server(peer)
        server.say(*says)
        while server.hear():
            pass

    told: list[str] = []
    listening(raw_server(script).url, told).wait_until_heard(LONG_S)
    deadline_s = monotonic() + LONG_S
    while not told and monotonic() < deadline_s:
        gevent.sleep(0.001)
    assert told[0] == f"no updates over Socket.IO ({why}): until they arrive, jobs are polled"


def test_a_service_without_it_is_not_waited_for(raw_server: Servers, listening: Listening) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.sock.sendall(Reply(404, {"error": "Not found"}).encoded())

    told: list[str] = []
    updates = listening(raw_server(script).url, told)
    updates.wait_until_heard(inf)
    deadline_s = monotonic() + LONG_S
    while not told and monotonic() < deadline_s:
        gevent.sleep(0.001)
    assert told == ["no updates over Socket.IO (/socket.io/ answers 404): until they arrive, jobs are polled"]
    assert updates.connections == 0


def test_a_service_that_is_not_there_yet_is_waited_for_without_a_word(listening: Listening) -> None:
    told: list[str] = []
    updates = listening("http://127.0.0.1:9", told)
    began_s = monotonic()
    updates.wait_until_heard(0.1)
    assert monotonic() - began_s >= 0.1 and told == []
