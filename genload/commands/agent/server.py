"""The agent's HTTP face: one page, optionally behind a bearer token."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from genload import __version__
from genload.commands.agent.text_format import CONTENT_TYPE
from genload.errors import ConfigError, UsageError
from genload.settings.secrets import reveal

_MAX_PORT = 65535
_IDLE_S = 10.0


def listen_address(text: str) -> tuple[str, int]:
    """``127.0.0.1:9835``, ``[::1]:9835``, ``gpu1:0``.

    Raises:
        UsageError: no such thing.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not host or not port.isdecimal() or int(port) > _MAX_PORT:
        raise UsageError(f"--listen {text} is no address", remedy="write it as in 127.0.0.1:9835")
    return host, int(port)


class AgentServer(ThreadingHTTPServer):
    """Serves `text()` at /metrics.

    Args:
        address: host and port; port 0 takes a free one.
        token: a reference to the token that every request must bear (read again when its file changes), or
            empty.

    Raises:
        UsageError: the address is taken, or none of this machine.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], text: Callable[[], str], token: str = "") -> None:
        self.text, self.token = text, token
        host, port = address
        try:
            self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            super().__init__(address, _Handler)
        except OSError as error:
            raise _refused(host, port, error) from error

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{shown}:{port}/metrics"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nobody's business."""


def _refused(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"{host}:{port} is taken", remedy="end what listens there, or choose another --listen"
        )
    return UsageError(
        f"cannot listen on {host}:{port}: {error.strerror}", remedy="give an address of this machine"
    )


class _Handler(BaseHTTPRequestHandler):
    server: AgentServer
    server_version = f"genload/{__version__}"
    sys_version = ""
    timeout = _IDLE_S

    def do_GET(self) -> None:
        try:
            allowed = self._allowed()
        except (
            ConfigError
        ):  # said at the start, and now the file is gone; it names a path, so not to the client
            self._answer(503, "the agent cannot read its token\n")
            return
        if not allowed:
            self._answer(401, "a bearer token is needed\n", {"WWW-Authenticate": "Bearer"})
        elif self.path.partition("?")[0] != "/metrics":
            self._answer(404, "the page is /metrics\n")
        else:
            self._answer(200, self.server.text(), {"Content-Type": CONTENT_TYPE})

    def _allowed(self) -> bool:
        if not self.server.token:
            return True
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        # In constant time: how long a wrong token takes must not tell how much of it is right.
        right = compare_digest(token.strip().encode(), reveal(self.server.token).encode())
        return right and scheme.lower() == "bearer"

    def _answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "text/plain; charset=utf-8"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a scrape a second is no news."""
