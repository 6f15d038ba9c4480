"""Answers that break on their way: an ASGI wrapper around everything else.

A handler marks its request with `spoil`; its answer is then kept back, and sent as the fault has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .faults import Fault
from .transfer import disconnected
from .wire import Wire, reset

_KEY = "testbed.fault"
# Seconds a byte, real ones whatever the scale: shorter than any silence that a client calls a timeout.
_TRICKLE_S = 0.1
_FILLER = b" " * (64 * 1024)  # so that JSON stays JSON for as long as one listens


def spoil(request: Request, fault: Fault) -> None:
    """Let the answer to this request break by a fault of `SPOILS`."""
    request.scope[_KEY] = fault


@dataclass(slots=True)
class _Broken:
    """An answer that was kept back, and the ways to the client."""

    transport: asyncio.Transport
    receive: Receive
    send: Send
    start: Message = field(default_factory=dict)
    body: bytes = b""

    def keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def hang(self) -> None:
        await disconnected(self.receive)

    async def reset(self) -> None:
        reset(self.transport)
        await disconnected(self.receive)

    async def truncate(self) -> None:
        await self.send(self.start)
        await self._send_part(self.body[: len(self.body) // 2])
        self.transport.close()  # after what is written
        await disconnected(self.receive)

    async def trickle(self) -> None:
        status = self.start["status"]
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in self.start["headers"]]
        gone = asyncio.ensure_future(disconnected(self.receive))
        for byte in b"\r\n".join([*lines, b"", self.body]):
            self.transport.write(bytes([byte]))
            if (await asyncio.wait([gone], timeout=_TRICKLE_S))[0]:
                return
        gone.cancel()
        self.transport.close()

    async def go_on_for_ever(self) -> None:
        headers = [
            (name, value) for name, value in self.start["headers"] if name.lower() != b"content-length"
        ]
        await self.send({**self.start, "headers": headers})
        await self._send_part(self.body)
        gone = asyncio.ensure_future(disconnected(self.receive))
        while not gone.done():
            await self._send_part(_FILLER)
            await asyncio.sleep(0)  # sending waits for a full buffer only, not for a client that has gone

    async def _send_part(self, content: bytes) -> None:
        await self.send({"type": "http.response.body", "body": content, "more_body": True})


_ACTS: dict[Fault, Callable[[_Broken], Awaitable[None]]] = {
    Fault.HANG: _Broken.hang,
    Fault.SLOW_LORIS: _Broken.trickle,
    Fault.ENDLESS: _Broken.go_on_for_ever,
    Fault.TRUNCATED: _Broken.truncate,
    Fault.RESET: _Broken.reset,
}
SPOILS = frozenset(_ACTS)


class Spoiling:
    """Sends the answers of `app`, and breaks those that are marked."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        self._app, self._wire = app, wire
        self._breaking: set[asyncio.Transport] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        transport = self._wire.of(scope)
        if transport is None:
            return  # its client has gone before it was served
        broken = _Broken(transport, receive, send)

        async def send_or_keep(message: Message) -> None:
            if _KEY in scope:
                broken.keep(message)
            else:
                await send(message)

        await self._app(scope, receive, send_or_keep)
        if _KEY in scope:
            self._breaking.add(transport)
            try:
                await _ACTS[scope[_KEY]](broken)
            finally:
                self._breaking.discard(transport)

    def release(self) -> None:
        """Drop the connections whose answers never end: the server is about to."""
        for transport in list(self._breaking):
            transport.abort()
