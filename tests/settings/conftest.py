"""Wings without wing files: what shapes/, services/ and monitors/ would declare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import PositiveInt

from genload.errors import ConfigError
from genload.settings.loader import load_suite
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.requests import request_metrics
from genload.settings.phases import Phase, Timeline, steady_load
from genload.settings.service import Service
from genload.settings.suite import Suite
from genload.settings.units import PerSecond, Seconds, TransportSeconds
from genload.settings.wing_models import MonitorSettings, RequestSettings, ShapeSettings


class Steady(ShapeSettings):
    users: PositiveInt = 3
    duration_s: Seconds = 600.0
    ramp_s: Seconds = 0.0
    arrivals_per_s: PerSecond | None = None


class Counted(ShapeSettings):
    users: PositiveInt = 1
    iterations: PositiveInt = 5


class Burst(ShapeSettings):
    before_s: Seconds = 120.0
    during_s: Seconds = 60.0
    low: PositiveInt = 2
    high: PositiveInt = 20


class Job(RequestSettings):
    quality: int = 7
    grades: tuple[str, ...] = ("a", "b")
    pauses: dict[str, Seconds] = {}


class Page(MonitorSettings):
    timeout_s: TransportSeconds = 5.0
    series: dict[str, str] = {}


class FakeWings:
    shapes: dict[str, type[ShapeSettings]] = {"steady": Steady, "counted": Counted, "burst": Burst}
    requests: dict[str, type[RequestSettings]] = {"jobs": Job}
    monitors: dict[str, type[MonitorSettings]] = {"page": Page, "host": MonitorSettings}

    def shape(self, kind: str) -> type[ShapeSettings]:
        return self._known(self.shapes, kind, "shapes")

    def request(self, api: str) -> type[RequestSettings]:
        return self._known(self.requests, api, "services")

    def monitor(self, name: str) -> type[MonitorSettings]:
        return self._known(self.monitors, name, "monitors")

    def timeline(self, shape: ShapeSettings) -> Timeline:
        match shape:
            case Steady():
                return steady_load(shape.users, shape.duration_s, shape.ramp_s)
            case Counted():
                return Timeline((Phase("steady", None, shape.users, iterations=shape.iterations),))
            case Burst():
                calm = Phase("calm", shape.before_s, shape.low)
                return Timeline((calm, Phase("burst", shape.during_s, shape.high)))
        raise AssertionError(shape)

    def request_metrics(self, api: str, request: RequestSettings | None = None) -> tuple[Metric, ...]:
        return request_metrics("generate", ("upload", "queue"))

    def monitor_metrics(self, kind: str) -> tuple[Metric, ...]:
        return ()

    def one_user_alone(self, service: Service) -> str:
        return ""

    def labels(self, service: Service) -> dict[str, tuple[str, ...]]:
        return {"grade": tuple(service.request.model_dump().get("grades", ()))}

    def require(self, wing: str, name: str) -> None:
        self._known(
            dict.fromkeys(("generation3d", "html", "junit", "results_json", "suite_json", "markdown"), 0),
            name,
            wing,
        )

    def _known(self, known: dict[str, Any], name: str, wing: str) -> Any:
        if name not in known:
            raise ConfigError(f"no '{name}' in {wing}/", remedy=f"use one of: {', '.join(known)}")
        return known[name]


SMALL = """\
service:
  api: jobs
  timeout: 300s
locustfile: generation3d
monitors:
  page: {interval: 5s}
scenarios:
  calm:
    shape: {kind: steady, users: 3, duration: 10min}
    criteria:
      fast: generate.duration.p95 < 120s
  burst:
    shape: {kind: burst, high: 9}
    criteria:
      errors: generate.error_rate{phase=burst} < 10%
"""


@pytest.fixture
def wings() -> FakeWings:
    return FakeWings()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a suite file and return its path."""

    def write(text: str | bytes = SMALL, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def load(tmp_path: Path, wings: FakeWings) -> Callable[..., Suite]:
    """Load a suite by name or path from the temporary folder."""

    def load(name: object, *overrides: str) -> Suite:
        return load_suite(str(name), folders=[tmp_path], overrides=overrides, wings=wings).suite

    return load
