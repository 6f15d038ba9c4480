"""What is at work in a scenario: it alone, or each of its populations as if that were alone."""

from __future__ import annotations

from dataclasses import dataclass

from genload.settings.scenario import Scenario
from genload.settings.suite import Suite


@dataclass(frozen=True, slots=True)
class Part:
    """A scenario without populations, or one of the populations of a scenario.

    Attributes:
        suite: with the part's own service and locustfile, and with no more in the scenario than it has.
        population: its name; "" of a scenario without populations.
    """

    suite: Suite
    scenario: str
    population: str = ""

    @property
    def load(self) -> Scenario:
        """What it says."""
        return self.suite.scenarios[self.scenario]

    @property
    def path(self) -> list[str]:
        """The keys of the suite that lead to it."""
        return ["scenarios", self.scenario, *(["populations", self.population] if self.population else ())]


def parts_of(suite: Suite, scenario: str) -> tuple[Part, ...]:
    """The parts of one scenario, in their order."""
    populations = suite.scenarios[scenario].populations
    if not populations:
        return (Part(suite, scenario),)
    return tuple(Part(suite.narrowed(scenario, name), scenario, name) for name in populations)
