"""A suite: which service, which load, which criteria. Frozen models; YAML is read by `loader`.

Three parts are described by wing files: a scenario's `shape`, the service's `request` (which a scenario may
have its own keys of) and each monitor; see `wing_models`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Self, TypeVar

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
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticKnownError

from genload.settings.capacity import ARRIVALS, USERS, Capacity, search_model
from genload.settings.checklist import Checklist
from genload.settings.contract import Reconcile
from genload.settings.criteria.criterion import Criterion
from genload.settings.goodput import Limit
from genload.settings.laid_out import LaidOut
from genload.settings.model import Settings
from genload.settings.monitors import Monitors
from genload.settings.service import Service
from genload.settings.units import Ratio, RealSeconds, Seconds, TransportSeconds, parse_quantity
from genload.settings.wing_models import (
    KeptRequest,
    KeptShape,
    RequestSettings,
    ShapeSettings,
    declared,
    found,
    wing_models,
    within,
)
from genload.steadiness import LEAST_VALUES

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

OF_ALL = ("purpose", "shape")
"""What a scenario with populations says for all of them."""

# A step of `--set`, too, and a part of the names of files and of Locust's user classes.
PopulationName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]

NO_CRITERIA = (
    "the scenario has no criterion that must hold, so that it cannot pass: add one under `criteria`, or "
    "`observe: true` if it is only to be watched"
)


Goodput = Annotated[dict[str, Limit], Field(max_length=20)]


class Span(Settings):
    """A time drawn evenly from a range before each request; ``5s`` in YAML means always 5 s."""

    min_s: Seconds
    """The shortest such time."""
    max_s: Seconds
    """The longest such time; written as one value, both."""

    @model_validator(mode="before")
    @classmethod
    def _one_value(cls, value: Any) -> Any:
        return {"min": value, "max": value} if isinstance(value, str | int | float) else value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_s > self.max_s:
            raise ValueError("min is larger than max")
        return self


class Leave(Settings):
    """Who closes the connection in the middle of an answer: ``{share: 10%, after: {min: 0.5s, max: 3s}}``."""

    share: Annotated[Ratio, Field(le=1)]
    """Of all listeners; drawn by the seed and the request's number."""
    after: Span
    """From the request's start, drawn for each; whose answer is there by then hears it to its end."""


class Warmup(Settings):
    """Requests made before the load by one user: recorded, shown, left out of every statistic."""

    jobs: Annotated[int, Field(ge=0)] = 1
    """How many requests one user makes before the load; they are in no statistic."""
    until: Literal["steady"] | None = None
    """`steady`: it makes more of them until their durations have come to rest, and `at_most` so many."""
    at_most: PositiveInt = 50
    """The load then begins all the same, and the reports say so."""

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.until is not None and self.at_most < max(self.jobs, LEAST_VALUES):
            least = f"jobs, and than the {LEAST_VALUES} from which on it can be told"
            raise ValueError(f"at_most is {self.at_most}: it must not be less than {least}")
        return self

    @property
    def most(self) -> int:
        """The most requests it may have."""
        return self.jobs if self.until is None else max(self.jobs, self.at_most)


LEVELS = "levels"
"""The shape of a capacity: a file in shapes/."""

UNSHAPED = ShapeSettings(kind="")
"""In the place of a shape that is not there."""


