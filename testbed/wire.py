"""The connections below HTTP: for answers that go wrong where a web framework does not reach."""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Wire:
    """The open connections of a server, by their client's address."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}
        self._upgraded: set[asyncio.Transport] = set()

    def protocol(self) -> type[asyncio.Protocol]:
        """uvicorn's protocol, for ``Config(http=…)``; its connections are then known here."""
        connections, upgraded = self._open, self._upgraded

        class Tapped(HttpToolsProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    connections[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    connections.pop(self.client, None)
                super().connection_lost(exc)

            def handle_websocket_upgrade(self) -> None:
                upgraded.difference_update([each for each in upgraded if each.is_closing()])
                if self.client is not None and (transport := connections.pop(self.client, None)):
                    upgraded.add(transport)
                super().handle_websocket_upgrade()

        return Tapped

    def drop_upgraded(self) -> None:
        """Cut every WebSocket, without a word."""
        for transport in self._upgraded:
            transport.abort()
        self._upgraded.clear()

    def of(self, scope: Scope) -> asyncio.Transport | None:
        """The connection that a request came on; None when it is closed already."""
        return self._open.get(tuple(scope["client"]))


def reset(transport: asyncio.Transport) -> None:
    """Close a connection by RST, dropping what is yet to be sent: no lingering (SO_LINGER of 0 s)."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
