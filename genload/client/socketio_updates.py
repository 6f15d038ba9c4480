"""Updates over Socket.IO: one connection a process, opened again when it is lost.

How late may an update be? Its stamp is one side of that. For the other side the server is asked something
again and again, over the same connection: to join a namespace that does not exist. Its refusal waits in the
server's queue behind all updates that were sent before it. So what comes behind a refusal was not sent before
that question was. A server that lets anybody join anything is told at once that we leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from genload.client.answer import Answer
from genload.client.errors import BadAnswerError, ClientError
from genload.client.followers import Follower, Followers
from genload.client.frames import Closed
from genload.client.service_calls import ServiceCalls
from genload.client.socketio_packets import (
    MAIN,
    Joined,
    Left,
    Opened,
    Packet,
    Pinged,
    Refused,
    Told,
    join,
    leave,
    pong,
    read,
)
from genload.client.websocket import WebSocket
from genload.service import ServiceClient, ServiceError
from genload.service.updates import Update, Updates

PATH = "/socket.io/"
_QUERY = "?EIO=4&transport=websocket"
_NOWHERE = "/genload"
_LONGEST_SILENCE_S = 20.0  # of a server that is asked: then the connection is lost
_IDLE_QUESTION_S = 5.0  # while nobody waits for an update
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0  # before the next connection


class SocketIoUpdates(Updates):
    """Of a service that broadcasts what becomes of its jobs.

    Args:
        client: whose settings say how to connect.
        event: the name of the events that are updates.
        key: where in such an event the id of the job stands.
        question_s: the pause between two questions, while users wait.
    """

    def __init__(self, client: ServiceClient, *, event: str, key: str, question_s: float) -> None:
        self._client, self._event, self._key, self._question_s = client, event, key, question_s
        self._calls = ServiceCalls(client, stamps="kernel")
        self._followers = Followers()
        self._listening: gevent.Greenlet | None = None
        self._decided = Event()  # whether updates arrive
        self._tell: Callable[[str], None] = lambda text: None
        self._told = False  # that none do
        self._random = Random()

    def open(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._listening = gevent.spawn(self._listen)

    def wait_until_heard(self, seconds: float) -> None:
        self._decided.wait(seconds)

    def follow(self, job_id: str) -> Follower:
        return self._followers.follow(job_id)

    def close(self) -> None:
        if self._listening is not None:
            self._listening.kill()
            self._listening = None
        self._calls.http.close()

    def _listen(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            before = self.connections
            why = self._why_it_ended()
            self.is_heard = False
            self._followers.lose()
            if self._decided.is_set() and not self._told:  # else nothing has answered yet
                self._told = True
                self._tell(f"no updates over Socket.IO ({why}): until they arrive, jobs are polled")
            if self.connections > before:
                pause_s = _FIRST_PAUSE_S
            gevent.sleep(pause_s * (0.5 + self._random.random()))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _why_it_ended(self) -> str:
        """Listen to one connection to its end."""
        step = self._client.step("updates")
        try:
            with self._calls.websocket(PATH + _QUERY, step, silence_s=_LONGEST_SILENCE_S) as opened:
                why = f"{PATH} answers {opened.status}" if isinstance(opened, Answer) else self._hear(opened)
        except ServiceError as error:
            return error.message
        except BadAnswerError as error:
            why = error.message
        self._decided.set()
        return why

    def _hear(self, socket: WebSocket) -> str:
        """Take what comes until nothing more does; returns the reason."""
        conversation = _Conversation(socket, self._followers, self._question_s)
        try:
            while True:
                heard = socket.receive()
                if isinstance(heard, Closed):
                    return heard.reason or "the service has closed the connection"
                socket.forget()
                packet = read(heard.data) if isinstance(heard.data, str) else None
                if isinstance(packet, Told):
                    if packet.name == self._event and packet.namespace == MAIN:
                        self._hand_over(packet.arguments, heard.when_s, conversation.sure_s)
                elif packet is not None and (why := conversation.go_on(packet)):
                    return why
                elif isinstance(packet, Joined) and packet.namespace == MAIN:
                    self._begin(heard.when_s)
        finally:
            conversation.end()

    def _begin(self, when_s: float) -> None:
        """Whatever is sent from now on arrives."""
        self.connections += 1
        self.is_heard = True
        self._followers.since_s = when_s
        self._decided.set()
        if self._told:
            self._told = False
            self._tell("updates over Socket.IO arrive again")

    def _hand_over(self, arguments: list[Any], when_s: float, sure_s: float) -> None:
        """An update without an id is nobody's: a poll will tell what becomes of its job."""
        self.messages += 1
        fields = arguments[0] if arguments else None
        if isinstance(fields, Mapping) and isinstance(job_id := fields.get(self._key), str):
            self._followers.hand_over(job_id, Update(fields, when_s, sure_s))


class _Conversation:
    """Over one connection, but for the events.

    Attributes:
        sure_s: what comes next was not sent before.
    """

    def __init__(self, socket: WebSocket, followers: Followers, question_s: float) -> None:
        self._socket, self._followers, self._question_s = socket, followers, question_s
        self._asking: gevent.Greenlet | None = None
        self._asked_s = 0.0  # when the question was sent that has no answer yet
        self._answered = Event()
        self.sure_s = 0.0

    def go_on(self, packet: Packet) -> str:
        """Say what is to be said to that; returns why it is the last one, or ""."""
        if isinstance(packet, Opened):
            self._ask(MAIN)
        elif isinstance(packet, Pinged):
            self._socket.send(pong(packet))
        elif isinstance(packet, Left):
            return "the service has ended it" if packet.namespace in (None, MAIN) else ""
        elif isinstance(packet, Joined | Refused):
            return self._take_answer(packet)
        return ""

    def _take_answer(self, answer: Joined | Refused) -> str:
        if answer.namespace == MAIN:
            if isinstance(answer, Refused):
                return f"refused: {answer.why}"
            self._asking = self._asking or gevent.spawn(self._ask_again)
        elif isinstance(answer, Joined):
            self._socket.send(leave(answer.namespace))
        self.sure_s = self._asked_s
        self._answered.set()
        return ""

    def _ask(self, namespace: str) -> None:
        self._asked_s = monotonic()
        self._socket.send(join(namespace))

    def _ask_again(self) -> None:
        """One question at a time: what a busy server has yet to read does not pile up."""
        while True:
            self._answered.wait()
            self._answered.clear()
            if self._followers.wait_for_one(_IDLE_QUESTION_S):
                gevent.sleep(self._question_s)
            try:
                self._ask(_NOWHERE)
            except ClientError:
                return  # whoever listens will notice

    def end(self) -> None:
        if self._asking is not None:
            self._asking.kill()
