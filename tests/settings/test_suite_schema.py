"""The JSON schema in the repository: current, and right about the suites there are.

After a change to a model, run this file with GENLOAD_WRITE_SCHEMA=1 set: it writes the schema anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from genload import extensions
from genload.settings.loader import load_suite
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.schema import Declared, suite_schema

CONFIG = Path(__file__).parents[2] / "config"
FILE = CONFIG / "schema" / "suite.schema.json"
SUITES = sorted((CONFIG / "suites").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    wings = extensions.Wings()
    own = {
        wing: sorted(p.stem for p in extensions.builtin_folder(wing).glob("[!_]*.py"))
        for wing in ("shapes", "services", "monitors")
    }
    metrics = {m.name: m for api in own["services"] for m in wings.request_metrics(api)}
    return suite_schema(
        Declared(
            shapes={name: wings.shape(name) for name in own["shapes"]},
            requests={name: wings.request(name) for name in own["services"]},
            monitors={name: wings.monitor(name) for name in own["monitors"]},
            metrics=(*MACHINE_METRICS, *metrics.values()),
        )
    )


def test_the_schema_in_the_repository_is_current(schema: dict[str, Any]) -> None:
    text = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("GENLOAD_WRITE_SCHEMA"):
        FILE.write_text(text, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == text, "GENLOAD_WRITE_SCHEMA=1 writes it anew"


def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    references = set(_values(schema, "$ref"))
    assert references and all(r.removeprefix("#/$defs/") in schema["$defs"] for r in references)


def _values(part: Any, key: str) -> list[Any]:
    items = part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    own = [part[key]] if isinstance(part, dict) and key in part else []
    return own + [value for item in items for value in _values(item, key)]


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_names_the_schema_and_obeys_it(schema: dict[str, Any], path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == FILE
    Draft202012Validator(schema).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("servce: {}", []),
        ("service: {timout: 3s}", ["service"]),
        ("service: {timeout: 300}", ["service", "timeout"]),
        ("service: {timeout: 5MB}", ["service", "timeout"]),
        ("scenarios: {a: {shape: {kind: spike, hihg: 3}}}", ["scenarios", "a", "shape"]),
        ("monitors: {host: {intervall: 3s}}", ["monitors", "host"]),
        ("monitors: {host: {interval: 3}}", ["monitors", "host", "interval"]),
        ("monitors: {page: {kind: host, intervall: 3s}}", ["monitors", "page"]),
        ("monitors: {host: {kind: exposition, server: {port: 1}}}", ["monitors", "host"]),
        ("scenarios: {a: {criteria: {x: {hold: a}}}}", ["scenarios", "a", "criteria", "x"]),
        ("scenarios: {a: {think: {minimum: 3s}}}", ["scenarios", "a", "think"]),
    ],
)
def test_an_editor_sees_what_is_wrong(schema: dict[str, Any], text: str, at: list[str]) -> None:
    errors = list(Draft202012Validator(schema).iter_errors(yaml.safe_load(text)))
    assert [list(error.absolute_path) for error in errors] == [at]


@pytest.mark.parametrize(
    "text",
    [
        "extends: orfeas",
        "scenarios: {a: null, b: {shape: {kind: mine, anything: 3}, think: 5s}}",
        "scenarios: {a: {shape: {high: 3}, think: {min: 3s, max: 5 min}}}",
        "service: {request: {mine: 1}, timeout: 0, retry: {max_wait: 0.5h}, poll: {jitter: 1/3}}",
        "monitors: {my_own: {anything: 1}, host: }",
        "monitors: {page: {kind: exposition, gzip: true}, host: {kind: gpu, gpus: [0]}, x: {kind: my_own}}",
    ],
)
def test_an_editor_accepts_what_may_be(schema: dict[str, Any], text: str) -> None:
    assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_loads_with_the_real_wings(path: Path) -> None:
    loaded = load_suite(str(path), folders=[path.parent], wings=extensions.Wings())
    assert loaded.suite.name == path.stem
