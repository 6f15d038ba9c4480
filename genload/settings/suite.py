"""A suite: which service, which load, which criteria. Frozen models; YAML is read by `loader`.

Three parts are described by wing files: a scenario's `shape`, the service's `request` (which a scenario may
have its own keys of) and each monitor.
Their own settings models are found by name through the validation context (`WingModels`); without one,
as when a finished run is read again, their values are kept as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    PositiveInt,
    SerializeAsAny,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from genload.errors import ConfigError
from genload.settings.catalogue import Metric
from genload.settings.contract import Reconcile
from genload.settings.criteria.criterion import Criterion
from genload.settings.identity import Identity
from genload.settings.model import Settings
from genload.settings.phases import Timeline
from genload.settings.price import GpuHourCost
from genload.settings.secrets import Headers, refuse_secret_in_url
from genload.settings.units import Bytes, Ratio, RealSeconds, SamplingSeconds, Seconds, TransportSeconds

# Names of suites and scenarios become names of folders and files; a scenario's is a step of `--set a.b=c`.
SuiteName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]
ScenarioName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]


def _not_the_verdicts_own(name: str) -> str:
    if name == "overall":
        raise PydanticCustomError(
            "name", "'overall' is the verdict's own entry", {"remedy": "choose another name"}
        )
    return name


# `overall` is the verdict's own entry beside the criteria in results_<scenario>.json.
CriterionName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$"), AfterValidator(_not_the_verdicts_own)
]


class ShapeSettings(Settings):
    """Base of a shape's parameters: ``shape: {kind: spike, low: 2, …}``."""

    kind: str
    """Name of a file in shapes/."""


