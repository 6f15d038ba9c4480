"""One request and its answer, with every stamp taken where it happens."""

from __future__ import annotations

from math import inf
from ssl import SSLError
from time import monotonic

from genload.client.answer import Answer, Headers, Times
from genload.client.connection import Connection
from genload.client.errors import BadAnswerError, ClientError, connect_error_class
from genload.client.origin import Origin
from genload.client.parser import AnswerAssembler
from genload.client.timeouts import Timeouts
from genload.client.waiting import ExpiredError


class Exchange:
    """One request, sent over a kept connection or a new one. Runs once.

    Args:
        message: the whole request as it goes over the wire.
        head: True for HEAD.
        max_answer_bytes: limit of the body, as sent and as unpacked.
        kept: a connection that was alive a moment ago; None: connect.
        redirect: the answer that led here: its times and bytes are carried on, and the limit of it all.

    Attributes:
        connection: what carried the request.
        reusable: whether it may carry another one; if not, it is closed.
    """

    __slots__ = (
        "_assembler",
        "_deadline_s",
        "_earliest_s",
        "_head",
        "_max_answer_bytes",
        "_message",
        "_origin",
        "_received_bytes",
        "_redirect",
        "_reused",
        "_send_failure",
        "_timeouts",
        "_times",
        "connection",
        "reusable",
    )

    def __init__(
        self,
        origin: Origin,
        message: bytes,
        *,
        head: bool,
        timeouts: Timeouts,
        max_answer_bytes: int,
        kept: Connection | None,
        redirect: Answer | None = None,
    ) -> None:
        self._origin = origin
        self._message = message
        self._head = head
        self._timeouts = timeouts
        self._max_answer_bytes = max_answer_bytes
        self._redirect = redirect
        self._deadline_s = inf
        self._earliest_s = 0.0  # what is received next came no sooner
        self._received_bytes = 0
        self._reused = kept is not None
        self._send_failure: OSError | None = None
        self._times = redirect.times if redirect else Times()
        self._assembler: AnswerAssembler | None = None
        self.connection = kept
        self.reusable = False

    def run(self, total_s: float | None) -> Answer:
        """Send the request and take the answer.

        Args:
            total_s: limit of it all, None: none.

        Raises:
            ClientError: there is no whole answer. Whatever is raised, the connection is closed.
        """
        times = self._times
        try:
            # From this stamp to the first try of the send nothing waits, unless it has to connect.
            self._earliest_s = now_s = monotonic()
            if self._redirect is None:
                times.start_s = times.connected_s = now_s
            else:
                times.sent_s = times.first_byte_s = 0.0
            if total_s is not None:
                self._deadline_s = times.start_s + total_s
            connection = self._send(self.connection or self._connect())
            data = self._receive(connection)
            # Made when there is something to parse: the garbage collector finds less among thousands of
            # waiting users (5,000 that poll: a sixth less CPU a poll, old and new at once on one core), and
            # each is 2 kB smaller.
            self._assembler = assembler = AnswerAssembler(
                head=self._head, max_body_bytes=self._max_answer_bytes
            )
            while not assembler.feed(data):
                data = self._receive(connection)
                if not data:
                    assembler.eof()
                    break
            answer = self._answer(assembler, assembler.content())
            self.reusable = assembler.keep_alive and self._send_failure is None
            return answer
        except BadAnswerError as error:
            raise self._failed(error.error_class, error.message) from None
        finally:
            if not self.reusable and self.connection is not None:
                self.connection.close()
            if self._assembler is not None:
                self._assembler.release()

    def _connect(self) -> Connection:
        times, limit_s = self._times, self._timeouts.connect_s
        if self._redirect is None:
            times.connected_s = 0.0
        try:
            connection = self._origin.connect(min(monotonic() + limit_s, self._deadline_s))
        except ExpiredError:
            raise self._expired("connect_timeout", f"no connection after {limit_s:g} s") from None
        except (OSError, UnicodeError) as error:
            raise self._failed(connect_error_class(error), _words(error)) from None
        self.connection = connection
        if self._redirect is None:
            times.connected_s = monotonic()
        return connection

    def _send(self, connection: Connection) -> Connection:
        """Send over this connection, or over a new one if it is a kept one that took nothing."""
        try:
            connection.send(self._message, self._silence_until_s)
        except ExpiredError:
            silence_s = self._timeouts.receive_s
            raise self._expired(
                "send_timeout", f"the server took nothing of the request for {silence_s:g} s"
            ) from None
        except OSError as error:
            if self._reused and not connection.sent_bytes:
                # Not one byte went out: the server cannot have seen the request.
                connection.close()
                self._reused = False
                return self._send(self._connect())
            # It may have been acted on. A server that refuses an upload answers before it hangs up: look.
            self._send_failure = error
        else:
            self._times.sent_s = monotonic()
        return connection

    def _receive(self, connection: Connection) -> bytes:
        """The next bytes of the answer; none at the end of the stream, which may be the answer's end."""
        failure = self._send_failure
        try:
            until_s = self._silence_until_s()
            if self._received_bytes and until_s == self._deadline_s <= monotonic():
                raise ExpiredError  # a server that never stops sending
            data = connection.receive(until_s)
        except ExpiredError:
            raise self._expired("receive_timeout", f"silence for {self._timeouts.receive_s:g} s") from None
        except OSError as error:
            data, failure = b"", error
        times = self._times
        times.end_s = now_s = monotonic()
        if not data:
            self._check_end(failure)
            return data
        if connection.arrived_s:
            times.end_s = now_s = self._believed_s(connection.arrived_s, now_s)
        if not self._received_bytes:
            times.first_byte_s = now_s
        times.chunks.append((now_s, len(data)))
        self._received_bytes += len(data)
        return data

    def _believed_s(self, arrived_s: float, now_s: float) -> float:
        """When the kernel received what has just been read: as it says, unless that cannot be.

        It cannot be before what came before it, nor after now: then the wall clock was set meanwhile. An
        answer may overtake the stamp of the send that asked for it, and then counts as from there.
        """
        if self._earliest_s <= arrived_s <= now_s:
            now_s = max(arrived_s, self._times.sent_s)
        self._earliest_s = now_s
        return now_s

    def _silence_until_s(self) -> float:
        """When a wait that begins now is to be given up."""
        until_s = monotonic() + self._timeouts.receive_s
        return until_s if until_s < self._deadline_s else self._deadline_s

    def _check_end(self, failure: OSError | None) -> None:
        """Whether the stream may end here at all: cleanly, and not before the answer has begun."""
        if not self._received_bytes:
            error_class = "tls" if isinstance(failure, SSLError) else "reset"
            words = _words(failure) if failure else "the server closed the connection"
            raise self._failed(error_class, f"{words}, without an answer")
        if failure is not None:
            raise self._failed("truncated", f"{_words(failure)}, inside the answer")

    def _answer(self, assembler: AnswerAssembler, body: bytes) -> Answer:
        return Answer(
            status=assembler.status,
            reason=assembler.reason,
            headers=Headers(assembler.pairs),
            body=body,
            arrivals=self._arrivals(assembler),
            times=self._times,
            bytes_sent=self._sent_bytes(),
            bytes_received=self._all_received_bytes(),
            reused=self._redirect.reused if self._redirect else self._reused,
        )

    def _arrivals(self, assembler: AnswerAssembler) -> tuple[tuple[float, int], ...]:
        counts, chunks = assembler.body_bytes_by_feed(), self._times.chunks
        if len(counts) == 1:
            return ((chunks[-1][0], counts[0]),) if counts[0] else ()
        own = chunks[-len(counts) :]  # those before brought the answers that led here
        return tuple([(chunk[0], count) for chunk, count in zip(own, counts, strict=True) if count])

    def _sent_bytes(self) -> int:
        sent_bytes = self.connection.sent_bytes if self.connection is not None else 0
        return sent_bytes + (self._redirect.bytes_sent if self._redirect else 0)

    def _all_received_bytes(self) -> int:
        return self._received_bytes + (self._redirect.bytes_received if self._redirect else 0)

    def _expired(self, error_class: str, message: str) -> ClientError:
        if monotonic() < self._deadline_s:
            return self._failed(error_class, message)
        return self._failed("timeout", f"not done after {self._deadline_s - self._times.start_s:g} s")

    def _failed(self, error_class: str, message: str) -> ClientError:
        self._times.end_s = monotonic()
        assembler = self._assembler
        return ClientError(
            error_class,
            message,
            times=self._times,
            bytes_sent=self._sent_bytes(),
            bytes_received=self._all_received_bytes(),
            answer=self._answer(assembler, assembler.body()) if assembler and assembler.status else None,
        )


def _words(error: Exception) -> str:
    """The system's own words, without its numbers."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
