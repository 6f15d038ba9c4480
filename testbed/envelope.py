"""What every answer of the service has in common, whatever made it: an ASGI wrapper."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TIME_SCALE_HEADER = "X-Testbed-Time-Scale"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS, HEAD",
    "Access-Control-Allow-Headers": "Content-Type, Accept",
    "Access-Control-Expose-Headers": "Content-Length, Content-Type",
}


class Envelope:
    """Adds ``Connection: close``, the CORS headers and the declared time scale; answers preflights.

    Args:
        time_scale: as `TIME_SCALE_HEADER` states it, in the shortest form that reads back exactly.
    """

    def __init__(self, app: ASGIApp, time_scale: float) -> None:
        self._app = app
        self._headers = {"Connection": "close", TIME_SCALE_HEADER: repr(time_scale), **_CORS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_envelope(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = [(b"content-length", b"0"), (b"allow", b"GET, HEAD, OPTIONS, POST")]
            await send_in_envelope({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body"})
        else:
            await self._app(scope, receive, send_in_envelope)