class RequestSettings(Settings):
    """Base of what a service file wants to know about each request (``request: {format: stl}``)."""

    @classmethod
    def laid_on(cls, base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
        """A scenario's keys laid on the service's: mappings key by key, everything else replaced."""
        merged = dict(base)
        for key, value in over.items():
            below = merged.get(key)
            if isinstance(below, Mapping) and isinstance(value, Mapping):
                merged[key] = RequestSettings.laid_on(below, value)
            else:
                merged[key] = value
        return merged


class MonitorSettings(Settings):
    """Base of a monitor's settings."""

    labels: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The labels of its series, each with the beginnings of the metrics that have it; `ANY_LABEL` when only
    its source knows them."""

    interval_s: SamplingSeconds = 1.0
    """Time between two samples."""


class _KeptShape(ShapeSettings, extra="allow"):
    """A shape read back without its wing file: its values as they stand."""


class _KeptRequest(RequestSettings, extra="allow"):
    pass


class _KeptMonitor(MonitorSettings, extra="allow"):
    pass


class WingModels(Protocol):
    """What the wing files declare, by name; each method raises ConfigError for an unknown name."""

    def shape(self, kind: str) -> type[ShapeSettings]: ...

    def request(self, api: str) -> type[RequestSettings]: ...

    def monitor(self, name: str) -> type[MonitorSettings]: ...

    def timeline(self, shape: ShapeSettings) -> Timeline:
        """The phases of a shape's settings; raises ValueError for settings that make no sense together."""
        ...

    def request_metrics(self, api: str) -> tuple[Metric, ...]:
        """Every metric of the service's operation, its stages among them."""
        ...

    def labels(self, service: Service) -> Mapping[str, tuple[str, ...]]:
        """The labels of the records that its requests make, with the values they can have; none: any."""
        ...

    def require(self, wing: str, name: str) -> None:
        """Check that a wing (``locustfiles``, ``reports``) has a file of that name."""
        ...


_Model = TypeVar("_Model", bound=Settings)
_Found = TypeVar("_Found")


def _wing_models(info: ValidationInfo) -> WingModels | None:
    return info.context.get("wings") if isinstance(info.context, Mapping) else None


def _found(find: Callable[[str], _Found], name: str) -> _Found:
    """What `find` has by that name; an unknown name becomes an error of the field that gave it."""
    try:
        return find(name)
    except ConfigError as error:
        reason = f"{error.file}: {error.message}" if error.file else error.message
        raise PydanticCustomError("wing", "{reason}", {"reason": reason, "remedy": error.remedy}) from error


def _declared(model: type[_Model], value: Any, info: ValidationInfo) -> _Model:
    # Only YAML names here: a suite is the one place where values carry their units.
    return model.model_validate(value, context=info.context, by_alias=True, by_name=False)


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
    follow_redirects: Annotated[int, Field(ge=0, le=20)] = 0
    """How many redirects of one request are followed, on the service's own scheme, host and port only. Its
    time is theirs together."""
    identity: Identity = {}
    """Where it stands what is tested, for the first lines of every report."""
    headers: Headers = {}
    """Sent with every request; secrets as ${env:NAME} or ${file:PATH}."""
    tls: Tls = Tls()
    poll: Poll = Poll()
    retry: Retry = Retry()
    images: str | None = None
    """A folder of the user's own input images; None: made and screened by genload."""
    # Validated though it is a default: the service's own model has the defaults that count.
    request: SerializeAsAny[RequestSettings] = Field(default=RequestSettings(), validate_default=True)

    @field_validator("host")
    @classmethod
    def _is_url(cls, host: str) -> str:
        refuse_secret_in_url(host)
        if not host.startswith(("http://", "https://", "${")):
            remedy = "write it as in http://127.0.0.1:5000"
            raise PydanticCustomError("host", "the host needs its scheme", {"remedy": remedy})
        return host

    @field_validator("request", mode="before")
    @classmethod
    def _declared_request(cls, value: Any, info: ValidationInfo) -> Any:
        wings = _wing_models(info)
        if type(value) is RequestSettings:
            value = {}
        if not isinstance(value, Mapping) or "api" not in info.data:
            return value
        model = _KeptRequest if wings is None else _found(wings.request, info.data["api"])
        return _declared(model, value, info)


class Warmup(Settings):
    """Requests made before the load by one user: recorded, shown, left out of every statistic."""

    jobs: Annotated[int, Field(ge=0)] = 1


class Scenario(Settings):
    """One load with its criteria."""

    purpose: str = ""
    shape: SerializeAsAny[ShapeSettings]
    request: SerializeAsAny[RequestSettings] | None = None
    """Keys of `service.request` that are others in this scenario; once read, all that its requests have."""
    warmup: Warmup = Warmup()
    think: Span | None = None
    """Pause before each request; none unless set."""
    failure_pause_s: Seconds = 10.0
    """Pause of a user whose job failed; it lowers the attempts, and so raises the error rate's error bar."""
    criteria: dict[CriterionName, Criterion] = {}

    @field_validator("shape", mode="before")
    @classmethod
    def _declared_shape(cls, value: Any, info: ValidationInfo) -> Any:
        wings = _wing_models(info)
        if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
            return value
        model = _KeptShape if wings is None else _found(wings.shape, value["kind"])
        return _declared(model, value, info)

    @field_validator("request", mode="before")
    @classmethod
    def _kept_request(cls, value: Any, info: ValidationInfo) -> Any:
        # Which model it has is the service's to say: the suite has put that in its place, if it could.
        return _declared(_KeptRequest, value, info) if isinstance(value, Mapping) else value


class Settle(Settings):
    """The pause between two scenarios of a suite."""

    pause_s: Seconds = 10.0
    idle_limit_s: Seconds = 300.0
    """How long to wait for the service's in-flight gauge to reach 0."""


class GiveUp(Settings):
    """When a load is ended because the service is beyond help; exit code 4. Never, unless set."""

    consecutive_failures: PositiveInt | None = None
    """So many requests in a row failed, of whatever user."""
    down_for_s: TransportSeconds | None = None
    """Requests got no answer, and since then the service was not ready once, for so long."""


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
    late_share: Ratio = 0.10
    """Largest delay p99 of an open schedule's starts: the largest lag, or this share of their interval."""
    burst_spread_floor_s: RealSeconds = 0.050
    burst_spread_share: Ratio = 0.10
    """Longest time over which a burst may start: the floor, or this share of its median duration."""
    max_cpu: Ratio = 0.90
    """Largest CPU share of one core that the client's process may use …"""
    max_cpu_for_s: RealSeconds = 5.0
    """… for this long."""
    min_coverage: Ratio = 0.95
    """Least share of its ticks that a monitor must have delivered for a criterion on it."""


def _monitor(name: str, settings: Any, info: ValidationInfo) -> Any:
    wings = _wing_models(info)
    if isinstance(settings, MonitorSettings):
        return settings
    return _declared(_KeptMonitor if wings is None else _found(wings.monitor, name), settings, info)


def _request_of_its_own(service: Service, own: Mapping[str, Any], info: ValidationInfo) -> RequestSettings:
    """What a scenario's requests have: the service's `request` with the scenario's own keys laid on it."""
    wings = _wing_models(info)
    model = _KeptRequest if wings is None else _found(wings.request, service.api)
    base = service.request.model_dump(mode="json", exclude_unset=True)
    return _declared(model, model.laid_on(base, own), info)


def _within(path: tuple[str, ...], error: ValidationError | PydanticCustomError) -> list[InitErrorDetails]:
    """A nested model's errors, placed at `path` of the mapping that holds it."""
    if isinstance(error, PydanticCustomError):
        return [InitErrorDetails(type=error, loc=path, input=None)]
    return [
        InitErrorDetails(
            type=PydanticCustomError(
                "nested", "{reason}", {**one.get("ctx", {}), "reason": one["msg"], "nested": one["type"]}
            ),
            loc=(*path, *one["loc"]),
            input=None,
        )
        for one in error.errors(include_url=False, include_input=False)
    ]


class Suite(Settings):
    """Everything a run needs to know."""

    name: SuiteName
    """The name of the suite's file unless set."""
    purpose: str = ""
    service: Service
    locustfile: str
    """Name of a file in locustfiles/, or a path."""
    monitors: dict[str, SerializeAsAny[MonitorSettings]] = {}
    """Settings by the name of a file in monitors/."""
    reports: tuple[str, ...] = ("results_json", "suite_json", "markdown", "junit")
    """Names of files in reports/, rendered after each scenario."""
    settle: Settle = Settle()
    give_up: GiveUp = GiveUp()
    reconcile: Reconcile = Reconcile()
    """Which metrics of the monitors count what the client counts too; compared at the end."""
    gpu_hour_cost: GpuHourCost | None = None
    """Price of one GPU for one hour, for the cost of an output."""
    validity: Validity = Validity()
    seed: int | None = None
    """Makes inputs and pauses repeatable; None draws one, which is recorded."""
    scenarios: Annotated[dict[ScenarioName, Scenario], Field(min_length=1)]

    @field_validator("locustfile", "reports")
    @classmethod
    def _exists(cls, value: Any, info: ValidationInfo) -> Any:
        wings = _wing_models(info)
        if wings is not None:
            wing = "locustfiles" if info.field_name == "locustfile" else "reports"
            for name in [value] if isinstance(value, str) else value:
                _found(partial(wings.require, wing), name)
        return value

    @field_validator("monitors", mode="before")
    @classmethod
    def _declared_monitors(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, Mapping):
            return value
        read: dict[str, Any] = {}
        problems: list[InitErrorDetails] = []
        for name, settings in value.items():
            try:
                read[name] = _monitor(name, {} if settings is None else settings, info)
            except (ValidationError, PydanticCustomError) as error:
                problems.extend(_within((name,), error))
        if problems:
            raise ValidationError.from_exception_data("monitors", problems)
        return read

    @field_validator("scenarios", mode="wrap")
    @classmethod
    def _requests_of_their_own(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        service: Service | None = info.data.get("service")
        problems: list[InitErrorDetails] = []
        read: dict[Any, Any] = dict(value) if isinstance(value, Mapping) and service is not None else {}
        for name, scenario in read.items():
            own = scenario.get("request") if isinstance(scenario, Mapping) else None
            if service is None or not isinstance(own, Mapping):
                continue
            request = None
            try:
                request = _request_of_its_own(service, own, info)
            except (ValidationError, PydanticCustomError) as error:
                problems += _within((name, "request"), error)
            read[name] = {**scenario, "request": request}
        try:
            scenarios = handler(read or value)
        except ValidationError as error:
            if not problems:
                raise
            problems += _within((), error)
        if problems:
            raise ValidationError.from_exception_data("scenarios", problems)
        return scenarios

    def service_of(self, scenario: str) -> Service:
        """The service as one scenario asks it: with that scenario's own `request`."""
        request = self.scenarios[scenario].request
        return self.service if request is None else self.service.model_copy(update={"request": request})
