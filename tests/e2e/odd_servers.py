"""Servers in this process that no service under test should be like."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trimesh

PAGE = (
    b"<!doctype html><html><head><title>Welcome</title></head><body><h1>Welcome to nginx!</h1></body></html>"
)


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    certificate: bool = False  # the client has shown one


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Call], Reply]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # one that did not wait for its answer
            super().handle_error(request, client_address)


@contextmanager
def served(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The base URL of a server on the loopback address that answers every request like that."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            shown = isinstance(self.connection, ssl.SSLSocket) and bool(self.connection.getpeercert())
            call = Call(self.command, self.path, headers, shown)
            reply = answering(call)
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.kind, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_GET  # noqa: N815  the names that http.server looks for

        def log_message(self, format: str, *words: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def a_web_page(call: Call) -> Reply:
    """The wrong host: a page of HTML with 200 on every path."""
    return Reply(200, PAGE, "text/html; charset=utf-8")


class Orfeas:
    """A minimal ORFEAS that does every job at once, each with another mesh.

    Args:
        failure: what job-status says of a job instead, given the call; None: it is done.
        guard: answers a call instead, or None to let it through.
    """

    def __init__(
        self,
        failure: Callable[[Call], str] | None = None,
        guard: Callable[[Call], Reply | None] = lambda call: None,
    ) -> None:
        self.calls: list[Call] = []
        self._failure, self._guard = failure, guard
        self._jobs = 0
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Reply:
        with self._lock:
            self.calls.append(call)
            self._jobs += call.path == "/api/upload-image"
            number = self._jobs
        return self._guard(call) or self._answer(call, number)

    def _answer(self, call: Call, number: int) -> Reply:
        if call.path == "/metrics":
            return Reply(
                200, b"process_resident_memory_bytes 1e8\nprocess_start_time_seconds 1e9\n", "text/plain"
            )
        if call.path.startswith("/api/download/"):
            sphere = trimesh.creation.icosphere(subdivisions=1, radius=1 + number)
            return Reply(200, bytes(sphere.export(file_type="stl")), "application/octet-stream")
        if call.path.startswith("/api/job-status/"):
            if self._failure is not None:
                return _json({"status": "failed", "error": self._failure(call)})
            return _json({"status": "completed", "download_url": f"/api/download/{number}/model.stl"})
        return _json({"status": "ready", "job_id": f"job-{number}"})


def _json(fields: dict[str, str]) -> Reply:
    return Reply(200, json.dumps(fields).encode())
