"""A user's own check of outputs: what it says, and what becomes of one that raises, hangs or eats memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from genload import extensions
from genload.artifacts.inspector import shared
from genload.artifacts.own.facts import OwnError
from genload.code_errors import OwnCheckError, told
from genload.errors import ConfigError
from genload.service import Artifact, ServiceError
from genload.settings.service import Service

CHECKS = """\
import json, os, sys, time

def look(content, name):
    print("seen", name)
    return {"length": len(content), "filled": 25}

def silent(content, name):
    return None

def refusing(content, name):
    raise ValueError("no chair in it")

def parsing(content, name):
    json.loads(content)

def broken(content, name):
    return {}["chair"]

def leaving(content, name):
    sys.exit(3)

def dying(content, name):
    os._exit(3)

def keeping(content, name):
    kept.append(bytearray(600 * 2**20))
    return {"length": len(kept)}

kept = []

def hanging(content, name):
    while True:
        try:
            time.sleep(60)
        except Exception:
            pass

def hungry(content, name):
    bytearray(1 << 40)

def words(content, name):
    return {"length": "long"}

def more(content, name):
    return {"length": 1, "colour": 2}
"""
OUTPUT = Artifact(bytes(10), "a.bin", "")
NUMBERS = {"length": "KB", "filled": "%"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A factory: a described service whose outputs a function of the file above looks at."""
    path = tmp_path / "checks.py"
    path.write_text(CHECKS, encoding="utf-8")

    def made(function: str) -> Any:
        output = {"kind": "bytes", "check": f"{path}:{function}", "numbers": NUMBERS}
        request = {"path": "/generate", "json": {"image": "{image.base64}"}, "output": output}
        model = Service.model_validate(
            {"api": "job", "request": request}, context={"wings": extensions.Wings()}
        )
        return extensions.attribute("services", "job", "Client")(model)

    yield made
    shared().close()


@pytest.mark.processes
def test_its_numbers_are_in_base_units_and_it_may_have_none(client: Callable[..., Any]) -> None:
    assert client("look").inspect(OUTPUT) == {"length": 10_000.0, "filled": 0.25}
    assert client("silent").inspect(OUTPUT) == {}


@pytest.mark.processes
@pytest.mark.parametrize(
    ("function", "error_class", "words"),
    [
        ("refusing", "bad_output", "no chair in it"),
        ("parsing", "bad_output", "decode"),
        ("hungry", "too_large", "memory"),
        ("dying", "inspector", "died twice"),
    ],
)
def test_what_it_refuses_is_the_output_s_failure(
    client: Callable[..., Any], function: str, error_class: str, words: str
) -> None:
    with pytest.raises(ServiceError) as raised:
        client(function).inspect(OUTPUT)

    assert raised.value.error_class == error_class and words in raised.value.message
    assert client("silent").inspect(OUTPUT) == {}


@pytest.mark.processes
@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("broken", "KeyError: 'chair'"),
        ("leaving", "SystemExit: 3"),
        ("words", "it must return numbers by name"),
        ("more", "it returned 'colour', which output.numbers does not name"),
    ],
)
def test_a_mistake_of_its_own_is_told_with_its_place(
    client: Callable[..., Any], function: str, words: str
) -> None:
    with pytest.raises(OwnCheckError) as raised:
        client(function).inspect(OUTPUT)

    assert words in told(raised.value) and "checks.py:" in told(raised.value)


@pytest.mark.processes
def test_one_that_does_not_end_is_ended(client: Callable[..., Any], tmp_path: Path) -> None:
    client("hanging")
    began_s = monotonic()
    with pytest.raises(OwnError, match=r"inspector: .*hanging did not end within 200 ms"):
        shared().own(f"{tmp_path / 'checks.py'}:hanging", b"", "a.bin", limit_s=0.2)

    assert monotonic() - began_s < 20
    assert shared().own(f"{tmp_path / 'checks.py'}:silent", b"", "a.bin") == {}


@pytest.mark.processes
def test_memory_that_it_keeps_is_given_back_before_it_is_everyone_s(client: Callable[..., Any]) -> None:
    keeping = client("keeping")
    kept = [int(keeping.inspect(OUTPUT)["length"] / 1000) for _ in range(6)]

    assert kept == [1, 2, 3, 4, 1, 2]  # of 600 MiB each, and 2 GiB are enough


def test_a_check_that_there_is_none_of_is_told_before_the_load(client: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=r"has no function 'nobody'") as raised:
        client("nobody")
    assert raised.value.key == "service.request.output.check"


def test_its_numbers_are_metrics_of_their_units(client: Callable[..., Any]) -> None:
    made = client("look")
    metrics = {metric.name: metric.dimension for metric in made.measures(made.service.request)}

    assert metrics == {"generate.length": "bytes", "generate.filled": "ratio"}
