"""`genload compare`: is the new build worse?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_RUNS = "A run directory, a suite folder, or a folder with several."

# Two builds are compared alike wherever they come from: `genload ab` has these two as well.
Tolerance = Annotated[
    str, typer.Option(metavar="SHARE", help="By how much it may be worse: a share of the base's value.")
]
Points = Annotated[
    str, typer.Option(metavar="SHARE", help="The same of rates and shares: 2% lets 1 % of errors become 3 %.")
]


def compare(
    base: Annotated[
        Path | None,
        typer.Argument(metavar="BASE", help=f"The known build. {_RUNS} Alone: both sides of a `genload ab`."),
    ] = None,
    new: Annotated[Path | None, typer.Argument(metavar="NEW", help=f"The new build. {_RUNS}")] = None,
    more_base: Annotated[
        list[Path], typer.Option("--base", metavar="DIR", help="One more run of the known build; repeat it.")
    ] = [],  # noqa: B006  typer hands over a new list each time
    more_new: Annotated[
        list[Path], typer.Option("--new", metavar="DIR", help="One more run of the new build; repeat it.")
    ] = [],  # noqa: B006
    tolerance: Tolerance = "5%",
    points: Points = "2%",
    judge: Annotated[
        list[str],
        typer.Option(
            metavar="METRIC",
            help="What is judged, as a criterion names it; repeat it. Unless given: mean, p50 and p95 of the "
            "duration, error rate, throughput, and what the scenario's criteria name.",
        ),
    ] = [],  # noqa: B006
    noise: Annotated[
        list[Path],
        typer.Option(metavar="FILE", help="The noise of equal builds, as `genload ab` has learned it."),
    ] = [],  # noqa: B006
    allow_different: Annotated[
        bool,
        typer.Option(
            "--allow-different", help="Compare runs on another GPU, with other settings or another seed, too."
        ),
    ] = False,
    html: Annotated[bool, typer.Option("--html", help="Write compare.html, to look at.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Write compare.json.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write compare.md, for a pull request.")
    ] = False,
    junit: Annotated[bool, typer.Option("--junit", help="Write compare-junit.xml, for CI.")] = False,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where these go; NEW's folder, or that of the rounds, unless given."
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Why each result is what it is, and what is not judged.")
    ] = False,
) -> None:
    """Compare two builds by their runs: is the new one slower, does it break more, take more memory?

    The run is the unit: three runs a side are needed for a verdict, or a noise floor. Each scenario is
    compared with its namesake. Exit code 0: no regression, and that is shown; 1: a regression; 3: it cannot
    be told; 2: what was named cannot be compared.

    Examples:

        genload compare results/orfeas-20261121T140000Z results/orfeas-20261128T140000Z

        genload compare results/ab-orfeas-spike-20261128T140000Z --html --tolerance 3%

        genload compare --base A1 --base A2 --base A3 --new B1 --new B2 --new B3

        genload compare main/spike results/spike --judge generate.faces.mean --judge gpu.memory_used.max
    """
    # Here, not above: `genload compare --help` needs none of it.
    from rich.console import Console

    from genload.commands.compare.asked import asked_sides, noise_floors, share

    ours, theirs = asked_sides(base, new, more_base, more_new)
    both = base if new is None and not more_new else None  # the folder of a `genload ab`
    kinds = [
        kind
        for kind, wanted in {"html": html, "json": json, "markdown": markdown, "junit": junit}.items()
        if wanted
    ]
    allowed, in_points = share("--tolerance", tolerance), share("--points", points)
    with Console(stderr=True).status("comparing"):
        from genload.analysis.comparison import CompareSettings, compare_suites
        from genload.commands.compare.view import comparison_view
        from genload.reporting.comparison import write_comparison

        settings = CompareSettings(
            tolerance=allowed, points=in_points, judge=tuple(judge), allow_different=allow_different
        )
        found = compare_suites(ours, theirs, settings, noise_floors(noise))
        files = write_comparison(found, into or both or theirs[-1], kinds) if kinds else []
    Console(highlight=False).print(comparison_view(found, files, verbose=verbose))
    raise typer.Exit(found.exit_code)
