"""A WebSocket (RFC 6455) over the measuring client's own connection: the same stamps, limits and errors.

It opens with a request like any other, so that a refusal is an answer like any other. The frames are those of
wsproto, which knows no sockets and no clock either.
"""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import Any

import msgspec
from wsproto.connection import CLIENT, ConnectionState
from wsproto.connection import Connection as Frames
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.utilities import generate_accept_token, generate_nonce

from genload.client.answer import Answer
from genload.client.connection import Connection
from genload.client.errors import ClientError
from genload.client.exchange import Exchange
from genload.client.parser import AnswerAssembler
from genload.client.waiting import ExpiredError
from genload.human import human

SWITCHED = 101
_NORMAL = 1000

new_key = generate_nonce


def handshake(key: bytes) -> dict[str, str]:
    """The headers that ask for a WebSocket."""
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key.decode("ascii"),
    }


class Upgrade(Exchange, eq=False):
    """The request for a WebSocket: a connection that has switched goes on behind the answer."""

    def _keeps_connection(self, assembler: AnswerAssembler) -> bool:
        return assembler.status == SWITCHED


class Heard(msgspec.Struct, frozen=True):
    """A whole message.

    Attributes:
        when_s: the stamp of the receive with which it was whole; monotonic.
        data: text, or bytes.
    """

    when_s: float
    data: str | bytes


class Closed(msgspec.Struct, frozen=True):
    """The server has closed the WebSocket.

    Attributes:
        code: 1000 where it has done what it was for, 1005 where none was named.
        reason: its words, maybe none.
    """

    code: int
    reason: str


class WebSocket:
    """An open WebSocket; one greenlet uses it at a time.

    To open it is to connect: in the exchange's times, `connected_s` is right before the first message is
    sent, `sent_s` when the system has taken the last one, and `first_byte_s` the first receive behind it.

    Args:
        exchange: what `answer`, a 101, came by.
        connection: which carried it.
        key: that `handshake` was made with.

    Attributes:
        times: those of the exchange.
        bytes_sent: on the wire, the handshake with it.

    Raises:
        ClientError: ``protocol``: the answer belongs to another handshake.
    """

    __slots__ = (
        "_connection",
        "_events",
        "_exchange",
        "_first",
        "_frames",
        "_parts",
        "_payload_bytes",
        "bytes_sent",
        "times",
    )

    def __init__(self, exchange: Upgrade, connection: Connection, answer: Answer, key: bytes) -> None:
        if answer.headers.get("sec-websocket-accept") != generate_accept_token(key).decode("ascii"):
            raise exchange.failed("protocol", "a 101 that does not answer this handshake")
        self._exchange, self._connection = exchange, connection
        self._frames = Frames(CLIENT, trailing_data=exchange.behind)
        self._events = self._frames.events()  # one by one: after a close no ping can be answered
        self._parts: list[Any] = []  # of a message that is not whole: text, or bytes
        self._payload_bytes = 0  # of all messages
        self._first = True  # no message was sent, or nothing came behind it
        self.times = exchange.times
        self.bytes_sent = answer.bytes_sent

    @property
    def bytes_received(self) -> int:
        """On the wire, the handshake with it."""
        return self._exchange.received_bytes

    def send(self, *texts: str) -> None:
        """Send messages, all at once. That the connection has ended, `receive` tells: the server may say why.

        Raises:
            ClientError: ``send_timeout``, ``timeout``.
        """
        data = b""
        if self._frames.state is ConnectionState.OPEN:
            data = b"".join([self._frames.send(TextMessage(data=text)) for text in texts])
        if self._first:
            self.times.first_byte_s = 0.0
            self.times.connected_s = monotonic()
        self._hand_over(data)
        self.times.sent_s = monotonic()

    def receive(self) -> Heard | Closed:
        """The next whole message, or that there will be none. Pings are answered meanwhile.

        Raises:
            ClientError: ``receive_timeout``, ``timeout``; ``truncated``: the connection ended, and no closing
                frame had said so; ``too_large``: the messages together; ``protocol``: what came are no frames
                that a server may send.
        """
        while True:
            for event in self._events:
                heard = self._take(event)
                if heard is not None:
                    return heard
            self._exchange.receive(self._connection, self._feed)

    def _feed(self, data: memoryview) -> bool:
        if not data:
            raise self._exchange.failed("truncated", "the connection ended without a closing frame")
        if self._first:
            self._first = False
            self.times.first_byte_s = self.times.end_s
        self._frames.receive_data(bytes(data))
        self._events = self._frames.events()
        return True

    def close(self) -> None:
        """Say goodbye, without waiting for an answer."""
        if self._frames.state is ConnectionState.OPEN:
            with suppress(ClientError):
                self._hand_over(self._frames.send(CloseConnection(code=_NORMAL)))

    def _take(self, event: Event) -> Heard | Closed | None:
        if isinstance(event, TextMessage | BytesMessage):
            return self._part(event)
        if isinstance(event, Ping):
            self._hand_over(self._frames.send(event.response()))
        elif isinstance(event, CloseConnection):
            if self._frames.state is ConnectionState.OPEN:  # wsproto's way to tell of frames that are none
                raise self._exchange.failed("protocol", f"no frames of a WebSocket's server: {event.reason}")
            self._hand_over(self._frames.send(event.response()))
            return Closed(int(event.code), event.reason or "")
        return None

    def _part(self, event: TextMessage | BytesMessage) -> Heard | None:
        self._payload_bytes += len(event.data)
        limit = self._exchange.max_answer_bytes
        if self._payload_bytes > limit:
            raise self._exchange.failed("too_large", f"the messages are larger than {limit:,} bytes")
        self._parts.append(event.data)
        if not event.message_finished:
            return None
        data = "".join(self._parts) if isinstance(event, TextMessage) else b"".join(self._parts)
        self._parts.clear()
        return Heard(self.times.end_s, data)

    def _hand_over(self, data: bytes) -> None:
        """Send frames; that the connection has ended is kept for whoever reads to its end."""
        exchange = self._exchange
        try:
            self._connection.send(data, exchange.send_until_s)
        except ExpiredError:
            silence = f"the server took nothing of what was sent for {human(exchange.send_limit_s, 's')}"
            raise exchange.expired("send_timeout", silence) from None
        except OSError as error:
            exchange.send_failure = error
        self.bytes_sent += self._connection.sent_bytes
