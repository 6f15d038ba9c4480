"""A suite: which service, which load, which criteria. Frozen models; YAML is read by `loader`.

Three parts are described by wing files: a scenario's `shape`, the service's `request` (which a scenario may
have its own keys of) and each monitor; see `wing_models`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    PositiveInt,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from genload.settings.checklist import Checklist
from genload.settings.contract import Reconcile
from genload.settings.goodput import Limit
from genload.settings.laid_out import LaidOut
from genload.settings.model import Settings
from genload.settings.monitors import Monitors
from genload.settings.scenario import Goodput, Load, Scenario, file_there, misplaced, warmed
from genload.settings.service import Service
from genload.settings.units import Ratio, RealSeconds, Seconds, TransportSeconds
from genload.settings.wing_models import (
    within,
)

# Names of suites and scenarios become names of folders and files; a scenario's is a step of `--set a.b=c`.
SuiteName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]
ScenarioName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]


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


def _without_populations(written: Any) -> Any:
    return {**written, "populations": {}} if isinstance(written, Mapping) else written


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
        return file_there("locustfiles", value, info)

    @field_validator("reports")
    @classmethod
    def _reports_exist(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return tuple(file_there("reports", name, info) for name in value)

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
            laid.problems += [problem for name in scenarios for problem in misplaced(name, scenarios[name])]
        if laid.problems:
            raise ValidationError.from_exception_data("scenarios", laid.problems)
        return {name: warmed(scenario, service) for name, scenario in scenarios.items()}

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
