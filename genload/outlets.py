"""Where a run's numbers go beside its directory: a page of metrics, a gateway of them, traces."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from genload.errors import ConfigError, UsageError
from genload.settings.criteria.ast import Dimension
from genload.settings.secrets import refuse_secret_in_url, reveal
from genload.settings.units import format_number, parse_quantity

LOOPBACK = "127.0.0.1"
_EXPORTER = "OTEL_TRACES_EXPORTER"
_PROTOCOLS = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"
_TRACING = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


@dataclass(frozen=True, slots=True)
class Outlets:
    """What was asked for; nothing unless it was.

    Attributes:
        metrics_port: of the page; 0 takes a free one, None means no page.
        linger_s: how long the page stays after a run's end.
        push_url: of a Pushgateway, with references to secrets as they were written.
        traces: whether spans are sent.
    """

    metrics_port: int | None = None
    metrics_host: str = LOOPBACK
    linger_s: float = 0.0
    push_url: str = ""
    traces: bool = False

    @property
    def has_metrics(self) -> bool:
        return self.metrics_port is not None or bool(self.push_url)

    def words(self) -> list[str]:
        """The same as options on Locust's command line."""
        words: list[str] = []
        if self.metrics_port is not None:
            words += ["--metrics-port", str(self.metrics_port), "--metrics-host", self.metrics_host]
        if self.linger_s:
            words += ["--linger", format_number(self.linger_s, Dimension.TIME)]
        if self.push_url:
            words += ["--push-metrics", self.push_url]
        return words + ["--otel"] * self.traces


NO_OUTLETS = Outlets()


def outlets(
    *,
    metrics_port: str = "",
    metrics_host: str = LOOPBACK,
    linger: str = "",
    push_metrics: str = "",
    otel: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Outlets:
    """What options ask for, as they were written; empty text where they were not.

    Args:
        environ: in which variables say how traces are sent.

    Raises:
        UsageError: what cannot be, a secret that is not there, or what is not installed.
    """
    if linger and not metrics_port:
        raise UsageError("--linger keeps the page of --metrics-port, and there is none", remedy="add it")
    if push_metrics:
        _check_push(push_metrics)
    if otel:
        otel = _has_traces(environ)
    return Outlets(
        _port(metrics_port) if metrics_port else None,
        metrics_host,
        _seconds(linger) if linger else 0.0,
        push_metrics,
        otel,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise UsageError(
            f"--metrics-port {text} is no port", remedy="use 9646 or another up to 65535; 0 takes a free one"
        )
    return int(text)


def _seconds(text: str) -> float:
    try:
        quantity = parse_quantity(text)
        if quantity.dimension is not Dimension.TIME or quantity.value < 0:
            raise ValueError(f"'{text}' is not a time")
    except ValueError as error:
        raise UsageError(f"--linger: {error}", remedy="write it as in --linger 30s") from None
    return quantity.value


def _check_push(url: str) -> None:
    try:
        refuse_secret_in_url(url)
        parts = urlsplit(reveal(url))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise UsageError(
                "--push-metrics names no Pushgateway",
                remedy="write it as in --push-metrics http://gateway:9091",
            )
    except PydanticCustomError as error:
        raise UsageError(
            f"--push-metrics: {error.message()}",
            remedy="write --push-metrics 'https://ci:${env:TOKEN}@gateway', or leave it out",
        ) from None
    except ValueError as error:  # a port that is none
        raise UsageError(f"--push-metrics: {error}", remedy="correct the URL") from None
    except ConfigError as error:
        raise UsageError(f"--push-metrics: {error.message}", remedy=error.remedy) from None


def _has_traces(environ: Mapping[str, str]) -> bool:
    """Whether the standard's variables leave them on."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    said = {name: environ.get(name, "").strip().lower() for name in (_EXPORTER, *_PROTOCOLS)}
    if said[_EXPORTER] == "none":
        return False
    if said[_EXPORTER] not in ("", "otlp"):
        raise UsageError(f"{_EXPORTER}={said[_EXPORTER]}: genload sends otlp alone", remedy="unset it")
    named = next((name for name in _PROTOCOLS if said[name]), "")
    if named and said[named] != "http/protobuf":
        raise UsageError(
            f"{named}={said[named]}: genload sends http/protobuf alone",
            remedy="set it to http/protobuf, and name the receiver's port for it, usually 4318",
        )
    _check_tracing()
    return True


def _check_tracing() -> None:
    try:
        missing = [name for name in _TRACING if find_spec(name) is None]
    except ModuleNotFoundError:  # a package above it
        missing = list(_TRACING)
    if missing:
        raise UsageError(
            f"--otel needs {missing[0]}, which is not installed", remedy="pip install 'genload[otel]'"
        )
