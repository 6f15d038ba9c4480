"""The server of every test that needs one of its own: it answers as the test says, whole or to the byte."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """A request as it came; names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    certificate: bool = False  # the client has shown one


@dataclass(frozen=True)
class Reply:
    """A whole answer: bytes as they are, text in UTF-8, anything else as JSON. A header that is None is left
    out."""

    status: int
    body: Any = b""
    kind: str = "application/json"
    headers: Mapping[str, str | None] = field(default_factory=dict)
    phrase: str = "Whatever"

    def encoded(self) -> bytes:
        """As it is sent."""
        text = self.body if isinstance(self.body, str | bytes) else json.dumps(self.body)
        content = text.encode() if isinstance(text, str) else text
        fields = {"Content-Type": self.kind, "Content-Length": str(len(content)), "Connection": "close"}
        sent = {name: value for name, value in {**fields, **self.headers}.items() if value is not None}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        return f"HTTP/1.1 {self.status} {self.phrase}\r\n{lines}\r\n".encode() + content


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

    def call(self) -> Call | None:
        """The same, taken apart; None at the end of the stream."""
        head, _, body = self.read_request().partition(b"\r\n\r\n")
        if not head:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split()
        fields = (line.partition(":") for line in lines)
        shown = isinstance(self.sock, ssl.SSLSocket) and bool(self.sock.getpeercert())
        return Call(method, path, {name.lower(): value.strip() for name, _, value in fields}, body, shown)

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
Answering = Callable[[Call], Reply | bytes]


def answers(answering: Answering) -> Script:
    """The script of a server that answers one request a connection: whole, or with these very bytes."""

    def script(peer: Peer) -> None:
        call = peer.call()
        if call is not None:
            answer = answering(call)
            peer.sock.sendall(answer if isinstance(answer, bytes) else answer.encoded())

    return script


class ScriptedServer:
    """Runs the n-th script for the n-th connection, each in a thread; the last one for all further ones.

    Attributes:
        requests: what came, as it came.
    """

    def __init__(
        self,
        *scripts: Script,
        tls: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts, self._tls = scripts, tls
        self._listener = socket.create_server((address, port), backlog=128)
        self._peers: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'http' if tls is None else 'https'}://{address}:{self.port}"
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
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            script(Peer(sock, self.requests))
        except OSError:
            pass
        finally:
            sock.close()

    def close(self) -> None:
        """End it, with every connection; again is no mistake."""
        if self._listener.fileno() < 0:
            return
        # A thread inside accept keeps the port alive: wake it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._peers:
            sock.close()


@contextmanager
def served(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The base URL of a server that answers every request like that, as long as the block lasts."""
    server = ScriptedServer(answers(answering), tls=tls)
    try:
        yield server.url
    finally:
        server.close()
