"""`genload report`: judge what is recorded again, without any load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A suite folder, or the run directory of one scenario."),
    ],
    criteria: Annotated[
        Path | None,
        typer.Option(
            help="Other criteria: YAML, NAME: RULE, or a mapping of them under each scenario.", metavar="FILE"
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Each criterion with its rule and its evidence in a sentence."),
    ] = False,
) -> None:
    """Judge finished runs again and write their reports; the exit code is the verdict.

    A verdict is a pure function of what was recorded: the same again a year later, another by other
    criteria. The reports of a suite folder are written into it; those of one run directory into that; those
    by other criteria into a folder judged-by-NAME in it, beside the original ones.

    Examples:

        genload report results/orfeas-20261121T140000Z

        genload report results/orfeas-20261121T140000Z --criteria stricter.yaml

        genload report results/orfeas-20261121T140000Z/spike --verbose
    """
    # Here, not above: `genload report --help` needs none of it.
    from rich.console import Console

    with Console(stderr=True).status("judging"):
        from genload.commands.report.rejudging import rejudge, show
        from genload.reporting import is_run_directory

        suite, files = rejudge(folder, criteria)
    show(suite, files, alone=is_run_directory(folder), verbose=verbose)
    raise typer.Exit(suite.exit_code)
