"""`genload baseline`: runs that later ones are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

baseline = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Keep runs that later ones are compared with.

    A baseline is a name, such as main, and for each scenario one run or several. `genload run --baseline
    main`, `genload report --baseline main` and `baseline: main` in a suite compare with it. Baselines are in
    the folder `baselines` of the working directory.
    """,
)


@baseline.command()
def promote(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Suite folders, run directories, or rounds of equal builds."),
    ],
    name: Annotated[str, typer.Option(help="The baseline's name.", metavar="NAME")] = "main",
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Let runs at a time scale, or forced ones, be a baseline.")
    ] = False,
) -> None:
    """Make finished runs the baseline, in the place of what it was.

    Several runs of a scenario are one baseline: three or more show how much equal runs differ. Copied is what
    judging reads, and not the outputs that were kept. Exit code 0, or 2: nothing is changed then.

    Examples:

        genload baseline promote results/orfeas-20261121T140000Z

        genload baseline promote results/orfeas-20261121T* --name release-1.4

        genload baseline promote results/ab-orfeas-spike-20261121T140000Z    # rounds of one build
    """
    # Here, not above: `genload baseline --help` needs none of it.
    from rich.console import Console
    from rich.text import Text

    from genload.commands.baseline.promotion import promote as make_baseline

    with Console(stderr=True).status("reading the runs"):
        done = make_baseline(folders, name, rehearsal=rehearsal)
    console = Console(highlight=False)
    for each in done:
        before = f", in the place of {each.replaced}" if each.replaced else ""
        runs = f"{each.runs} run{'s' if each.runs != 1 else ''}"
        console.print(
            Text(f"{name}: {each.suite}/{each.scenario}: {runs}{before}, in {each.place}"), soft_wrap=True
        )
        for remark in each.remarks:
            console.print(Text(f"  note: {remark}", "yellow"), soft_wrap=True)
    console.print(Text(f"compare with it: genload run … --baseline {name}"), soft_wrap=True)


@baseline.command("list")
def list_baselines() -> None:
    """List the baselines: their scenarios, how many runs each has, and when its noise was learned."""
    from rich.console import Console

    from genload.commands.baseline.view import list_view
    from genload.reporting.baselines import baselines

    Console(highlight=False).print(list_view(list(baselines())))


@baseline.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="A baseline, such as main.")]) -> None:
    """Show one baseline: its runs with their numbers, what was tested, and the noise of equal builds."""
    from rich.console import Console

    from genload.commands.baseline.view import baseline_view
    from genload.errors import UsageError
    from genload.reporting.baselines import baselines
    from genload.settings.suggestion import suggest

    every = list(baselines())
    found = [each for each in every if each.name == name]
    if not found:
        names = list(dict.fromkeys(each.name for each in every))
        raise UsageError(
            f"there is no baseline '{name}'",
            remedy=suggest(name, names) if names else f"genload baseline promote DIR --name {name}",
        )
    console = Console(highlight=False)
    for each in found:
        console.print(baseline_view(each))