class Load(Settings):
    """Users of one kind with their criteria."""

    purpose: str = ""
    """What it is for, in the reports."""
    capacity: Capacity | None = None
    """How much the service can hold, found by levels while the run goes on; in the place of a `shape`."""
    shape: Annotated[SerializeAsAny[ShapeSettings], Field(validate_default=True)] = UNSHAPED
    """When how many users are at work: `kind` names a file in shapes/, the other keys are its own."""
    request: SerializeAsAny[RequestSettings] | None = None
    """Keys of `service.request` that are others here; once read, all that its requests have."""
    warmup: Warmup = Warmup()
    idle_s: Seconds | None = None
    """After the warm-up a time without any request, and then one by itself: the cold start. None unless set.
    """
    think: Span | None = None
    """Pause before each request of the load; none unless set."""
    pace: Literal["playback"] | None = None
    """`playback`: a user listens to each answer to its end before its next request, and then thinks. Unless
    set, the next request follows the answer."""
    leave: Leave | None = None
    """Listeners who leave in the middle of an answer; their requests are neither successes nor failures."""
    failure_pause_s: Seconds | None = None
    """Pause of a user whose request failed; none unless set. A failing service then has less load: what is
    slept is no work, and is told beside the error rate."""
    criteria: dict[CriterionName, Criterion] = {}
    """What must hold. Without one that must, there is no verdict (exit code 3) unless `observe` is set."""
    goodput: Goodput | None = None
    """Limits of a request that counts as good; the suite's unless set."""
    observe: bool = False
    """Only to be watched: where nothing must hold, the exit code is 0."""

    @model_validator(mode="before")
    @classmethod
    def _to_hold(cls, value: Any) -> Any:
        """A capacity of its own criterion, unless it has one: that the lowest level holds."""
        search = value.get("capacity") if isinstance(value, Mapping) else None
        if not isinstance(search, Mapping) or search.get("of") not in ("users", "rate"):
            return value
        criteria = value.get("criteria")
        if isinstance(criteria, Mapping) and not any("capacity." in str(one) for one in criteria.values()):
            metric, first = (USERS, 1) if search["of"] == "users" else (ARRIVALS, None)
            try:
                lowest = parse_quantity(str(search.get("from", first))).text
            except ValueError:
                return value  # it is told where it stands
            return {**value, "criteria": {**criteria, "capacity": f"{metric} >= {lowest}"}}
        return value

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels that its requests have besides those of the service's own."""
        return {} if self.leave is None else {"listener": ("stays", "leaves")}

    @field_validator("capacity", mode="before")
    @classmethod
    def _declared_capacity(cls, value: Any, info: ValidationInfo) -> Any:
        return declared(search_model(value.get("of")), value, info) if isinstance(value, Mapping) else value

    @field_validator("shape", mode="before")
    @classmethod
    def _declared_shape(cls, value: Any, info: ValidationInfo) -> Any:
        wings = wing_models(info)
        given = value is not UNSHAPED and value is not None
        if "capacity" not in info.data:  # it is wrong, and told
            return UNSHAPED
        if (capacity := info.data["capacity"]) is not None:
            if given and (not isinstance(value, Mapping) or value.get("kind") != LEVELS):
                raise PydanticCustomError(
                    "capacity", "a scenario has a shape or a capacity", {"remedy": "take one of them out"}
                )
            # Its values are those of the capacity, also where a finished run is read again.
            model = KeptShape if wings is None else found(wings.shape, LEVELS)
            seed = value.get("seed") if isinstance(value, Mapping) else None
            return model.model_validate({"kind": LEVELS, "capacity": capacity, "seed": seed})
        if not given:
            raise PydanticKnownError("missing")
        if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
            return value
        model = KeptShape if wings is None else found(wings.shape, value["kind"])
        return declared(model, value, info)

    @field_validator("request", mode="before")
    @classmethod
    def _kept_request(cls, value: Any, info: ValidationInfo) -> Any:
        # Which model it has is the service's to say: the suite has put that in its place, if it could.
        return declared(KeptRequest, value, info) if isinstance(value, Mapping) else value


class Population(Load):
    """One of several kinds of users that are at work at the same time: all that a scenario says, and whom
    they ask. Its `shape` is the scenario's, as far as that counts its users, unless it has its own."""

    service: Service
    """The suite's unless set; one without a `host` has the suite's."""
    locustfile: str
    """Name of a file in locustfiles/, or a path; the suite's unless set."""

    @field_validator("capacity", mode="before")
    @classmethod
    def _has_no_capacity(cls, value: Any) -> Any:
        if value is not None:
            raise PydanticCustomError(
                "capacity",
                "a capacity is that of one kind of users alone",
                {"remedy": "put it into a scenario of its own, without populations"},
            )
        return value

    @field_validator("locustfile")
    @classmethod
    def _exists(cls, value: str, info: ValidationInfo) -> str:
        return _there("locustfiles", value, info)


class Scenario(Load):
    """One load with its criteria."""

    on_demand: bool = False
    """Run only when it is named, as ``suite/scenario``: the whole suite leaves it out."""
    populations: dict[PopulationName, Population] = {}
    """Kinds of users that are at work together, by name; the scenario itself has a purpose and a shape then,
    and each of them the rest."""


_Load = TypeVar("_Load", bound=Load)


class Settle(Settings):
    """The pause between two scenarios of a suite."""

    pause_s: Seconds = 10.0
    """The least pause between two scenarios."""
    idle_limit_s: Seconds = 300.0
    """How long to wait for the service's in-flight gauge to reach 0."""


