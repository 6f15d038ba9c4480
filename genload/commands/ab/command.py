"""`genload ab`: two builds in turns, each run a run directory, and what the turns say of them together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genload.commands.compare.command import Points, Tolerance
from genload.commands.list_.listing import complete_target
from genload.commands.run.command import Overrides, Rehearsal, Results, Seed, TimeScale, Workers

Own = Annotated[
    list[str],
    typer.Option(help="Override a setting of this side alone. Repeatable.", metavar="KEY=VALUE"),
]


def ab(
    target: Annotated[
        str,
        typer.Argument(
            metavar="SUITE/SCENARIO",
            help="A name under config/suites or a YAML file's path, and its scenario.",
            autocompletion=complete_target,
        ),
    ],
    base: Annotated[str, typer.Option(help="URL of the service as it was.", metavar="URL")],
    new: Annotated[
        str | None,
        typer.Option(help="URL of the service as it is now; that of --base unless given.", metavar="URL"),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="Runs of each side; three or more make a verdict.", metavar="N")
    ] = 5,
    learn: Annotated[
        str | None,
        typer.Option(
            help="Of one build on both sides: keep how much its runs differ with this baseline.",
            metavar="NAME",
        ),
    ] = None,
    tolerance: Tolerance = "5%",
    points: Points = "2%",
    results: Results = Path("results"),
    time_scale: TimeScale = 1.0,
    rehearsal: Rehearsal = False,
    seed: Seed = None,
    overrides: Overrides = [],  # noqa: B006  typer hands over a new list each time
    set_base: Own = [],  # noqa: B006
    set_new: Own = [],  # noqa: B006
    workers: Workers = "auto",
) -> None:
    """Run a scenario against two builds in turns, and say whether the new one is worse.

    The turns are A B, B A, A B …, with a pause in between until the service is idle; both runs of a round
    send the same inputs. Each run is a run directory with its own verdict; the comparison is over the runs.
    The same URL twice (and no --set-new) is one build against itself: what differs is noise, which is
    learned. Ctrl-C ends the rounds, and what is complete is compared.

    Exit codes: 0 no regression, 1 regression, 2 wrong usage, 3 neither can be said, 4 a service was not ready
    or was given up, 130 interrupted.

    Examples:

        genload ab orfeas/peak --base http://gpu1:5000 --new http://gpu2:5000

        genload ab orfeas/peak --base http://gpu1:5000 --rounds 3 --learn main   # how much equal runs differ

        genload ab mine.yaml/heavy --base http://gpu1:8000 --set-new service.request.stream=sse
    """
    # Here, not above: `genload ab --help` needs none of it.
    from rich.console import Console

    from genload.commands.ab.asked_for import compare_settings, sides_of
    from genload.commands.ab.session import Session
    from genload.commands.run.command import number_of_workers
    from genload.targets import RunRequest

    console = Console(highlight=False)
    request = RunRequest(
        targets=(target,),
        results=results,
        time_scale=time_scale,
        rehearsal=rehearsal,
        seed=seed,
        overrides=tuple(overrides),
        workers=number_of_workers(workers),
    )
    with console.status("reading the suite"):
        sides = sides_of(request, (base, new or base), (set_base, set_new), learn)
        settings = compare_settings(sides, tolerance, points)
    raise typer.Exit(Session(sides, rounds, settings, learn, results, console).run())
