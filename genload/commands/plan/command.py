"""`genload plan`: what a load would come to, and what its criteria can show, before any of it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genload.commands.list_.listing import complete_target
from genload.commands.run.command import Overrides


def plan(
    suites: Annotated[
        list[str],
        typer.Argument(
            metavar="SUITE[/SCENARIO]",
            help="A name under config/suites or a YAML file's path, and which scenario.",
            autocompletion=complete_target,
        ),
    ],
    service_time: Annotated[
        list[str],
        typer.Option(
            help="How long the service works on one request, such as 82s; of a population, speech=2s.",
            metavar="[POPULATION=]TIME",
        ),
    ] = [],  # noqa: B006  typer hands over a new list each time
    slots: Annotated[
        list[str],
        typer.Option(
            help="How many it works on at once; 1, or as the earlier run saw it, unless given.",
            metavar="[POPULATION=]N",
        ),
    ] = [],  # noqa: B006
    run: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Take service times, slots and failures from an earlier run: its directory or its suite's.",
            metavar="RUN",
        ),
    ] = None,
    overrides: Overrides = [],  # noqa: B006  typer hands over a new list each time
    seed: Annotated[int, typer.Option(min=0, help="Other draws of pauses and times.", metavar="N")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 when a criterion that must hold cannot.")
    ] = False,
) -> None:
    """Simulate a suite's load against an assumed service, and say what its criteria could show.

    Nothing is sent. Each scenario's own timeline is simulated: users, pauses, polls, the queue of the
    service. Its requests are then judged as those of a real run are; each population as if it were alone.
    Exit code 0; with --strict 1 when a criterion that must hold cannot.

    Examples:

        genload plan orfeas --service-time 82s --slots 3

        genload plan mine.yaml/peak --service-time 40s --set scenarios.peak.shape.users=8

        genload plan orfeas --from results/orfeas-20261121T140000Z --strict

        genload plan tenants --service-time generation3d=82s --service-time speech=2s --slots speech=4
    """
    # Here, not above: `genload plan --help` needs none of it.
    from rich.console import Console

    from genload.commands.plan.planning import Assumption, plans
    from genload.commands.plan.view import plan_view, plans_view, told
    from genload.targets import RunRequest, checked

    console, assumption = Console(highlight=False), Assumption.of(service_time, slots, run)
    with Console(stderr=True).status("reading the suite") as status:
        targets = checked(RunRequest(tuple(suites), overrides=tuple(overrides)))
        lost = False
        for target in targets:
            found, of = [], None
            made = plans(target, assumption, seed, lambda name: status.update(f"planning {name}"))
            for name, service, each in made:
                if service is not of:
                    is_population = bool(target.suite.scenarios[each.name].populations)
                    console.print(told(service, name if is_population else ""))
                    of = service
                console.print(plan_view(name, each))
                found.append((name, each))
                lost = lost or bool(each.lost)
            console.print(plans_view(target.suite, found))
    raise typer.Exit(int(strict and lost))
