"""What `genload run` was asked for: suites and their scenarios, all of it checked before any load."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genload import extensions
from genload.beginning import check_beginning
from genload.errors import UsageError
from genload.runlog.layout import check_results_folder
from genload.settings.loader import LoadedSuite, load_suite, split_target
from genload.settings.service import Service
from genload.settings.suggestion import suggest
from genload.settings.suite import Suite


@dataclass(frozen=True, slots=True)
class Request:
    """The options of `genload run`; they mean the same to the Locust processes it starts."""

    targets: tuple[str, ...]
    host: str | None = None
    results: Path = Path("results")
    time_scale: float = 1.0
    rehearsal: bool = False
    seed: int | None = None
    overrides: tuple[str, ...] = ()
    strict: bool = False
    abort_on: str = ""

    def at(self, host: str) -> Request:
        """The same against another service."""
        return replace(self, host=host)


@dataclass(frozen=True, slots=True)
class SuiteTarget:
    """One suite, and those of its scenarios that are to be run, in order.

    `asked_for` is the suite as the command line named it: a name or a path.
    """

    asked_for: str
    suite: Suite
    scenarios: tuple[str, ...]


def checked(request: Request) -> list[SuiteTarget]:
    """The suites of a request; targets of the same suite together, each scenario once.

    Raises:
        UsageError, ConfigError: anything wrong with it.
    """
    _check_time_scale(request.time_scale)
    check_results_folder(request.results)
    wanted: dict[str, list[str | None]] = {}
    for target in request.targets:
        name, scenario = split_target(target)
        wanted.setdefault(name, []).append(scenario)
    overrides = list(request.overrides)
    if request.host is not None:
        overrides.append(f"service.host={request.host}")
    return [_suite_target(name, scenarios, overrides) for name, scenarios in wanted.items()]


def _suite_target(name: str, wanted: Sequence[str | None], overrides: Sequence[str]) -> SuiteTarget:
    suite = _load(name, overrides).suite
    scenarios: dict[str, None] = {}
    for scenario in wanted:
        if scenario is not None and scenario not in suite.scenarios:
            raise UsageError(
                f"there is no scenario '{scenario}' in suite {name}",
                remedy=suggest(scenario, suite.scenarios),
            )
        scenarios |= dict.fromkeys(suite.scenarios if scenario is None else [scenario])
    client_class = extensions.attribute("services", suite.service.api, "Client")
    checked: list[Service] = []
    for service in map(suite.service_of, scenarios):
        if service not in checked:  # most scenarios ask the same way
            check_beginning(client_class, service)
            checked.append(service)
    return SuiteTarget(name, suite, tuple(scenarios))


def _load(name: str, overrides: Sequence[str]) -> LoadedSuite:
    folders = [folder / "suites" for folder in extensions.folders("config")]
    return load_suite(name, folders=folders, wings=extensions.Wings(), overrides=overrides)


def _check_time_scale(factor: float) -> None:
    if not (math.isfinite(factor) and 0 < factor <= 1):
        raise UsageError(
            f"--time-scale {factor:g} is not in 0..1",
            remedy="use a factor such as 0.02: 82 s become 1.64 s; leave the option out for real time",
        )
