"""What the real servers serve in the tests: one application for Werkzeug and, through an adapter, uvicorn.

python wsgi_app.py werkzeug|uvicorn PORT
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

BODY = bytes(range(256)) * 400

Result = tuple[int, dict[str, str], Iterable[bytes]]


def respond(path: str, body: bytes) -> Result:
    """The answer to a path: status, headers, pieces of the body."""
    if path == "/echo":
        digest = hashlib.sha256(body).hexdigest().encode()
        return 200, {"Content-Length": str(len(digest))}, [digest]
    if path == "/chunks":  # no length: chunked for HTTP/1.1, or read to the close
        return 200, {}, slowly()
    if path == "/gzip":
        packed = gzip.compress(BODY)
        return 200, {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}, [packed]
    if path == "/empty":
        return 204, {}, []
    if path == "/moved":
        return 302, {"Location": "/length", "Content-Length": "0"}, []
    if path == "/busy":
        return 503, {"Retry-After": "5", "Content-Length": "4"}, [b"busy"]
    return 200, {"Content-Length": str(len(BODY))}, [BODY]


def slowly() -> Iterator[bytes]:
    for start in range(0, len(BODY), 20_000):
        yield BODY[start : start + 20_000]
        time.sleep(0.01)


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    status, headers, pieces = respond(environ["PATH_INFO"], body)
    start_response(f"{status} Words", list(headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else pieces


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, headers, pieces = respond(scope["path"], body)
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    if scope["method"] != "HEAD":
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


def main() -> None:
    server, port = sys.argv[1], int(sys.argv[2])
    if server == "uvicorn":
        import uvicorn

        uvicorn.run(
            asgi, host="127.0.0.1", port=port, lifespan="off", log_level="error", timeout_keep_alive=1
        )
    else:
        from werkzeug.serving import WSGIRequestHandler, make_server

        # HTTP/1.1 lets Werkzeug keep connections and send chunks; its default is HTTP/1.0.
        WSGIRequestHandler.protocol_version = "HTTP/1.0" if server == "werkzeug" else "HTTP/1.1"
        make_server("127.0.0.1", port, wsgi, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
