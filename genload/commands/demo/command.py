"""`genload demo`: the whole way once, without a service or a GPU of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from genload.targets import RunRequest, SuiteTarget


_SPECIFICATION, _SERVICE_TIME_S, _SLOTS = "orfeas", 82.0, 20


@dataclass(frozen=True, slots=True)
class Testbed:
    """What a suite of the demo runs against, as its service has it.

    Attributes:
        serve: options of ``genload serve``.
        scaled: it models time; a real engine takes it, and all the CPU that there is.
    """

    about: str
    serve: tuple[str, ...]
    scaled: bool = False


TESTBEDS = {
    "orfeas": Testbed(
        f"image to 3D, {_SLOTS} slots of a modelled GPU", ("--slots", str(_SLOTS)), scaled=True
    ),
    "speech": Testbed(
        "text to speech, a real engine",
        ("--api", "litetts", "--scrape-stall", "100ms"),
    ),
}
"""By the `api` of a suite's service."""


def demo(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]", help="Of the suites demo and demo_speech; all of both unless given."
        ),
    ] = None,
    results: Annotated[
        Path, typer.Option(help="Where run directories and reports go.", metavar="DIR")
    ] = Path("results"),
    time_scale: Annotated[
        float,
        typer.Option(
            help="Of image to 3D: 1 takes as long as on a real GPU, 87 minutes in all.", metavar="X"
        ),
    ] = 0.02,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeat an earlier demo.", metavar="N")] = None,
) -> None:
    """Run the five image-to-3D scenarios and the eight of speech against the built-in testbeds.

    The GPU of the first is a model, and its time is scaled; the speech is real, on this machine's CPU: a
    demonstration of genload, and no statement about any service.

    Examples:

        genload demo

        genload demo baseline spike            # two of image to 3D

        genload demo heavy demo_speech/sustained
    """
    # Here, not above: `genload demo --help` needs none of it.
    from rich.console import Console

    from genload.commands.run.ahead import Ahead
    from genload.commands.run.suite_run import run_suites
    from genload.targets import RunRequest

    console = Console(highlight=False)
    request = RunRequest(_chosen(scenarios or []), results=results, time_scale=time_scale, seed=seed)
    targets = _targets(request)
    if not scenarios:
        _show_plan(console)
    with Ahead() as ahead:
        code = run_suites(targets, console, ahead, partial(_served, console=console))
    raise typer.Exit(code)


def _show_plan(console: Console) -> None:
    """What the specification's own suite would come to on the demo's GPU: why the demo asks less of peak."""
    from genload.commands.plan.planning import Assumption, plans
    from genload.commands.plan.view import plans_view
    from genload.targets import RunRequest, checked

    [target] = checked(RunRequest((_SPECIFICATION,)))
    assumption = Assumption({"": _SERVICE_TIME_S}, {"": _SLOTS})
    found = [(name, plan) for name, _, plan in plans(target, assumption, 0)]
    how = f"--service-time {_SERVICE_TIME_S:g}s --slots {_SLOTS}"
    console.print(f"the specification's own suite, before any load: genload plan {_SPECIFICATION} {how}")
    console.print(plans_view(target.suite, found))


def _targets(request: RunRequest) -> list[SuiteTarget]:
    """The suites of the demo, checked; what has no modelled time is not scaled.

    Raises:
        UsageError, ConfigError: anything wrong with one of them.
    """
    from genload.errors import UsageError
    from genload.targets import checked

    found: list[SuiteTarget] = []
    for target in checked(request):
        api = target.suite.service.api
        if api not in TESTBEDS:
            raise UsageError(
                f"the demo has no testbed for {target.asked_for}, whose service is {api}",
                remedy=f"take it out of the demo's 'then', or: genload run {target.asked_for}",
            )
        scale = request.time_scale if TESTBEDS[api].scaled else 1.0
        found.append(replace(target, request=replace(request, time_scale=scale)))
    return found


@contextmanager
def _served(target: SuiteTarget, console: Console) -> Iterator[SuiteTarget]:
    """A testbed for a suite; the suite with its address."""
    from genload.commands.demo.testbed import running
    from genload.targets import checked

    testbed, scale = TESTBEDS[target.suite.service.api], target.request.time_scale
    modelled = ("--time-scale", repr(scale)) if testbed.scaled else ()
    console.print(f"starting the testbed: {testbed.about}{f', time scale {scale:g}' if modelled else ''}")
    with running([*testbed.serve, *modelled], yields=not testbed.scaled) as url:
        names = tuple(f"{target.asked_for}/{scenario}" for scenario in target.scenarios)
        [there] = checked(replace(target.request, targets=names, host=url))
        yield there


def _chosen(scenarios: Sequence[str]) -> tuple[str, ...]:
    """The targets; a name without its suite means every suite of the demo that has it.

    Raises:
        UsageError: none has it.
    """
    from genload import extensions
    from genload.errors import UsageError
    from genload.settings.loader import load_suite, scenario_names
    from genload.settings.suggestion import suggest

    folders = extensions.suite_folders()
    suites = ("demo", *load_suite("demo", folders=folders, wings=extensions.Wings()).then)
    if not scenarios:
        return suites
    there = [name for name in scenario_names(folders) if name.partition("/")[0] in suites]
    chosen: list[str] = []
    for scenario in scenarios:
        found = [name for name in there if scenario in (name, name.partition("/")[2])]
        if not found:
            names = [name.partition("/")[2] for name in there]
            raise UsageError(f"the demo has no scenario '{scenario}'", remedy=suggest(scenario, names))
        chosen += found
    return tuple(sorted(chosen, key=lambda name: suites.index(name.partition("/")[0])))
