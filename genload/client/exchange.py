"""One request and its answer, with every stamp taken where it happens."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from ssl import SSLError
from time import monotonic
from typing import Any

import msgspec

from genload.client.answer import Answer, Times
from genload.client.connection import Connection
from genload.client.errors import BadAnswerError, ClientError, connect_error_class
from genload.client.parser import AnswerAssembler
from genload.client.spooling import SpoolingAssembler
from genload.client.timeouts import Timeouts
from genload.client.waiting import ExpiredError
from genload.human import human
from genload.spool import Spool

SWITCHED = 101
"""The status of an answer behind which the connection goes on in another protocol."""
_NOTHING = memoryview(b"")


class Exchange(msgspec.Struct, eq=False):  # made in C: every request has one
    """One request, sent over a kept connection or a new one. Runs once.

    Attributes:
        connect: makes a connection, until a moment of the monotonic clock; as `Origin.connect`.
        message: the whole request as it goes over the wire; let go of once it is sent.
        head: True for HEAD.
        timeouts: its limits.
        max_answer_bytes: limit of the body, as sent and as unpacked.
        connection: one that was alive a moment ago, or None: connect. Later: what carried the request.
        times: filled on the way; those of `redirect` where there is one.
        redirect: the answer that led here: its bytes are carried on, and the limit of it all.
        spool: where the body is kept, if it is large; None: in memory.
        reusable: whether the connection may carry another one; if not, it is closed.
    """

    connect: Callable[[float], Connection]
    message: bytes
    head: bool
    timeouts: Timeouts
    max_answer_bytes: int
    connection: Connection | None
    times: Times
    redirect: Answer | None = None
    spool: Spool | None = None
    reusable: bool = False
    _reused: bool = False
    _deadline_s: float = inf
    _earliest_s: float = 0.0  # what is received next came no sooner
    received_bytes: int = 0
    send_failure: OSError | None = None
    _assembler: AnswerAssembler | None = None
    _take: Any = None  # what wants what comes

    def run(self, total_s: float | None) -> Answer:
        """Send the request and take the answer.

        Args:
            total_s: limit of it all, None: none.

        Raises:
            ClientError: there is no whole answer. Whatever is raised, the connection is closed.
        """
        times = self.times
        self._reused = self.connection is not None
        try:
            # From this stamp to the first try of the send nothing waits, unless it has to connect.
            self._earliest_s = now_s = monotonic()
            if self.redirect is None:
                times.start_s = times.connected_s = now_s
            else:
                times.sent_s = times.first_byte_s = 0.0
            if total_s is not None:
                self._deadline_s = times.start_s + total_s
            while True:
                connection = self.connection or self._connect()
                try:
                    connection.send(self.message, self.send_until_s)
                    times.sent_s = monotonic()
                    break
                except (ExpiredError, OSError) as error:
                    if not self._may_send_again(connection, error):
                        break
            self.message = b""  # a picture, maybe: thousands of users wait for answers
            self.receive(connection, self._parse)
            assembler = self._assembler or self._made_assembler()
            body = assembler.body()
            answer = self._answer(assembler, body, assembler.unpacked(body))
            self.reusable = self._keeps_connection(assembler) and self.send_failure is None
            return answer
        except BadAnswerError as error:
            raise self.failed(error.error_class, error.message) from None
        finally:
            if not self.reusable and self.connection is not None:
                self.connection.close()
            if self._assembler is not None:
                self._assembler.release()

    def _keeps_connection(self, assembler: AnswerAssembler) -> bool:
        """Whether the connection goes on behind a whole answer."""
        return assembler.keep_alive

    def _connect(self) -> Connection:
        times, limit_s = self.times, self.timeouts.connect_s
        if self.redirect is None:
            times.connected_s = 0.0
        try:
            connection = self.connect(min(monotonic() + limit_s, self._deadline_s))
        except ExpiredError:
            raise self.expired("connect_timeout", f"no connection after {human(limit_s, 's')}") from None
        except (OSError, UnicodeError) as error:
            raise self.failed(connect_error_class(error), _words(error)) from None
        self.connection = connection
        if self.redirect is None:
            times.connected_s = monotonic()
        return connection

    def _may_send_again(self, connection: Connection, failure: ExpiredError | OSError) -> bool:
        """Whether to send over a new connection: after a kept one that took nothing.

        Raises:
            ClientError: there is no answer to be expected either.
        """
        if isinstance(failure, ExpiredError):
            silence = f"the server took nothing of the request for {human(self.send_limit_s, 's')}"
            raise self.expired("send_timeout", silence) from None
        if self._reused and not connection.sent_bytes:
            # Not one byte went out: the server cannot have seen the request.
            connection.close()
            self.connection, self._reused = None, False
            return True
        # It may have been acted on. A server that refuses an upload answers before it hangs up: look.
        self.send_failure = failure
        return False

    def receive(self, connection: Connection, take: Callable[[memoryview], bool]) -> None:
        """Hand over the next bytes of the answer as they come, see `Connection.receive`.

        Args:
            take: says whether it has all. It gets no bytes at the end of the stream, which may be the
                answer's end.
        """
        self._take = take
        try:
            connection.receive(self._arrived, self._until_s(monotonic()))
        except ExpiredError:
            silence = f"silence for {human(self.timeouts.receive_s, 's')}"
            raise self.expired("receive_timeout", silence) from None
        except OSError as error:
            self._end_of_stream(error)
        finally:
            self._take = None

    def _arrived(self, data: memoryview) -> float:
        """Stamp and hand over what has been read; until when to wait for more, as `Take` has it."""
        when_s = now_s = monotonic()
        size = len(data)
        if not size:
            self._end_of_stream(self.send_failure)
            return 0.0
        times, connection = self.times, self.connection
        if connection is not None and connection.arrived_s:
            when_s = self._believed_s(connection.arrived_s, now_s)
        times.end_s = when_s
        if not self.received_bytes:
            times.first_byte_s = when_s
        times.chunks.append((when_s, size))
        self.received_bytes += size
        if self._take(data):
            return 0.0
        until_s = self._until_s(now_s)
        if until_s <= now_s:
            raise ExpiredError  # a server that never stops sending
        return until_s

    def _until_s(self, now_s: float) -> float:
        """When a wait that begins now is to be given up."""
        until_s = now_s + self.timeouts.receive_s
        return until_s if until_s < self._deadline_s else self._deadline_s

    def _parse(self, data: memoryview) -> bool:
        self._take = feed = self._made_assembler().feed
        return feed(data)

    def _made_assembler(self) -> AnswerAssembler:
        """Made when there is something to parse: the garbage collector finds less among thousands of waiting
        users (5,000 that poll: a sixth less CPU a poll, old and new at once on one core), and each is 2 kB
        smaller."""
        if self._assembler is None:
            head, most_bytes, spool = self.head, self.max_answer_bytes, self.spool
            if spool is None:
                self._assembler = AnswerAssembler(head=head, max_body_bytes=most_bytes)
            else:
                self._assembler = SpoolingAssembler(head=head, max_body_bytes=most_bytes, spool=spool)
        return self._assembler

    def _believed_s(self, arrived_s: float, now_s: float) -> float:
        """When the kernel received what has just been read: as it says, unless that cannot be.

        It cannot be before what came before it, nor after now: then the wall clock was set meanwhile. An
        answer may overtake the stamp of the send that asked for it, and then counts as from there.
        """
        if self._earliest_s <= arrived_s <= now_s:
            sent_s = self.times.sent_s
            now_s = arrived_s if arrived_s > sent_s else sent_s
        self._earliest_s = now_s
        return now_s

    def send_until_s(self) -> float:
        """When a wait to send that begins now is to be given up."""
        until_s = monotonic() + self.send_limit_s
        return until_s if until_s < self._deadline_s else self._deadline_s

    @property
    def send_limit_s(self) -> float:
        timeouts = self.timeouts
        return timeouts.receive_s if timeouts.send_s is None else timeouts.send_s

    def _end_of_stream(self, failure: OSError | None) -> None:
        """Hand over the end, if the stream may end here: cleanly, and not before the answer has begun."""
        self.times.end_s = monotonic()
        if not self.received_bytes:
            error_class = "tls" if isinstance(failure, SSLError) else "reset"
            words = _words(failure) if failure else "the server closed the connection"
            raise self.failed(error_class, f"{words}, without an answer")
        if failure is not None:
            raise self.failed("truncated", f"{_words(failure)}, inside the answer")
        self._take(_NOTHING)

    def _answer(self, assembler: AnswerAssembler, body: bytes, content: bytes) -> Answer:
        times, redirect = self.times, self.redirect
        arrivals: tuple[tuple[float, int], ...]
        spooled = assembler.spooled
        if len(times.chunks) == 1 and spooled is None:  # as with most short answers
            arrivals = ((times.chunks[0][0], len(body)),) if body else ()
        else:
            arrivals = self._arrivals(assembler)
        sent_bytes = self.connection.sent_bytes if self.connection is not None else 0
        received_bytes, reused = self.received_bytes, self._reused
        if redirect is not None:  # it is a part of the same request
            sent_bytes += redirect.bytes_sent
            received_bytes += redirect.bytes_received
            reused = redirect.reused
        return Answer(
            assembler.status,
            assembler.reason,
            assembler.headers,
            content,
            arrivals,
            times,
            sent_bytes,
            received_bytes,
            reused,
            spooled,
        )

    def _arrivals(self, assembler: AnswerAssembler) -> tuple[tuple[float, int], ...]:
        counts, chunks = assembler.body_bytes_by_feed(), self.times.chunks
        own = chunks[len(chunks) - len(counts) :]  # those before brought the answers that led here
        return tuple([(chunk[0], count) for chunk, count in zip(own, counts, strict=True) if count])

    def expired(self, error_class: str, message: str) -> ClientError:
        if monotonic() < self._deadline_s:
            return self.failed(error_class, message)
        return self.failed("timeout", f"not done after {human(self._deadline_s - self.times.start_s, 's')}")

    @property
    def behind(self) -> bytes:
        """What came behind the answer, in another protocol."""
        return self._assembler.rest if self._assembler is not None else b""

    def failed(self, error_class: str, message: str) -> ClientError:
        self.times.end_s = monotonic()
        assembler = self._made_assembler()
        body = assembler.body()
        partial = self._answer(assembler, body, body)
        return ClientError(
            error_class,
            message,
            times=self.times,
            bytes_sent=partial.bytes_sent,
            bytes_received=partial.bytes_received,
            answer=partial if partial.status else None,
        )


def _words(error: Exception) -> str:
    """The system's own words, without its numbers."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
