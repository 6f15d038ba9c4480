"""A download whose end is known: what was handed to the socket, and whether that was all."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_CHUNK_BYTES = 64 * 1024


class Transfer(Response):
    """Sends `content` as an attachment in chunks, so that a client which goes away is noticed.

    Args:
        served: called once at the end with the bytes sent and whether they were all.
    """

    media_type = "application/octet-stream"

    def __init__(self, content: bytes, filename: str, served: Callable[[int, bool], None]) -> None:
        super().__init__(content, headers={"Content-Disposition": f"attachment; filename={filename}"})
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content, sent_bytes = memoryview(self.body), 0
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            while sent_bytes < len(content) and scope["method"] != "HEAD":
                chunk = bytes(content[sent_bytes : sent_bytes + _CHUNK_BYTES])
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                sent_bytes += len(chunk)
            await send({"type": "http.response.body"})
        finally:
            self._served(sent_bytes, sent_bytes == len(content))
