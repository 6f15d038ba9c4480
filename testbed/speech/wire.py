"""HTTP/1.1 by hand: connections, their requests in turn, and answers whose every write is stamped."""

from __future__ import annotations

import asyncio
import json
from array import array
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic_ns
from typing import Any, Protocol, cast

import httptools

from ..wire import reset
from .faults import SpeechFault
from .framing import Framing

MAX_BODY_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024  # of a long whole body: what a client has not taken yet is not stamped as sent

Headers = Mapping[str, str]


@dataclass(slots=True)
class Request:
    """One request, read to its end."""

    method: str
    path: str  # without the query
    headers: dict[str, str]  # names in lower case
    body: bytes
    received_ns: int  # monotonic: its last bytes were there
    address: str = ""  # of the client
    keep_alive: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A whole short answer."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Headers = field(default_factory=dict)

    @classmethod
    def of(cls, content: object, status: int = 200, headers: Headers | None = None) -> Page:
        """`content` as JSON, as FastAPI writes it."""
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, headers=headers or {})

    @property
    def words(self) -> str:
        """What it says of an error; all of it where that is nowhere to be found."""
        text = self.body.decode("utf-8", "replace")
        try:
            said = json.loads(text)
            return str(said["error"]["message"] if "error" in said else said["detail"])
        except (ValueError, KeyError, TypeError):
            return text