class GiveUp(Settings):
    """When a load is ended because the service is beyond help; exit code 4. Never, unless set."""

    consecutive_failures: PositiveInt | None = None
    """So many requests in a row failed, of whatever user."""
    down_for_s: TransportSeconds | None = None
    """Requests got no answer, and since then the service was not ready once, for so long."""


class GpuHourCost(Settings):
    """``gpu_hour_cost: {amount: 2.5, currency: EUR}``"""

    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Price of one GPU for one hour."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,10}$")] = "EUR"
    """Its name, such as EUR or USD."""


class Validity(Settings):
    """When a measurement is not sound enough to be judged."""

    min_user_seconds: Ratio = 0.95
    """Least share of the target's user-seconds that users were really there for."""
    max_asleep: Ratio = 0.05
    """Largest share of them that users may sleep after failures, unless the suite asked for that pause."""
    clock_bound_floor_s: RealSeconds = 0.005
    """Largest clock uncertainty that is always allowed."""
    clock_bound_share: Ratio = 0.01
    """Largest clock uncertainty: the floor, or this share of the median duration if that is more."""
    lag_floor_s: RealSeconds = 0.010
    """Largest scheduling lag p99 that is always allowed."""
    lag_share: Ratio = 0.01
    """Largest scheduling lag p99: the floor, or this share of the smallest time threshold judged."""
    late_share: Ratio = 0.10
    """Largest delay p99 of an open schedule's starts: the largest lag, or this share of their interval."""
    burst_spread_floor_s: RealSeconds = 0.050
    """Time over which a burst may always start."""
    burst_spread_share: Ratio = 0.10
    """Longest time over which a burst may start: the floor, or this share of its median duration."""
    max_cpu: Ratio = 0.90
    """Largest CPU share of one core that the client's process may use …"""
    max_cpu_for_s: RealSeconds = 5.0
    """… for this long."""
    min_coverage: Ratio = 0.95
    """Least share of its ticks that a monitor must have delivered for a criterion on it."""


def _there(wing: str, name: str, info: ValidationInfo) -> str:
    """The name of a file of a wing, which must be there."""
    wings = wing_models(info)
    if wings is not None:
        found(partial(wings.require, wing), name)
    return name


def _warmed(scenario: Scenario, service: Service) -> Scenario:
    """The scenario with the warm-up that its requests need, unless it says its own."""
    if not scenario.populations:
        return _with_warmup(scenario, scenario.request or service.request)
    warmed = {
        name: _with_warmup(own, own.request or own.service.request)
        for name, own in scenario.populations.items()
    }
    return scenario.model_copy(update={"populations": warmed})


def _with_warmup(load: _Load, request: RequestSettings) -> _Load:
    jobs = request.warmup_jobs()
    warmup = load.warmup
    if jobs == warmup.jobs or "jobs" in warmup.model_fields_set:
        return load
    return load.model_copy(update={"warmup": warmup.model_copy(update={"jobs": jobs})})


def _without_populations(written: Any) -> Any:
    return {**written, "populations": {}} if isinstance(written, Mapping) else written


def _misplaced(name: str, scenario: Scenario) -> Iterator[InitErrorDetails]:
    """What a scenario with populations says itself, and each of them should."""
    if not scenario.populations:
        return
    for field_name, field in Load.model_fields.items():
        if field_name not in OF_ALL and getattr(scenario, field_name) != field.default:
            key, first = field.alias or field_name, next(iter(scenario.populations))
            remedy = f"write it below populations.{first}, and whichever others it is for"
            text = "a scenario with populations has none of its own: each population has"
            error = PydanticCustomError("misplaced", text, {"remedy": remedy})
            yield InitErrorDetails(type=error, loc=(name, key), input=None)


