"""A service with exact answers, one connection a request, as ORFEAS closes each; and its client."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from genload import extensions
from genload.artifacts import inspector
from genload.service import JobClient, SpeechClient
from genload.settings.service import Service


@dataclass
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedService:
    """Answers by path from a script, the last of a list repeated; 404 for any other path.

    An entry is a dict (JSON, 200), bytes (a page, 200), (status, either of them), (status, either, headers),
    or None: the connection is closed without an answer. A header that is None is left out.
    """

    url: str
    script: dict[str, list[Any]]
    received: list[Received] = field(default_factory=list)

    def answer(self, request: Received) -> bytes:
        self.received.append(request)
        answers = self.script.get(request.path, [(404, {"error": "Not found"})])
        entry = answers.pop(0) if len(answers) > 1 else answers[0]
        if entry is None:
            return b""
        status, body, *headers = entry if isinstance(entry, tuple) else (200, entry)
        return _reply(status, body, headers[0] if headers else {})


def _reply(status: int, body: Any, headers: dict[str, str | None]) -> bytes:
    kind = "text/html" if isinstance(body, bytes) else "application/json"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + content


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line = self.rfile.readline().decode()
        if not line.strip():
            return
        method, path, _ = line.split()
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        service: ScriptedService = self.server.service  # type: ignore[attr-defined]
        self.wfile.write(service.answer(Received(method, path, headers, body)))


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedService]]:
    """A factory: ``scripted({"/ready": [(503, {"status": "not_ready"})]})``."""
    servers: list[socketserver.ThreadingTCPServer] = []

    def start(script: dict[str, list[Any]]) -> ScriptedService:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        service = ScriptedService(f"http://127.0.0.1:{server.server_address[1]}", script)
        server.service = service  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return service

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def make(scripted: Any) -> Iterator[Callable[..., Any]]:
    """A factory: an ORFEAS client and the scripted service that it talks to."""
    clients: list[JobClient] = []

    def start(script: dict[str, list[Any]], request: dict[str, Any] | None = None, **settings: Any) -> Any:
        service = scripted(script)
        data = {"api": "orfeas", "host": service.url, "request": request or {}, **settings}
        model = Service.model_validate(data, context={"wings": extensions.Wings()})
        client = extensions.attribute("services", "orfeas", "Client")(model)
        clients.append(client)
        return client, service

    yield start
    for client in clients:
        client.close()


@pytest.fixture(autouse=True, scope="module")
def no_inspector_left() -> Iterator[None]:
    """End the child that inspected this module's meshes."""
    yield
    inspector.shared().close()


@pytest.fixture
def speaking(scripted: Any) -> Iterator[Callable[..., Any]]:
    """A factory: a speech client and the scripted service that it talks to."""
    clients: list[SpeechClient] = []

    def start(script: dict[str, list[Any]], request: dict[str, Any] | None = None, **settings: Any) -> Any:
        service = scripted(script)
        asked = {"dialect": "litetts", **(request or {})}
        data = {"api": "openai_speech", "host": service.url, "request": asked, **settings}
        model = Service.model_validate(data, context={"wings": extensions.Wings()})
        client = extensions.attribute("services", "openai_speech", "Client")(model)
        clients.append(client)
        return client, service

    yield start
    for client in clients:
        client.close()