class Answer:
    """The way back to one request's client.

    Attributes:
        stamps_ns: just before each write that carried any of the body.
        sizes: bytes of the body in each of these writes; of events those of the audio inside.
        last_ns: just before the latest write of whatever.
        ended: all of it is written.
        deaf: its client may leave, and it goes on.
    """

    def __init__(self, connection: Connection, *, keep_alive: bool) -> None:
        self._connection, self._keep_alive = connection, keep_alive
        self._chunked = False
        self._framing = Framing()
        self.status = 0
        # Arrays, because the collector would look at every object in a list of tuples, again and again.
        self.stamps_ns, self.sizes = array("q"), array("q")
        self.last_ns = 0
        self.ended = self.deaf = False

    @property
    def gone(self) -> bool:
        """The client has closed, or was cut off, and that is noticed."""
        return self._connection.gone and not self.deaf

    @property
    def blocked(self) -> bool:
        """The client has yet to take what was written."""
        return self._connection.blocked is not None

    async def drained(self) -> None:
        """Wait until it is not."""
        if self._connection.blocked is not None:
            await asyncio.shield(self._connection.blocked)

    def page(self, page: Page) -> None:
        """Send a short answer at once."""
        head = self._head(page.status, page.media_type, page.headers, len(page.body))
        self._send(head + page.body, len(page.body))
        self._end()

    async def whole(self, body: bytes, media_type: str, headers: Headers) -> None:
        """Send a body with its length, as fast as it is taken."""
        head = self._head(200, media_type, headers, len(body))
        pieces = [body[at : at + _PIECE_BYTES] for at in range(0, len(body), _PIECE_BYTES)] or [b""]
        self._send(head + pieces[0], len(pieces[0]))
        for piece in pieces[1:]:
            await self.drained()
            self._send(piece, len(piece))
        self._end()

    def promise(self, length: int, media_type: str, headers: Headers) -> None:
        """Send only the head of an answer that is to hold `length` bytes."""
        self._send(self._head(200, media_type, headers, length), 0)

    def part(self, body: bytes) -> None:
        """Send bytes of what was promised."""
        self._send(body, len(body))

    def begin(self, media_type: str, headers: Headers, framing: Framing | None = None) -> None:
        """Send the head of a chunked answer."""
        self._framing = framing or self._framing
        self._send(self._head(200, media_type, headers, None), 0)

    def chunk(self, content: bytes, *, last: bool = False) -> int:
        """Send one chunk, with the answer's end when it is the last; the stamp, taken just before."""
        body = self._framing.piece(content, last=last)
        framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        stamp_ns = self._send(framed + b"0\r\n\r\n" if last else framed, len(content))
        if last:
            self._end()
        return stamp_ns

    def trickle(self) -> None:
        """Send one more byte of the body."""
        if self._chunked:
            self.chunk(b"\0")
        else:
            self.part(b"\0")

    def fail(self, words: str) -> None:
        """Tell that it went wrong, and end; where a stream cannot tell it, close."""
        if body := self._framing.failure(words):
            self._send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), 0)
            self._end()
        else:
            self.cut()

    def spoil(self, fault: SpeechFault) -> None:
        """Go on as nobody can read it, and end; where there is nothing of the kind, close."""
        body = self._framing.spoilt(fault)
        if fault is SpeechFault.BAD_FRAME and self._chunked:
            self._send(b"this is no size of a chunk\r\n", 0)
        elif body is not None:
            framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._send(framed + b"0\r\n\r\n", 0)
            self._end()
            return
        self.cut()

    def cut(self) -> None:
        """Close after what is written, whatever was promised."""
        self._connection.transport.close()

    def reset(self) -> None:
        """Cut the connection by RST."""
        reset(self._connection.transport)

    async def wait_until_gone(self) -> None:
        """Say nothing more; the client's leaving cancels whoever waits here."""
        await asyncio.get_running_loop().create_future()

    def _head(self, status: int, media_type: str, headers: Headers, length: int | None) -> bytes:
        self.status, self._chunked = status, length is None
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"content-type: {media_type}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append("transfer-encoding: chunked" if length is None else f"content-length: {length}")
        if not self._keep_alive:
            lines.append("connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def _send(self, content: bytes, body_bytes: int) -> int:
        stamp_ns = self.last_ns = monotonic_ns()
        if not self._connection.gone:
            self._connection.transport.write(content)
        if body_bytes:
            self.stamps_ns.append(stamp_ns)
            self.sizes.append(body_bytes)
        return stamp_ns

    def _end(self) -> None:
        self.ended = True
        if not self._keep_alive:
            self._connection.transport.close()


Serve = Callable[[Request, Answer], Coroutine[Any, Any, None]]


class Socket(Protocol):
    """What a connection has become that speaks HTTP no longer."""

    def feed(self, data: bytes) -> None:
        """Take what the client sent."""

    def leave(self) -> None:
        """The client is gone."""


Switch = Callable[["Connection", Request], Socket | None]
"""What becomes of a connection by this request; None: it is a request like any other."""


class Connection(asyncio.Protocol):
    """One client's connection; its requests are served in their order.

    Args:
        serve: answers a request; cancelled when the client leaves before the end.
        connections: where the open ones are known.
        switch: asked of requests that want another protocol.
    """

    transport: asyncio.Transport

    def __init__(self, serve: Serve, connections: set[Connection], switch: Switch) -> None:
        self._serve, self._connections, self._switch = serve, connections, switch
        self._socket: Socket | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._answer: Answer | None = None  # that the task makes
        self._address = ""
        self.gone = False
        self.blocked: asyncio.Future[None] | None = None  # resolved once the client has taken all
        self._begin()

    # --- asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=0)
        self._address = str(transport.get_extra_info("peername")[0])
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._connections.discard(self)
        self.resume_writing()
        if self._socket is not None:
            self._socket.leave()
        answer = self._answer
        if self._task is not None and answer is not None and not (answer.ended or answer.deaf):
            self._task.cancel()

    def pause_writing(self) -> None:
        self.blocked = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self.blocked is not None and not self.blocked.done():
            self.blocked.set_result(None)
        self.blocked = None

    def data_received(self, data: bytes) -> None:
        if self._socket is not None:
            self._socket.feed(data)
            return
        self._received_ns = monotonic_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._socket is not None:
                self._socket.feed(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(400)

    # --- the parser's calls

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MAX_BODY_BYTES:
            self._refuse(413)
            self._body.clear()

    def on_message_complete(self) -> None:
        path = self._url.partition(b"?")[0].decode("latin-1")
        method = self._parser.get_method().decode("latin-1")
        keep_alive = self._parser.should_keep_alive()
        content = bytes(self._body)
        request = Request(method, path, self._headers, content, self._received_ns, self._address, keep_alive)
        self._begin()
        if "upgrade" in request.headers:
            self._socket = self._switch(self, request)
            if self._socket is not None:
                return
        self._waiting.append(request)
        if self._task is None:
            self._next()

    # --- requests

    def _begin(self) -> None:
        self._url, self._headers, self._body = b"", dict[str, str](), bytearray()

    def _next(self) -> None:
        self._task = None
        if self._waiting and not self.gone:
            request = self._waiting.popleft()
            self._answer = Answer(self, keep_alive=request.keep_alive)
            self._task = asyncio.get_running_loop().create_task(self._serve(request, self._answer))
            self._task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.transport.abort()
            raise error
        self._next()

    def _refuse(self, status: int) -> None:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode())
        self.transport.close()