class Suite(Settings):
    """Everything a run needs to know."""

    name: SuiteName
    """The name of the suite's file unless set."""
    purpose: str = ""
    """What it is for, in the reports."""
    service: Service
    locustfile: str
    """Name of a file in locustfiles/, or a path."""
    monitors: Monitors = {}
    """By names of the suite's; `kind` names a file in monitors/, and is the name itself unless set."""
    reports: tuple[str, ...] = ("results_json", "suite_json", "html", "markdown", "junit")
    """Names of files in reports/, rendered when all scenarios have run."""
    settle: Settle = Settle()
    baseline: Annotated[str, StringConstraints(min_length=1, max_length=400)] | None = None
    """What each scenario is compared with when it has ended: a baseline's name (`genload baseline`), or a
    folder of runs. Exit code 1 when it got worse, 3 when that cannot be told. None unless set."""
    give_up: GiveUp = GiveUp()
    watch_idle_s: RealSeconds = 15.0
    """The most that is waited for memory's idle level: before the load, and again after it; 0: not at all."""
    reconcile: Reconcile = Reconcile()
    """Which metrics of the monitors count what the client counts too; compared at the end."""
    gpu_hour_cost: GpuHourCost | None = None
    """Price of one GPU for one hour, for the cost of an output."""
    goodput: Goodput = {}
    """Limits that a request keeps all at once that counts for `goodput` and `goodput_throughput`, by names of
    the operation's own metrics: `{ttfa: 300ms, duration: 5s}`."""
    validity: Validity = Validity()
    seed: int | None = None
    """Makes inputs and pauses repeatable; None draws one, which is recorded."""
    scenarios: Annotated[dict[ScenarioName, Scenario], Field(min_length=1)]
    checklist: Checklist = {}
    """Questions about the whole suite, under headings, that its reports answer."""
    then: tuple[str, ...] = ()
    """Suites that follow when all of this one is run: names, or paths beside the file."""

    @field_validator("locustfile")
    @classmethod
    def _locustfile_exists(cls, value: str, info: ValidationInfo) -> str:
        return _there("locustfiles", value, info)

    @field_validator("reports")
    @classmethod
    def _reports_exist(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return tuple(_there("reports", name, info) for name in value)

    @field_validator("scenarios", mode="wrap")
    @classmethod
    def _laid_out(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        service: Service | None = info.data.get("service")
        if not isinstance(value, Mapping):
            return handler(value)
        if service is None:  # its own errors are said, and populations cannot be without it
            return handler({name: _without_populations(own) for name, own in value.items()})
        laid = LaidOut(info, service)
        try:
            scenarios = handler(laid.scenarios(value))
        except ValidationError as error:
            if not laid.problems:
                raise
            laid.problems += within((), error)
        else:
            laid.problems += [problem for name in scenarios for problem in _misplaced(name, scenarios[name])]
        if laid.problems:
            raise ValidationError.from_exception_data("scenarios", laid.problems)
        return {name: _warmed(scenario, service) for name, scenario in scenarios.items()}

    def service_of(self, scenario: str) -> Service:
        """The service as one scenario asks it: with that scenario's own `request`."""
        request = self.scenarios[scenario].request
        return self.service if request is None else self.service.model_copy(update={"request": request})

    def goodput_of(self, scenario: str) -> Mapping[str, Limit]:
        """What makes a request of one scenario a good one."""
        own = self.scenarios[scenario].goodput
        return self.goodput if own is None else own

    def of_run(self, scenario: str, seed: int) -> Self:
        """This suite with what a scenario's shapes leave open, for a run of this seed."""
        own = self.scenarios[scenario]
        populations = {
            name: each.model_copy(update={"shape": each.shape.of_run(seed + place)})
            for place, (name, each) in enumerate(own.populations.items())
        }
        changed = own.model_copy(update={"shape": own.shape.of_run(seed), "populations": populations})
        return self._with(scenario, changed)

    def loads(self, scenario: str) -> Sequence[Load]:
        """The scenario's populations, or itself where there are none."""
        own = self.scenarios[scenario]
        return tuple(own.populations.values()) or (own,)

    def narrowed(self, scenario: str, population: str) -> Self:
        """This suite as it would be if one population were alone in the scenario.

        What is said of the suite's service (`reconcile`, `goodput`) is not said of another one.
        """
        whole = self.scenarios[scenario]
        own = whole.populations[population]
        fields = {name: getattr(own, name) for name in Load.model_fields}
        fields["purpose"] = own.purpose or whole.purpose
        suite = self._with(scenario, Scenario.model_construct(**fields))
        asked: dict[str, Any] = {"service": own.service, "locustfile": own.locustfile}
        if (own.service.api, own.service.host) != (self.service.api, self.service.host):
            asked |= {"reconcile": Reconcile(), "goodput": {}}
        return suite.model_copy(update=asked)

    def _with(self, name: str, scenario: Scenario) -> Self:
        return self.model_copy(update={"scenarios": {**self.scenarios, name: scenario}})
