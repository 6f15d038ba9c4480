"""What one run is going to do: the suite resolved, the scenario chosen, the wings found."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from typing import Any

from genload import extensions
from genload.errors import UsageError
from genload.settings.loader import load_suite, split_target
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.phases import Timeline
from genload.settings.scaling import scale
from genload.settings.scenario_catalogue import scenario_catalogue, with_fitting_monitors
from genload.settings.service import Service
from genload.settings.suite import Scenario, Suite
from genload.shape import PhasedShape


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the command line or the web form asked for."""

    target: str  # suite/scenario; a suite is a name or a path
    host: str | None = None
    time_scale: float = 1.0
    rehearsal: bool = False
    seed: int | None = None
    overrides: tuple[str, ...] = ()
    strict: bool = False
    abort_on: str = ""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One scenario, ready to run.

    Attributes:
        suite: in force (scaled); `requested` is what the files say.
        salt: new for each run, also for one that repeats an earlier one's seed: with it in a text, no cache
            of the service has an answer.
    """

    suite: Suite
    requested: Suite
    scenario_name: str
    seed: int
    salt: str
    time_scale: float = 1.0
    rehearsal: bool = False
    strict: bool = False
    abort_on: str = ""  # "hopeless": end when a `must` criterion can no longer hold

    @property
    def scenario(self) -> Scenario:
        return self.suite.scenarios[self.scenario_name]

    @property
    def service(self) -> Service:
        """The suite's, with the scenario's own `request`."""
        return self.suite.service_of(self.scenario_name)

    @property
    def shape_class(self) -> type[PhasedShape]:
        shape: type[PhasedShape] = extensions.shape_class(self.scenario.shape.kind)
        return shape

    @property
    def catalogue(self) -> Catalogue:
        """What the scenario's criteria may name."""
        return scenario_catalogue(self.suite, self.scenario_name, extensions.Wings())

    @property
    def client_class(self) -> type[Any]:
        """A subclass of `ServiceClient`; of which kind, the locustfile's user class knows."""
        client: type[Any] = extensions.attribute("services", self.service.api, "Client")
        return client

    @property
    def timeline(self) -> Timeline:
        return self.shape_class.timeline(self.scenario.shape)

    def to_message(self) -> dict[str, Any]:
        """For a worker: everything but the secrets, which each machine reads for itself."""
        return {
            "suite": self.suite.model_dump(mode="json"),
            "scenario": self.scenario_name,
            "seed": self.seed,
            "salt": self.salt,
            "time_scale": self.time_scale,
        }

    @classmethod
    def from_message(cls, data: dict[str, Any]) -> RunPlan:
        suite = Suite.model_validate(data["suite"], context={"wings": extensions.Wings()})
        return cls(suite, suite, data["scenario"], data["seed"], data["salt"], data["time_scale"])


def make_plan(request: RunRequest) -> RunPlan:
    """Resolve a request.

    Raises:
        UsageError, ConfigError: anything wrong in it, before any load is sent.
    """
    if not 0 < request.time_scale <= 1:
        raise UsageError(
            f"--time-scale {request.time_scale:g} is not in 0..1",
            remedy="use a factor such as 0.02: 82 s become 1.64 s; leave the option out for real time",
        )
    name, scenario = split_target(request.target)
    wings = extensions.Wings()
    folders = extensions.suite_folders()
    host = request.host.rstrip("/") if request.host else None
    loaded = load_suite(name, folders=folders, overrides=request.overrides, wings=wings, host=host)
    requested = loaded.suite
    if scenario is None or scenario not in requested.scenarios:
        behind = {each: load_suite(each, folders=folders, wings=wings).suite for each in loaded.then}
        suites = {name: requested, **behind}
        known = ", ".join(f"{suite}/{each}" for suite in suites for each in suites[suite].scenarios)
        what = (
            f"no scenario '{scenario}' in suite {name}"
            if scenario
            else f"'{name}' names a suite, not a scenario"
        )
        raise UsageError(what, remedy=f"use one of: {known}")
    seed = request.seed if request.seed is not None else requested.seed
    return RunPlan(
        suite=scale(with_fitting_monitors(requested, [scenario]), request.time_scale, wings),
        requested=requested,
        scenario_name=scenario,
        # A fresh seed for each run unless one is asked for: the same images again would be answered by any
        # result cache.
        seed=random.SystemRandom().randrange(2**31) if seed is None else seed,
        salt=secrets.token_hex(8),
        time_scale=request.time_scale,
        rehearsal=request.rehearsal,
        strict=request.strict,
        abort_on=request.abort_on,
    )
