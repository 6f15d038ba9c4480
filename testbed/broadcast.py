"""What becomes of jobs, told to whoever listens: Socket.IO as ORFEAS has it.

There is no subscription: each `job_update` goes to every client. It says what a poll would be told at that
moment, with the id of the job; nothing is told again to who comes later.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from time import monotonic
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .fault_options import FaultOptions
from .options import Options
from .wire import Wire

_PATH = "/socket.io"
Told = Callable[[float | None], None]
"""Is told when all who listen had the news; None: nobody had them."""


class Broadcast:
    """Serves Socket.IO beside `app`. python-socketio is imported for the first who comes: it takes 0.4 s and
    30 MB, which no run without it is to have.

    Attributes:
        connections: how many there have been.
    """

    def __init__(self, options: Options, pool: Executor, wire: Wire) -> None:
        self._faults: FaultOptions = options.faults
        self._late_s = options.scaled(options.faults.updates_late_s)
        self._pool, self._wire = pool, wire
        self._random = random.Random(f"updates {options.seed}")
        self._loading: asyncio.Future[Any] | None = None
        self._server: Any = None
        self._news: asyncio.Queue[tuple[float, Mapping[str, Any], Told]] = asyncio.Queue()
        self._telling: asyncio.Task[None] | None = None
        self._dropped: set[str] = set()  # of those who listened, though the server has yet to notice
        self._back_s = 0.0  # until then nobody is let in
        self.connections = 0

    def beside(self, app: ASGIApp) -> ASGIApp:
        """An application that takes what is for Socket.IO, and leaves the rest to `app`."""

        async def route(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] in ("http", "websocket") and scope["path"].startswith(f"{_PATH}/"):
                await self._serve(scope, receive, send)
            else:
                await app(scope, receive, send)

        return route

    def tell(self, news: Mapping[str, Any], told: Told = lambda when_s: None) -> None:
        """Tell everyone, in the order of the calls, once the event loop comes to it."""
        rate = self._faults.updates_lost
        if self._server is None or (rate and self._random.random() < rate):
            told(None)
        else:
            self._news.put_nowait((monotonic() + self._late_s, news, told))

    def cut(self, for_s: float) -> None:
        """Drop all connections, and let nobody in for that long."""
        self._back_s = monotonic() + for_s
        self._dropped |= self._listeners()
        self._wire.drop_upgraded()

    def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if monotonic() < self._back_s:
            await _turn_away(scope, receive, send)
            return
        if self._loading is None:
            self._loading = asyncio.get_running_loop().run_in_executor(self._pool, _load)
        make_server, make_app = await self._loading
        if self._server is None:
            server = make_server(async_mode="asgi", cors_allowed_origins="*")
            server.on("connect", self._greet)
            self._app, self._server = make_app(server), server
            self._telling = asyncio.create_task(self._tell_all())
        await self._app(scope, receive, send)

    async def _greet(self, sid: str, environ: Mapping[str, Any]) -> None:
        self.connections += 1
        await self._server.emit("connected", {"status": "connected", "mode": "full_ai"}, to=sid)

    def _listeners(self) -> set[str]:
        if self._server is None:
            return set()
        return {sid for sid, _ in self._server.manager.get_participants("/", None)} - self._dropped

    async def _tell_all(self) -> None:
        while True:
            due_s, news, told = await self._news.get()
            await asyncio.sleep(max(0.0, due_s - monotonic()))
            listeners = self._listeners()
            await self._server.emit("job_update", news)
            told(monotonic() if listeners else None)


def _load() -> tuple[Any, Any]:
    import socketio

    return socketio.AsyncServer, socketio.ASGIApp


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await JSONResponse({"error": "unavailable"}, 503)(scope, receive, send)
    else:
        await send({"type": "websocket.close"})  # which uvicorn answers with a 403
