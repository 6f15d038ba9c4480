"""From the options of `genload plan` to the plans of a suite's scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genload import extensions
from genload.analysis.plan import AssumedService, ScenarioPlan, constant, observed_service, plan_scenario
from genload.errors import UsageError
from genload.runlog.layout import is_run_directory, run_directories
from genload.settings.criteria.ast import Dimension
from genload.settings.suite import Suite
from genload.settings.units import parse_quantity
from genload.targets import SuiteTarget

MOST_SLOTS = 100_000
_LONGEST_S = 30 * 86_400.0
_SHORTEST_S = 1e-4


@dataclass(frozen=True)
class Assumption:
    """What the options say of the services.

    Attributes:
        times_s: seconds that one works on a request: of a population by its name, of the suite's under "".
        slots: how many requests one works on at once, by the same names.
        run: the earlier run that tells what `times_s` does not.
    """

    times_s: Mapping[str, float]
    slots: Mapping[str, int]
    run: Path | None = None

    @classmethod
    def of(cls, service_times: Sequence[str], slots: Sequence[str], run: Path | None) -> Assumption:
        """From the options as they were given: `82s`, `speech=2s`.

        Raises:
            UsageError: they say too little, too much or what cannot be.
        """
        if bool(service_times) == (run is not None):
            raise UsageError(
                "a plan needs to know how long the service takes"
                if run is None
                else "--service-time and --from both say how long the service takes",
                remedy="say it with --service-time 82s --slots 3, or take it from an earlier run: --from DIR",
            )
        times = _by_name("--service-time", service_times)
        counts = _by_name("--slots", slots)
        return cls(
            {name: _seconds(text) for name, text in times.items()},
            {name: _slots(text) for name, text in counts.items()},
            run,
        )

    def check(self, target: SuiteTarget) -> None:
        """Raises: UsageError: something is said of a population that none of the scenarios has."""
        there = {name for each in target.scenarios for name in target.suite.scenarios[each].populations}
        for name in {**self.times_s, **self.slots}:
            if name and name not in there:
                of = f"its populations are {', '.join(sorted(there))}" if there else "it has no populations"
                raise UsageError(f"{target.asked_for} has no population {name}", remedy=f"{of}")

    def service(
        self, suite: Suite, name: str, population: str = "", *, is_suites: bool = True
    ) -> AssumedService:
        """The one that the users of a scenario meet, or one of its populations.

        Args:
            suite: with the population's service, if it is about one.
            name: what it is about, for people.
            is_suites: the population uses the suite's own service, of which it is said without a name.

        Raises:
            UsageError: nobody says how long it takes.
            RunDirectoryError: there is no run that can be read.
        """
        own = self.slots.get(population, self.slots.get("") if is_suites else None)
        if self.run is not None:
            folders = [self.run] if is_run_directory(self.run) else run_directories(self.run)
            operation = extensions.attribute("services", suite.service.api, "Client").operation
            return observed_service(folders, operation, own, population)
        time_s = self.times_s.get(population, self.times_s.get("") if is_suites else None)
        if time_s is None:
            raise UsageError(
                f"a plan needs to know how long the service of {name} takes",
                remedy=f"say it with --service-time {population}=2s --slots {population}=4",
            )
        return constant(time_s, own or 1)


def plans(
    target: SuiteTarget, assumption: Assumption, seed: int, begins: Callable[[str], None] = lambda name: None
) -> Iterator[tuple[str, AssumedService, ScenarioPlan]]:
    """The plan of each scenario that was asked for, and of each population of one, by its name in reports.

    A population is planned as if it were alone: how several slow each other is not known before they run.

    Args:
        begins: told the name of each before it is made.

    Raises:
        UsageError: nobody says how long a service takes, or one of them is held to nothing that a plan knows.
    """
    assumption.check(target)
    asked = list(_asked(target, assumption))  # all of it is known before the first is planned
    for name, suite, scenario, service in asked:
        begins(name)
        yield name, service, plan_scenario(suite, scenario, service, seed)


def _asked(target: SuiteTarget, assumption: Assumption) -> Iterator[tuple[str, Suite, str, AssumedService]]:
    """What is planned, by its name: a suite in which it is alone, its scenario, and its service."""
    suite, shared = target.suite, None
    for scenario in target.scenarios:
        name = f"{target.asked_for}/{scenario}"
        if not suite.scenarios[scenario].populations:
            shared = shared or assumption.service(suite, name)
            yield name, suite, scenario, shared
        for population in suite.scenarios[scenario].populations:
            alone = suite.narrowed(scenario, population)
            is_suites = (alone.service.api, alone.service.host) == (suite.service.api, suite.service.host)
            whose = f"{name}/{population}"
            yield whose, alone, scenario, assumption.service(alone, whose, population, is_suites=is_suites)


def _by_name(option: str, given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, _, value = text.rpartition("=")
        if name in found:
            of = f"of {name} " if name else ""
            raise UsageError(f"{option} is said {of}twice", remedy="say it once, or of a population: NAME=…")
        found[name] = value
    return found


def _slots(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_SLOTS:
        raise UsageError(f"--slots {text} is not in 1..{MOST_SLOTS}", remedy="use the number of jobs at once")
    return int(text)


def _seconds(text: str) -> float:
    try:
        quantity = parse_quantity(text)
    except ValueError as error:
        raise UsageError(f"--service-time: {error}", remedy="use a time such as 82s") from error
    if quantity.dimension is not Dimension.TIME or not _SHORTEST_S <= quantity.value <= _LONGEST_S:
        raise UsageError(
            f"--service-time {text} is no time from 0.1 ms to 30 d", remedy="use a time such as 82s"
        )
    return quantity.value
