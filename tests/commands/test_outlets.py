"""Where a run's numbers may go besides its directory: what is asked for, and what cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from genload import outlets as module
from genload.errors import UsageError
from genload.outlets import NO_OUTLETS, Outlets, outlets


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, NO_OUTLETS),
        ({"metrics_port": "9646", "linger": "30s"}, Outlets(metrics_port=9646, linger_s=30.0)),
        ({"metrics_port": "0", "metrics_host": "::1"}, Outlets(metrics_port=0, metrics_host="::1")),
        ({"push_metrics": "http://gateway:9091/x"}, Outlets(push_url="http://gateway:9091/x")),
        ({"otel": True}, Outlets(traces=True)),
    ],
)
def test_what_was_asked_for_can_be_asked_for_again(asked: dict[str, Any], found: Outlets) -> None:
    assert outlets(**asked) == found
    assert outlets(**_asked(found.words())) == found


def _asked(words: Sequence[str]) -> dict[str, Any]:
    """Options on a command line as arguments of `outlets`."""
    flags = {"otel": True} if "--otel" in words else {}
    values = [word for word in words if word != "--otel"]
    named = zip(values[::2], values[1::2], strict=True)
    return flags | {name.removeprefix("--").replace("-", "_"): value for name, value in named}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"metrics_port": "http"}, "--metrics-port http is no port"),
        ({"metrics_port": "70000"}, "--metrics-port 70000 is no port"),
        ({"linger": "30s"}, "there is none"),
        ({"metrics_port": "1", "linger": "30"}, "'30' is not a time"),
        ({"metrics_port": "1", "linger": "-1s"}, "'-1s' is not a time"),
        ({"metrics_port": "1", "linger": "soon"}, "'soon' is not a number with a unit"),
        ({"push_metrics": "gateway:9091"}, "names no Pushgateway"),
        ({"push_metrics": "http://gateway:port"}, "Port could not be cast"),
        ({"push_metrics": "http://me:secret@gateway"}, "the URL holds a user's name"),
        ({"push_metrics": "http://me:${env:NOT_SET_HERE}@gateway"}, "NOT_SET_HERE is not set"),
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        outlets(**asked)
    assert message in refused.value.message
    assert refused.value.remedy
    assert "secret@" not in refused.value.render()


def test_a_secret_of_the_gateway_stays_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", "s3cr3t")
    url = "https://ci:${env:GATEWAY_TOKEN}@gateway"
    assert outlets(push_metrics=url).words() == ["--push-metrics", url]


@pytest.mark.parametrize(
    ("variables", "traced"),
    [
        ({}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            True,
        ),
    ],
)
def test_the_standard_s_variables_are_obeyed(variables: dict[str, str], traced: bool) -> None:
    assert outlets(otel=True, environ=variables).traces is traced


@pytest.mark.parametrize(
    "variables", [{"OTEL_TRACES_EXPORTER": "console"}, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}]
)
def test_what_they_ask_for_and_is_not_there_is_refused(variables: dict[str, str]) -> None:
    [(name, value)] = variables.items()
    with pytest.raises(UsageError, match=f"{name}={value}: genload sends"):
        outlets(otel=True, environ=variables)


@pytest.mark.parametrize("missing", ["opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"])
def test_traces_need_what_sends_them(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> str | None:
        if name == missing:
            raise ModuleNotFoundError(name)
        return name

    monkeypatch.setattr(module, "find_spec", found)
    with pytest.raises(UsageError) as refused:
        outlets(otel=True)
    assert refused.value.exit_code == 2
    assert refused.value.remedy == "pip install 'genload[otel]'"
