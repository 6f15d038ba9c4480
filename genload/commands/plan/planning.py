"""From the options of `genload plan` to the plans of a suite's scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def assumed(suite: Suite, service_time: str | None, slots: int | None, run: Path | None) -> AssumedService:
    """The service that the options speak of.

    Raises:
        UsageError: they say too little, too much or what cannot be.
        RunDirectoryError: there is no run that can be read.
    """
    if (service_time is None) == (run is None):
        raise UsageError(
            "a plan needs to know how long the service takes"
            if run is None
            else "--service-time and --from both say how long the service takes",
            remedy="say it with --service-time 82s --slots 3, or take it from an earlier run with --from DIR",
        )
    if slots is not None and not 1 <= slots <= MOST_SLOTS:
        raise UsageError(
            f"--slots {slots} is not in 1..{MOST_SLOTS}", remedy="use the number of jobs at once"
        )
    if run is not None:
        folders = [run] if is_run_directory(run) else run_directories(run)
        operation = extensions.attribute("services", suite.service.api, "Client").operation
        return observed_service(folders, operation, slots)
    return constant(_seconds(service_time or ""), slots or 1)


def plans(
    target: SuiteTarget,
    service: AssumedService,
    seed: int,
    begins: Callable[[str], None] = lambda name: None,
) -> Iterator[tuple[str, ScenarioPlan]]:
    """The plan of each scenario that was asked for, by the name it was asked for.

    Args:
        begins: told the name of each before it is made.

    Raises:
        UsageError: one of them has several populations, or is held to nothing that a plan knows.
    """
    for scenario in target.scenarios:
        name = f"{target.asked_for}/{scenario}"
        if target.suite.scenarios[scenario].populations:
            raise UsageError(
                f"{name} has several populations, and how they slow each other is not known before they run",
                remedy="plan each kind of users in a scenario of its own",
            )
        begins(name)
        yield name, plan_scenario(target.suite, scenario, service, seed)


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
