"""A suite: which service, which load, which criteria. Frozen models; YAML is read by `loader`.

Three parts are described by wing files: a scenario's `shape`, the service's `request` and each monitor.
Their own settings models are found by name through the validation context (`WingModels`); without one,
as when a finished run is read again, their values are kept as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol, Self

from pydantic import Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from genload.settings.criteria.criterion import Criterion
from genload.settings.model import Settings
from genload.settings.units import Bytes, Ratio, RealSeconds, Seconds, TransportSeconds


class ShapeSettings(Settings, extra="allow"):
    """Base of a shape's parameters: ``shape: {kind: spike, low: 2, …}``."""

    kind: str
    """Name of a file in shapes/."""


class RequestSettings(Settings, extra="allow"):
    """Base of what a service file wants to know about each request (``request: {format: stl}``)."""


class MonitorSettings(Settings, extra="allow"):
    """Base of a monitor's settings."""

    interval_s: Seconds = 1.0
    """Time between two samples."""


class WingModels(Protocol):
    """Finds the settings model that a wing file declares; raises ConfigError for an unknown name."""

    def shape(self, kind: str) -> type[ShapeSettings]: ...

    def request(self, api: str) -> type[RequestSettings]: ...

    def monitor(self, name: str) -> type[MonitorSettings]: ...


def _wing_models(info: ValidationInfo) -> WingModels | None:
    return info.context.get("wings") if isinstance(info.context, Mapping) else None


class Span(Settings):
    """A time drawn evenly from a range before each request; ``5s`` in YAML means always 5 s."""

    min_s: Seconds
    max_s: Seconds

    @model_validator(mode="before")
    @classmethod
    def _one_value(cls, value: Any) -> Any:
        return {"min": value, "max": value} if isinstance(value, str | int | float) else value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_s > self.max_s:
            raise ValueError("min is larger than max")
        return self


class Poll(Settings):
    """How often a job's state is asked for."""

    interval_s: Seconds = 2.0
    jitter: Ratio = 0.2
    """Each pause is drawn from interval × (1 ± jitter), so that users do not poll in step."""


class Retry(Settings):
    """What to do when the service refuses work for now (429, 503)."""

    max_retries: Annotated[int, Field(ge=0)] = 3
    default_wait_s: Seconds = 5.0
    """The pause when the service names none (`retry_after` or the Retry-After header)."""
    max_wait_s: Seconds = 60.0
    """The longest pause that a service may ask for."""


class Tls(Settings):
    """How a TLS service is verified, and with what the client shows itself."""

    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    verify: bool = True


class Service(Settings):
    """The service under test and how to talk to it."""

    api: str
    """Name of a file in services/."""
    host: str = "http://127.0.0.1:5000"
    timeout_s: Seconds = 300.0
    """The most that one job may take, from before its upload to the last byte of its download."""
    ready_timeout_s: TransportSeconds = 120.0
    """How long to wait for readiness before the load; afterwards the run ends with exit code 4."""
    connect_timeout_s: TransportSeconds = 10.0
    receive_timeout_s: TransportSeconds = 60.0
    """The longest silence on a connection that owes an answer."""
    max_answer_bytes: Bytes = float(256 * 2**20)
    headers: dict[str, str] = {}
    """Sent with every request; secrets as ${env:NAME} or ${file:PATH}."""
    tls: Tls = Tls()
    poll: Poll = Poll()
    retry: Retry = Retry()
    images: str | None = None
    """A folder of the user's own input images; None: made and screened by genload."""
    request: SerializeAsAny[RequestSettings] = RequestSettings()

    @field_validator("request", mode="before")
    @classmethod
    def _declared_request(cls, value: Any, info: ValidationInfo) -> Any:
        wings = _wing_models(info)
        if wings is None or not isinstance(value, Mapping) or "api" not in info.data:
            return value
        return wings.request(info.data["api"]).model_validate(value, context=info.context)


class Warmup(Settings):
    """Requests made before the load by one user: recorded, shown, left out of every statistic."""

    jobs: Annotated[int, Field(ge=0)] = 1


class Scenario(Settings):
    """One load with its criteria."""

    purpose: str = ""
    shape: SerializeAsAny[ShapeSettings]
    warmup: Warmup = Warmup()
    think: Span | None = None
    """Pause before each request; none unless set."""
    failure_pause_s: Seconds = 10.0
    """Pause of a user whose job failed; it lowers the attempts, and so raises the error rate's error bar."""
    criteria: dict[str, Criterion] = {}

    @field_validator("shape", mode="before")
    @classmethod
    def _declared_shape(cls, value: Any, info: ValidationInfo) -> Any:
        wings = _wing_models(info)
        if wings is None or not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
            return value
        return wings.shape(value["kind"]).model_validate(value, context=info.context)


class Settle(Settings):
    """The pause between two scenarios of a suite."""

    pause_s: Seconds = 10.0
    idle_limit_s: Seconds = 300.0
    """How long to wait for the service's in-flight gauge to reach 0."""


class Validity(Settings):
    """When a measurement is not sound enough to be judged."""

    min_user_seconds: Ratio = 0.95
    """Least share of the target's user-seconds that users were really working."""
    clock_bound_floor_s: RealSeconds = 0.005
    clock_bound_share: Ratio = 0.01
    """Largest clock uncertainty: the floor, or this share of the median duration if that is more."""
    lag_floor_s: RealSeconds = 0.010
    lag_share: Ratio = 0.01
    """Largest scheduling lag p99: the floor, or this share of the smallest time threshold judged."""
    max_cpu: Ratio = 0.90
    """Largest CPU share of one core that the client's process may use …"""
    max_cpu_for_s: RealSeconds = 5.0
    """… for this long."""
    min_coverage: Ratio = 0.95
    """Least share of its ticks that a monitor must have delivered for a criterion on it."""


class Suite(Settings):
    """Everything a run needs to know."""

    name: str
    purpose: str = ""
    service: Service
    locustfile: str
    """Name of a file in locustfiles/, or a path."""
    monitors: dict[str, SerializeAsAny[MonitorSettings]] = {}
    """Settings by the name of a file in monitors/."""
    reports: tuple[str, ...] = ("results_json", "markdown", "junit")
    """Names of files in reports/, rendered after each scenario."""
    settle: Settle = Settle()
    validity: Validity = Validity()
    seed: int | None = None
    """Makes inputs and pauses repeatable; None draws one, which is recorded."""
    scenarios: dict[str, Scenario]

    @field_validator("monitors", mode="before")
    @classmethod
    def _declared_monitors(cls, value: Any, info: ValidationInfo) -> Any:
        wings = _wing_models(info)
        if wings is None or not isinstance(value, Mapping):
            return value
        return {
            name: wings.monitor(name).model_validate(
                {} if settings is None else settings, context=info.context
            )
            for name, settings in value.items()
        }
