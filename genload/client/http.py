"""The HTTP client of a user, which measures what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import msgspec

from genload.client.answer import Answer, Times
from genload.client.connection import Connection
from genload.client.exchange import SWITCHED, Exchange
from genload.client.multipart import multipart
from genload.client.origin import Origin
from genload.client.other_origins import OtherOrigins
from genload.client.redirects import FETCHING, Request, redirected
from genload.client.request_head import RequestHead
from genload.client.stamps import Stamps
from genload.client.timeouts import Timeouts
from genload.client.tls import TlsOptions
from genload.client.watching import Passed, tell_of, watch, watchers
from genload.client.websocket import Upgrade, WebSocket, handshake, new_key
from genload.spool import Spool


class HttpClient:
    """Sends requests by HTTP/1.1 to one origin (scheme, host and port), and keeps one connection open.

    Every method returns the answer of the server, also if that is an error, or a redirect that is not
    followed. Several greenlets may send requests at the same time: if the open connection is in use, a
    request makes a new one.

    Args:
        base_url: the address of the service, http or https. Its path comes before the path of every request.
        timeouts: see `Timeouts`.
        max_answer_bytes: the largest body that is accepted, both as it arrives and after it is unpacked.
        headers: sent with every request.
        tls: settings for https; without them the client verifies the server by the system's certificates.
        follow_redirects: the largest number of redirects that are followed for one request; see `redirects`.
        allow_origins: other origins to which GET and HEAD may go, by an absolute URL or a redirect. They get
            neither the headers (those of the client and those of the request) nor the client's certificate.
        stamps: where the times of arrival come from. ``process``: the moment when this process reads the
            bytes; ``kernel``: the moment when the kernel received them, which costs 1 µs more for each read
            (only on Linux and without TLS; elsewhere the same as ``process``).

    Raises:
        ConfigError: the base URL or a certificate cannot be used.
        ValueError: a header cannot be sent.
    """

    __slots__ = (
        "_closed",
        "_follow_redirects",
        "_head",
        "_kept",
        "_max_answer_bytes",
        "_origin",
        "_others",
        "_talk",
        "_timeouts",
    )

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts,
        max_answer_bytes: int,
        headers: Mapping[str, str] | None = None,
        tls: TlsOptions | None = None,
        follow_redirects: int = 0,
        allow_origins: Sequence[str] = (),
        stamps: Stamps = "process",
    ) -> None:
        self._origin = Origin(base_url, tls, kernel_stamps=stamps == "kernel")
        self._head = RequestHead(self._origin, headers or {})
        self._timeouts = timeouts
        self._max_answer_bytes = max_answer_bytes
        self._follow_redirects = follow_redirects
        self._kept: Connection | None = None
        self._talk: tuple[str, WebSocket] | None = None  # kept, and where it leads
        self._closed = False
        self._others: OtherOrigins | None = None
        if allow_origins:
            stranger = replace(tls or TlsOptions(), client_certificate=None, client_key=None)
            self._others = OtherOrigins(
                allow_origins,
                lambda origin: HttpClient(
                    origin, timeouts=timeouts, max_answer_bytes=max_answer_bytes, tls=stranger, stamps=stamps
                ),
            )

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        total_s: float | None = None,
        timeouts: Timeouts | None = None,
        times: Times | None = None,
        spool: Spool | None = None,
    ) -> Answer:
        """Send a request and receive the complete answer. If redirects are followed, it is the last answer,
        with the times and bytes of all of them.

        Args:
            path: the path with its query, or an absolute URL of this origin or of an allowed one.
            headers: sent together with the client's headers, or instead of those of the same name.
            total_s: a limit for the request as a whole, instead of that of the timeouts.
            timeouts: to be used instead of those of the client.
            times: filled while the request goes on, so that they are known if the caller is stopped.
            spool: where the body of the answer is kept, if it is large; None: in memory.

        Raises:
            ClientError: no complete answer came.
            ValueError: the path or a header cannot be sent.
        """
        timeouts = timeouts or self._timeouts
        limit_s = timeouts.total_s if total_s is None else total_s
        client = self
        if self._others is not None and method in FETCHING and (other := self._others.client_for(path)):
            client, headers, body = other, None, None
        answer = client._exchange(method, path, headers, body, limit_s, timeouts, times or Times(), spool)
        if self._follow_redirects and 300 < answer.status < 400:
            request = Request(method, path, headers, body)
            return self._followed(client, request, answer, limit_s, timeouts, spool)
        return answer

    def get(
        self, path: str, *, headers: Mapping[str, str] | None = None, total_s: float | None = None
    ) -> Answer:
        """Send a GET request; see `request`."""
        return self.request("GET", path, headers=headers, total_s=total_s)

    def post_json(
        self, path: str, obj: Any, *, headers: Mapping[str, str] | None = None, total_s: float | None = None
    ) -> Answer:
        """Send a POST request with an object as JSON; see `request`."""
        return self.request(
            "POST",
            path,
            headers={"Content-Type": "application/json", **(headers or {})},
            body=msgspec.json.encode(obj),
            total_s=total_s,
        )

    def post_multipart(
        self,
        path: str,
        field: str,
        filename: str,
        content: bytes,
        media_type: str,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        total_s: float | None = None,
    ) -> Answer:
        """Send a POST request with a form: one file, and any number of plain fields; see `request`."""
        content_type, body = multipart(field, filename, content, media_type, fields=fields)
        return self.request(
            "POST",
            path,
            headers={**(headers or {}), "Content-Type": content_type},
            body=body,
            total_s=total_s,
        )

    @contextmanager
    def websocket(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        total_s: float | None = None,
        timeouts: Timeouts | None = None,
        times: Times | None = None,
        keep: bool = False,
    ) -> Iterator[WebSocket | Answer]:
        """A WebSocket over a connection of its own, which is closed with the block; or the answer of a server
        that does not agree to one.

        Args:
            path, headers, timeouts, times: as `request` has them.
            total_s: limit of everything, to the last message.
            keep: leave it open behind the block, for the next one that asks for this path with `keep`. Its
                headers remain those that it was opened with.

        Raises:
            ClientError: no whole answer came.
            ValueError: a path or header that cannot be sent.
        """
        timeouts, times = timeouts or self._timeouts, times or Times()
        limit_s = timeouts.total_s if total_s is None else total_s
        socket = self._kept_socket(path) if keep else None
        if socket is not None:
            socket.begin(timeouts, times, limit_s)
            with self._held(path, socket, keep):
                yield socket
            return
        key = new_key()
        head = self._head.bytes_for("GET", path, {**(headers or {}), **handshake(key)}, None)
        limits = timeouts, self._max_answer_bytes
        exchange = Upgrade(self._origin.connect, head, False, *limits, None, times)
        answer = watch(exchange, head, b"", limit_s, opens=True) if watchers else exchange.run(limit_s)
        connection = exchange.connection
        if connection is None or answer.status != SWITCHED:
            yield answer
            return
        passed: list[Passed] | None = [] if watchers else None
        try:
            socket = WebSocket(exchange, connection, answer, key, passed)
            with self._held(path, socket, keep):
                yield socket
        finally:
            if passed is not None:
                tell_of(head, b"", answer, None, passed)

    @contextmanager
    def _held(self, path: str, socket: WebSocket, keep: bool) -> Iterator[None]:
        """For as long as it is used; then it is kept, or closed."""
        try:
            yield
        except BaseException:
            socket.hang_up()
            raise
        if keep and self._talk is None and not self._closed:
            self._talk = path, socket
        else:
            socket.close()

    def _kept_socket(self, path: str) -> WebSocket | None:
        """The WebSocket that was kept, if it leads there and still can."""
        if self._talk is None:
            return None
        (kept_path, socket), self._talk = self._talk, None
        if kept_path == path and socket.is_quiet():
            return socket
        socket.close()
        return None

    def close(self) -> None:
        """Close the open connection. After this the client closes each connection after its request."""
        self._closed = True
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        if self._talk is not None:
            self._talk[1].close()
            self._talk = None
        if self._others is not None:
            self._others.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _followed(
        self,
        client: HttpClient,
        request: Request,
        answer: Answer,
        limit_s: float | None,
        timeouts: Timeouts,
        spool: Spool | None,
    ) -> Answer:
        """Follow the redirects, and return the first answer that is none, or is one that is not to be
        followed.

        Args:
            client: the client that has sent the request: this one, or the client of another origin.
        """
        others = self._others
        for _ in range(self._follow_redirects):
            target = client._head.target(request.path)
            allowed = () if others is None else others.allowed
            following = redirected(request, target, answer, client._origin, allowed)
            if following is None:
                break
            request = following
            if others is not None and not client._origin.is_origin_of(request.path):
                client = others.client_for(request.path) or client
            answer = client._exchange(
                request.method,
                request.path,
                request.headers,
                request.body,
                limit_s,
                timeouts,
                answer.times,
                spool,
                answer,
            )
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        limit_s: float | None,
        timeouts: Timeouts,
        times: Times,
        spool: Spool | None,
        redirect: Answer | None = None,
    ) -> Answer:
        head = self._head.bytes_for(method, path, headers, None if body is None else len(body))
        kept = self._kept
        if kept is not None:
            self._kept = None  # so that no other greenlet sends on it
            if not kept.is_alive():
                kept.close()
                kept = None
        exchange = Exchange(
            self._origin.connect,
            head + body if body else head,
            method == "HEAD",
            timeouts,
            self._max_answer_bytes,
            kept,
            times,
            redirect,
            spool,
        )
        answer = watch(exchange, head, body or b"", limit_s) if watchers else exchange.run(limit_s)
        if exchange.reusable:
            if self._kept is None and not self._closed:
                self._kept = exchange.connection
            elif exchange.connection is not None:
                exchange.connection.close()
        return answer
