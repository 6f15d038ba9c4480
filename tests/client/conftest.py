"""A server that does to the byte what a test says, and a client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from genload.client import HttpClient, Timeouts

from ..scripted_server import Script, ScriptedServer


@pytest.fixture
def raw_server() -> Iterator[Callable[..., ScriptedServer]]:
    """`raw_server(script, …)` starts a server with one script a connection."""
    servers: list[ScriptedServer] = []

    def start(*scripts: Script) -> ScriptedServer:
        servers.append(ScriptedServer(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client_of() -> Iterator[Callable[..., HttpClient]]:
    """`client_of(url, **options)`: a client with generous limits unless told otherwise."""
    clients: list[HttpClient] = []

    def make(url: str, **options: Any) -> HttpClient:
        settings: dict[str, Any] = {"timeouts": Timeouts(30, 30), "max_answer_bytes": 1 << 20, **options}
        clients.append(HttpClient(url, **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
