"""A server that does to the byte what a test says, one thread a connection."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from genload.client import HttpClient, Timeouts


class Peer:
    """The server's side of one connection."""

    def __init__(self, sock: socket.socket, log: list[bytes]) -> None:
        self.sock = sock
        self._log = log

    def read_request(self) -> bytes:
        """One whole request (logged); b"" at the end of the stream."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self.sock.recv(65536)
        request = head + b"\r\n\r\n" + body
        self._log.append(request)
        return request

    def answer(self, *pieces: bytes) -> None:
        """Read one request, then send each piece."""
        if self.read_request():
            for piece in pieces:
                self.sock.sendall(piece)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Peer], Any]


class RawServer:
    """Runs the n-th script for the n-th connection, the last one for all further ones."""

    def __init__(self, scripts: tuple[Script, ...]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._peers: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._peers.append(sock)
            threading.Thread(target=self._serve, args=(script, sock), daemon=True).start()

    def _serve(self, script: Script, sock: socket.socket) -> None:
        try:
            script(Peer(sock, self.requests))
        except OSError:
            pass
        finally:
            sock.close()

    def close(self) -> None:
        # A thread inside accept keeps the port alive: wake it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._peers:
            sock.close()


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    """`raw_server(script, …)` starts a server with one script a connection."""
    servers: list[RawServer] = []

    def start(*scripts: Script) -> RawServer:
        servers.append(RawServer(scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client_of() -> Iterator[Callable[..., HttpClient]]:
    """`client_of(url, **options)`: a client with generous limits unless told otherwise."""
    clients: list[HttpClient] = []

    def make(url: str, **options: Any) -> HttpClient:
        settings: dict[str, Any] = {"timeouts": Timeouts(10, 10), "max_answer_bytes": 1 << 20, **options}
        clients.append(HttpClient(url, **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
