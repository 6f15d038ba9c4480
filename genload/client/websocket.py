"""A WebSocket (RFC 6455) over the measuring client's own connection: the same stamps, limits and errors.

It opens with a request like any other, so that a refusal is an answer like any other. Frames are written by
wsproto, which knows no sockets and no clock either, and read by `genload.client.frames`.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from math import inf
from time import monotonic

import msgspec

from genload.client.answer import Answer, Times
from genload.client.connection import Connection
from genload.client.errors import BadAnswerError, ClientError
from genload.client.exchange import SWITCHED, Exchange
from genload.client.frames import Closed, FrameReader, Message, Ping
from genload.client.parser import AnswerAssembler
from genload.client.timeouts import Timeouts
from genload.client.waiting import ExpiredError
from genload.client.watching import Passed
from genload.human import human

_NORMAL = 1000


def new_key() -> bytes:
    """For a handshake. The first one imports what writes frames, which most runs need not; before any time is
    taken."""
    from wsproto.utilities import generate_nonce

    return generate_nonce()


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

    def begin(self, timeouts: Timeouts, times: Times, total_s: float | None) -> None:
        """Count what follows as another exchange, over the same connection."""
        self.timeouts, self.times, self.received_bytes = timeouts, times, 0
        self._earliest_s = times.start_s = times.connected_s = monotonic()
        self._deadline_s = inf if total_s is None else times.start_s + total_s

    def _keeps_connection(self, assembler: AnswerAssembler) -> bool:
        return assembler.status == SWITCHED

    def _arrivals(self, assembler: AnswerAssembler) -> tuple[tuple[float, int], ...]:
        """What has come behind the switch is no part of the answer."""
        return () if assembler.status == SWITCHED else super()._arrivals(assembler)


class Heard(msgspec.Struct, frozen=True):
    """A whole message.

    Attributes:
        when_s: the stamp of the receive with which it was whole; monotonic.
        data: text, or bytes.
    """

    when_s: float
    data: str | bytes


class WebSocket:
    """An open WebSocket; one greenlet uses it at a time.

    To open it is to connect: in the exchange's times, `connected_s` is right before the first message is
    sent, `sent_s` when the system has taken the last one, and `first_byte_s` the first receive behind it.

    Args:
        exchange: what `answer`, a 101, came by.
        connection: which carried it.
        key: that `handshake` was made with.
        passed: where what passes is to be written down; None: nowhere.

    Attributes:
        times: those of the exchange.
        bytes_sent: on the wire, the handshake with it.

    Raises:
        ClientError: ``protocol``: the answer belongs to another handshake; then the connection is closed.
    """

    __slots__ = (
        "_connection",
        "_exchange",
        "_failure",
        "_first",
        "_heard",
        "_is_awaited",
        "_is_kept",
        "_passed",
        "_reader",
        "_writer",
        "bytes_sent",
        "times",
    )

    def __init__(
        self,
        exchange: Upgrade,
        connection: Connection,
        answer: Answer,
        key: bytes,
        passed: list[Passed] | None = None,
    ) -> None:
        from wsproto.frame_protocol import FrameProtocol
        from wsproto.utilities import generate_accept_token

        if answer.headers.get("sec-websocket-accept") != generate_accept_token(key).decode("ascii"):
            connection.close()
            raise exchange.failed("protocol", "a 101 that does not answer this handshake")
        self._exchange, self._connection, self._passed = exchange, connection, passed
        self._writer = FrameProtocol(client=True, extensions=[])
        self._reader = FrameReader(exchange.max_answer_bytes, self._hear)
        self._heard: deque[tuple[float, Message]] = deque()
        self._is_awaited = False  # what has been heard: more than bytes
        self._failure: ClientError | None = None  # behind all that was heard
        self._is_kept = False  # from an earlier conversation
        self._first = True  # no message was sent, or nothing came behind it
        self.times = exchange.times
        self.bytes_sent = answer.bytes_sent
        self._read(exchange.behind)

    def begin(self, timeouts: Timeouts, times: Times, total_s: float | None) -> None:
        """Go on with another conversation: its times, bytes and limits are its own."""
        self._exchange.begin(timeouts, times, total_s)
        self._reader.begin()
        self.times, self.bytes_sent, self._first, self._is_kept = times, 0, True, True

    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody has received: then another conversation can begin."""
        is_open = not self._reader.closed and self._failure is None and self._exchange.send_failure is None
        return is_open and self._reader.is_between and not self._heard and self._connection.is_alive()

    def forget(self) -> None:
        """Keep nothing of what has come, and count the bytes of messages anew: of a conversation that has no
        end of its own."""
        self._reader.begin()
        self.times.chunks.clear()

    @property
    def bytes_received(self) -> int:
        """On the wire, the handshake with it."""
        return self._exchange.received_bytes

    def send(self, *texts: str) -> None:
        """Send messages, all at once. That the connection has ended, `receive` tells: the server may say why.

        Raises:
            ClientError: ``send_timeout``, ``timeout``.
        """
        data = b"" if self._reader.closed else b"".join([self._writer.send_data(text) for text in texts])
        if self._first:
            self.times.first_byte_s = 0.0
            self.times.connected_s = monotonic()
            if self._is_kept:
                self.times.start_s = self.times.connected_s
        self._hand_over(data)
        self.times.sent_s = monotonic()
        if self._passed is not None:
            self._passed += [Passed(self.times.sent_s, True, text) for text in texts]

    def receive(self) -> Heard | Closed:
        """The next whole message, or that there will be none. Pings are answered meanwhile.

        A message of bytes asks for nothing, and is handed out when something else has come behind it: audio
        costs no switch to its user and back, and is looked at when it does not keep the next from its stamp.

        Raises:
            ClientError: ``receive_timeout``, ``timeout``; ``truncated``: the connection ended, and no closing
                frame had said so; ``too_large``: the messages together; ``protocol``: what came are no frames
                that a server may send.
        """
        while True:
            while self._heard:
                when_s, message = self._heard.popleft()
                if isinstance(message, Ping):
                    self._hand_over(bytes(self._writer.pong(message.payload)))
                elif isinstance(message, Closed):
                    self._hand_over(bytes(self._writer.close(message.code, message.reason)))
                    return message
                else:
                    return Heard(when_s, message)
            if self._failure is not None:
                raise self._failure
            self._is_awaited = False
            try:
                self._exchange.receive(self._connection, self._feed)
            except ClientError as error:
                self._failure = error

    def _feed(self, data: memoryview) -> bool:
        if not data:
            raise self._exchange.failed("truncated", "the connection ended without a closing frame")
        if self._first:
            self._first = False
            self.times.first_byte_s = self.times.end_s
        self._read(bytes(data))
        return self._is_awaited

    def _read(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
        except BadAnswerError as error:
            self._failure = self._exchange.failed(error.error_class, error.message)
            self._is_awaited = True

    def _hear(self, message: Message) -> None:
        self._heard.append((self.times.end_s, message))
        if self._passed is not None:
            self._passed.append(Passed(self.times.end_s, False, message))
        if type(message) is not bytes:
            self._is_awaited = True

    def close(self) -> None:
        """Say goodbye, without waiting for an answer, and close the connection."""
        try:
            if not self._reader.closed and self._failure is None:
                with suppress(ClientError):
                    self._hand_over(bytes(self._writer.close(_NORMAL)))
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the connection."""
        self._connection.close()

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
