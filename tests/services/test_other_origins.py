"""Results on another origin (S3, a CDN): fetched where the suite allows it, and never with the service's
credentials. Two real servers.
"""

from __future__ import annotations

import io
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from genload import extensions
from genload.client import Answer, watched
from genload.commands.try_.view import TrialView
from genload.errors import ConfigError
from genload.service import JobClient, JobPhase, JobState, ServiceError
from genload.settings.loader import load_suite
from genload.settings.service import Service

from ..client.certificates import Authority
from ..scripted_server import Call, Reply, served

MESH = b"the mesh"
Start = Callable[..., "Servers"]


class Servers:
    """The service, its store of results, and what each of them was asked."""

    def __init__(
        self,
        stack: ExitStack,
        store: Callable[[Call], Reply] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[Call] = []
        self.fetched: list[Call] = []
        self.store = stack.enter_context(served(store or self._store, tls))
        self.host = stack.enter_context(served(self._service, tls))
        self._client_class = extensions.attribute("services", "orfeas", "Client")

    def _service(self, call: Call) -> Reply:
        self.asked.append(call)
        if call.path.startswith("/api/download/"):
            return Reply(302, b"", headers={"Location": f"{self.store}/bucket/a.stl?X-Signature=s3cret"})
        return Reply(200, b"{}")

    def _store(self, call: Call) -> Reply:
        self.fetched.append(call)
        return Reply(200, MESH, "model/stl")

    def client(self, **settings: Any) -> JobClient:
        client: JobClient = self._client_class(
            Service.model_validate(
                {
                    "api": "orfeas",
                    "host": self.host,
                    "headers": {"Authorization": "${env:TOKEN}", "X-Tenant": "ours"},
                    "follow_redirects": 2,
                    **settings,
                }
            )
        )
        client.request_id = "the-request"
        return client

    def fetch(self, url: str, **settings: Any) -> bytes:
        client = self.client(**settings)
        try:
            return client.fetch("job", JobState(JobPhase.COMPLETED, output=url)).content
        finally:
            client.close()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setenv("TOKEN", "Bearer s3cret-token")
    with ExitStack() as stack:
        yield Servers(stack)


def check_no_credentials(call: Call) -> None:
    assert call.method == "GET"
    assert not {"authorization", "x-tenant", "x-request-id", "traceparent"} & set(call.headers)
    assert "s3cret-token" not in str(call)


def test_a_result_elsewhere_is_fetched_where_that_is_allowed_without_credentials(servers: Servers) -> None:
    url = f"{servers.store}/bucket/a.stl?X-Signature=abc"

    assert servers.fetch(url, allow_origins=["https://other.example", servers.store]) == MESH

    (call,) = servers.fetched
    assert call.path == "/bucket/a.stl?X-Signature=abc"
    check_no_credentials(call)
    assert servers.asked == []


def test_a_redirect_elsewhere_is_followed_where_that_is_allowed_without_credentials(
    servers: Servers,
) -> None:
    assert servers.fetch("/api/download/job/a.stl", allow_origins=[servers.store]) == MESH

    (asked,), (call,) = servers.asked, servers.fetched
    assert asked.headers["authorization"] == "Bearer s3cret-token"
    assert asked.headers["x-tenant"] == "ours" and "x-request-id" in asked.headers
    check_no_credentials(call)


def test_a_client_certificate_is_shown_to_the_service_alone(tmp_path: Path, monkeypatch: Any) -> None:
    """Both servers ask for one."""
    monkeypatch.setenv("TOKEN", "Bearer s3cret-token")
    authority = Authority(tmp_path, "authority")
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asking.load_cert_chain(*authority.sign("127.0.0.1"))
    asking.load_verify_locations(authority.file)
    asking.verify_mode = ssl.CERT_OPTIONAL
    certificate, key = map(str, authority.sign("the-user"))
    tls = {"ca_file": str(authority.file), "client_certificate": certificate, "client_key": key}
    with ExitStack() as stack:
        servers = Servers(stack, tls=asking)
        allowed = [servers.store]
        assert servers.fetch("/api/download/job/a.stl", allow_origins=allowed, tls=tls) == MESH
        assert servers.fetch(f"{servers.store}/bucket/a.stl", allow_origins=allowed, tls=tls) == MESH

    assert [call.certificate for call in servers.asked] == [True]
    assert [call.certificate for call in servers.fetched] == [False, False]


def test_what_is_not_allowed_is_never_asked_and_the_failure_names_the_key(servers: Servers) -> None:
    with pytest.raises(ServiceError) as direct:
        servers.fetch(f"{servers.store}/bucket/a.stl?X-Signature=abc")
    with pytest.raises(ServiceError) as led:
        servers.fetch("/api/download/job/a.stl", allow_origins=["https://other.example"])

    assert servers.fetched == []
    assert (direct.value.error_class, led.value.error_class) == ("bad_answer", "http_302")
    for failure in (direct.value, led.value):
        assert f"service.allow_origins: ['{servers.store}']" in failure.message
    assert "X-Signature" not in direct.value.message


def test_only_fetching_is_ever_sent_elsewhere(servers: Servers) -> None:
    client: Any = servers.client(allow_origins=[servers.store])
    with pytest.raises(ServiceError) as refused:
        client._calls.post_json(f"{servers.store}/collect", {"input": "the user's own"})
    client.close()

    assert refused.value.error_class == "bad_answer" and servers.fetched == []


def test_whoever_is_led_elsewhere_comes_back_without_credentials_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "Bearer s3cret-token")
    with ExitStack() as stack:
        back: list[str] = []
        servers = Servers(stack, store=lambda call: Reply(302, b"", headers={"Location": f"{back[0]}/admin"}))
        back.append(servers.host)
        with pytest.raises(ServiceError) as refused:
            servers.fetch("/api/download/job/a.stl", allow_origins=[servers.store])

    assert refused.value.error_class == "http_302"
    assert [call.path for call in servers.asked] == ["/api/download/job/a.stl"]


