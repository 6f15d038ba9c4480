"""What is tested, read before the load: from the service's answers and the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from genload.harness.identity import UnknownError, at_path, read_identity
from genload.harness.plan import RunPlan, make_plan
from genload.targets import RunRequest

from ..scripted_server import Call, Reply, served

MODELS = {"data": [{"id": "kokoro\x1b[31m", "size": 82, "half": True}], "none": None}


@pytest.fixture
def service() -> Iterator[tuple[str, list[str]]]:
    """Its URL, and the paths it was asked for."""
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        asked.append(call.path)
        status = 200 if call.path in ("/v1/models", "/page") else 404
        return Reply(status, MODELS if call.path == "/v1/models" else b"a page", headers={"X-Build": "v7"})

    with served(answer) as url:
        yield url, asked


def plan(host: str, **sources: dict[str, str]) -> RunPlan:
    """Of a suite that asks for these facts and no others."""
    none = dict.fromkeys(("model", "image", "model_hash", "precision"))
    asked = none | sources
    overrides = (
        "monitors.gpu={interval: 1s}",
        *(f"service.identity.{name}={json.dumps(source)}" for name, source in asked.items()),
    )
    return make_plan(RunRequest(("litetts/light",), host=host, overrides=overrides))


def test_facts_come_from_json_headers_and_the_environment_each_endpoint_asked_once(
    service: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, asked = service
    monkeypatch.setenv("IMAGE_DIGEST", " sha256:9f2c ")
    facts, missing = read_identity(
        plan(
            host,
            model={"endpoint": "/v1/models", "field": "data.0.id"},
            half={"endpoint": "/v1/models", "field": "data.0.half"},
            size={"endpoint": "/v1/models", "field": "data.0.size"},
            build={"header": "X-Build"},
            image={"env": "IMAGE_DIGEST"},
            gpu={"monitor": "gpu"},
        )
    )
    assert facts == {"model": "kokoro", "half": "true", "size": "82", "build": "v7", "image": "sha256:9f2c"}
    assert missing == []
    assert sorted(asked) == ["/", "/v1/models"]


def test_what_cannot_be_read_is_said_and_the_rest_stands(service: tuple[str, list[str]]) -> None:
    facts, missing = read_identity(
        plan(
            service[0],
            model={"endpoint": "/v1/models", "field": "data.1.id"},
            parts={"endpoint": "/v1/models", "field": "data"},
            page={"endpoint": "/page", "field": "id"},
            lost={"endpoint": "/lost", "field": "id"},
            commit={"header": "X-Commit"},
            image={"env": "GENLOAD_NOT_SET"},
            build={"header": "X-Build"},
        )
    )
    assert facts == {"build": "v7", "image": "unknown ($GENLOAD_NOT_SET)"}
    assert missing == [
        "what was tested: no model: there is no '1' in data",
        "what was tested: no parts: it is no text and no number, but something with parts: name one of them",
        "what was tested: no page: /page answered with no JSON",
        "what was tested: no lost: /lost answered with status 404",
        "what was tested: no commit: the answer of / has no header X-Commit",
    ]


def test_a_service_that_is_gone_ends_nothing() -> None:
    facts, missing = read_identity(
        plan("http://127.0.0.1:1", model={"endpoint": "/v1/models", "field": "data.0.id"})
    )
    assert facts == {}
    assert missing[0].startswith("what was tested: no model: refused")


def test_a_path_that_leads_nowhere_says_how_far_it_led() -> None:
    assert at_path(MODELS, "data.0.size") == 82
    for path, words in (
        ("data.0.id.x", "no 'x' in data.0.id"),
        ("nothing", "in the answer"),
        ("none", "'none'"),
    ):
        with pytest.raises(UnknownError, match=words):
            at_path(MODELS, path)
