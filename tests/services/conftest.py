"""A service with exact answers, one connection a request, as ORFEAS closes each; and its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from genload import extensions
from genload.artifacts import inspector
from genload.drivers.job_driver import JobDriver
from genload.service import Artifact, JobClient, SpeechClient
from genload.settings.service import Poll, Retry, Service

from ..scripted_server import Call, Reply, ScriptedServer, answers
from .scripted_description import IMAGE


@dataclass
class ScriptedService:
    """Answers by path from a script, the last of a list repeated; 404 for any other path.

    An entry is a dict (JSON, 200), bytes (a page, 200), (status, either of them), (status, either, headers),
    or None: the connection is closed without an answer. A header that is None is left out.
    """

    script: dict[str, list[Any]]
    url: str = ""
    received: list[Call] = field(default_factory=list)

    def answer(self, request: Call) -> Reply | bytes:
        self.received.append(request)
        answers = self.script.get(request.path, [(404, {"error": "Not found"})])
        entry = answers.pop(0) if len(answers) > 1 else answers[0]
        if entry is None:
            return b""
        status, body, *headers = entry if isinstance(entry, tuple) else (200, entry)
        kind = "text/html" if isinstance(body, bytes) else "application/json"
        return Reply(status, body, kind, headers[0] if headers else {})


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedService]]:
    """A factory: ``scripted({"/ready": [(503, {"status": "not_ready"})]})``."""
    servers: list[ScriptedServer] = []

    def start(script: dict[str, list[Any]]) -> ScriptedService:
        service = ScriptedService(script)
        servers.append(ScriptedServer(answers(service.answer)))
        service.url = servers[-1].url
        return service

    yield start
    for server in servers:
        server.close()


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
        data = {"api": "speech", "host": service.url, "request": asked, **settings}
        model = Service.model_validate(data, context={"wings": extensions.Wings()})
        client = extensions.attribute("services", "speech", "Client")(model)
        clients.append(client)
        return client, service

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def run(scripted: Any) -> Iterator[Callable[..., Any]]:
    """A factory: one job of a description against a script; its result, its output and what was asked for."""
    clients: list[Any] = []

    def start(request: dict[str, Any], script: dict[str, list[Any]], **settings: Any) -> Any:
        service = scripted(script)
        data = {"api": "job", "host": service.url, "request": request, "timeout": "3s", **settings}
        model = Service.model_validate(data, context={"wings": extensions.Wings()})
        quick = {"poll": Poll(interval_s=0.01), "retry": Retry(default_wait_s=0.01, max_wait_s=0.02)}
        client = extensions.attribute("services", "job", "Client")(model)
        clients.append(client)
        outputs: list[Artifact] = []
        result = JobDriver(
            client,
            IMAGE,
            service=model.model_copy(update=quick),
            inspect=lambda artifact: outputs.append(artifact) or {},  # type: ignore[func-returns-value]
            rng=Random(1),
            request_id="5f0c2a6e-0000-4000-8000-000000000001",
        ).run()
        return result, outputs[0] if outputs else None, service.received

    yield start
    for client in clients:
        client.close()
