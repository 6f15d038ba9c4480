"""What one run is going to do: the suite resolved, the scenario chosen, the wings found."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from genload import extensions
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.parts import parts_of
from genload.settings.phases import Timeline
from genload.settings.scaling import scale
from genload.settings.scenario import Scenario
from genload.settings.scenario_catalogue import scenario_catalogue, with_fitting_monitors
from genload.settings.service import Service
from genload.settings.suite import Suite
from genload.shape import PhasedShape
from genload.targets import RunRequest, one_scenario


@dataclass(frozen=True)  # no slots: every user asks for its service, and what they share is made once
class RunPlan:
    """One scenario, ready to run.

    Attributes:
        suite: in force (scaled); `requested` is what the files say.
        asked_for: the suite's scenarios that are run one after the other, this one among them.
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
    asked_for: tuple[str, ...] = ()
    abort_on: str = ""  # "hopeless": end when a `must` criterion can no longer hold
    population: str = ""  # of the plan of one of several that are at work at the same time

    @cached_property
    def populations(self) -> tuple[RunPlan, ...]:
        """The plans of all that are at work at the same time, each as if it were alone; this one by itself
        where nobody else is. No two have the same inputs.
        """
        parts = parts_of(self.suite, self.scenario_name)
        if not parts[0].population:
            return (self,)
        return tuple(
            replace(self, suite=part.suite, population=part.population, seed=self.seed + place)
            for place, part in enumerate(parts)
        )

    @cached_property
    def scenario(self) -> Scenario:
        return self.suite.scenarios[self.scenario_name]

    @cached_property
    def service(self) -> Service:
        """The suite's, with the scenario's own `request`."""
        return self.suite.service_of(self.scenario_name)

    @cached_property
    def shape_class(self) -> type[PhasedShape]:
        shape: type[PhasedShape] = extensions.shape_class(self.scenario.shape.kind)
        return shape

    @cached_property
    def catalogue(self) -> Catalogue:
        """What the scenario's criteria may name."""
        return scenario_catalogue(self.suite, self.scenario_name, extensions.Wings())

    @cached_property
    def client_class(self) -> type[Any]:
        """A subclass of `ServiceClient`; of which kind, the locustfile's user class knows."""
        client: type[Any] = extensions.attribute("services", self.service.api, "Client")
        return client

    @cached_property
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


def make_plan(request: RunRequest, *, inputs_elsewhere: bool = False) -> RunPlan:
    """Resolve a request for one scenario, which is checked as `genload run` checks it.

    Args:
        inputs_elsewhere: the users and what they send are on other machines.

    Raises:
        UsageError, ConfigError: anything wrong in it, before any load is sent.
    """
    target, scenario = one_scenario(request, inputs_elsewhere=inputs_elsewhere)
    requested = target.suite
    seed = request.seed if request.seed is not None else requested.seed
    # A fresh seed for each run unless one is asked for: the same images again would be answered by any result
    # cache.
    seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    fitting = with_fitting_monitors(requested, [scenario])
    scaled = scale(fitting, request.time_scale, extensions.Wings())
    return RunPlan(
        suite=scaled.of_run(scenario, seed),
        requested=requested,
        scenario_name=scenario,
        seed=seed,
        salt=secrets.token_hex(8),
        time_scale=request.time_scale,
        rehearsal=request.rehearsal,
        strict=request.strict,
        asked_for=request.asked_for or (scenario,),
        abort_on=request.abort_on,
    )
