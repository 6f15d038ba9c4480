"""A download whose end is known: what was handed to the socket, and whether that was all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_CHUNK_BYTES = 64 * 1024
_TURNS_TO_NOTICE = 3


class Transfer(Response):
    """Sends `content` as an attachment, chunk by chunk, until it is sent or the client has gone.

    Args:
        served: called once, with the bytes sent and whether they were all. Of a whole download it is told
            just *before* the last chunk is written: what it notes is there once the client has the file.
    """

    media_type = "application/octet-stream"

    def __init__(self, content: bytes, filename: str, served: Callable[[int, bool], None]) -> None:
        super().__init__(content, headers={"Content-Disposition": f"attachment; filename={filename}"})
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            # The server swallows what is sent to a client that has gone; only receive tells.
            gone = asyncio.ensure_future(disconnected(receive))
            try:
                await self._send_chunks(send, gone)
            finally:
                gone.cancel()
        await send({"type": "http.response.body"})

    async def _send_chunks(self, send: Send, gone: asyncio.Future[None]) -> None:
        content = memoryview(self.body)
        for start in range(0, len(content), _CHUNK_BYTES):
            # A lost connection wakes us and `gone` in the same turn of the loop: let it come first.
            for _ in range(_TURNS_TO_NOTICE):
                await asyncio.sleep(0)
            if gone.done():
                self._served(start, False)
                return
            chunk = bytes(content[start : start + _CHUNK_BYTES])
            if start + len(chunk) == len(content):
                self._served(len(content), True)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def disconnected(receive: Receive) -> None:
    """Wait until the client has gone, or has the whole answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