def test_a_signature_in_a_url_is_not_shown_by_a_trial(servers: Servers) -> None:
    said = io.StringIO()
    view = TrialView(Console(file=said, width=200))
    with watched(view.exchange):
        servers.fetch("/api/download/job/a.stl?size=3", allow_origins=[servers.store])

    assert "GET /api/download/job/a.stl?size=…" in said.getvalue()
    assert f"Location: {servers.store}/bucket/a.stl?X-Signature=…\n" in said.getvalue()
    assert "GET /bucket/a.stl?X-Signature=…\n" in said.getvalue()
    assert "s3cret" not in said.getvalue()


def test_the_whole_way_is_one_measurement(servers: Servers) -> None:
    client: Any = servers.client(allow_origins=[servers.store])
    with client.step("download") as step:
        answer: Answer = client._calls.get("/api/download/job/a.stl", step)
    client.close()

    assert answer.body == MESH and answer.times.start_s <= answer.times.sent_s <= answer.times.end_s
    assert step.bytes_received == answer.bytes_received > len(MESH)
    assert step.connect_s > 0


@pytest.mark.parametrize(
    "origin",
    ["bucket.s3.amazonaws.com", "https://bucket.example/path", "https://user@bucket.example", "ftp://bucket"],
)
def test_what_is_no_origin_is_refused(origin: str, tmp_path: Any) -> None:
    suite = tmp_path / "own.yaml"
    suite.write_text(f"extends: orfeas\nservice: {{allow_origins: ['{origin}']}}\n")
    folders = [folder / "suites" for folder in extensions.folders("config")]
    with pytest.raises(ConfigError) as refused:
        load_suite(str(suite), folders=folders, wings=extensions.Wings())
    assert "is no origin" in refused.value.message and "https://bucket.s3" in refused.value.remedy
