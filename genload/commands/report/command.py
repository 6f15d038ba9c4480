"""`genload report`: judge what is recorded again, without any load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genload.commands.run.command import Baseline


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="A suite folder, or the run directory of one scenario."),
    ],
    criteria: Annotated[
        Path | None,
        typer.Option(
            help="Other criteria: YAML, NAME: RULE, or a mapping of them under each scenario.", metavar="FILE"
        ),
    ] = None,
    pool: Annotated[
        bool,
        typer.Option("--pool", help="Judge several runs of the same as one: more requests, one verdict."),
    ] = False,
    baseline: Baseline = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Each criterion with its rule and its evidence in a sentence."),
    ] = False,
) -> None:
    """Judge finished runs again and write their reports; the exit code is the verdict.

    A verdict is a pure function of what was recorded: the same again a year later, another by other
    criteria. The reports of a suite folder are written into it; those of one run directory into that; those
    by other criteria into a folder judged-by-NAME in it, beside the original ones; those of a pool into a
    folder beside the first run.

    Examples:

        genload report results/orfeas-20261121T140000Z

        genload report results/orfeas-20261121T140000Z --criteria stricter.yaml

        genload report results/orfeas-20261121T140000Z/spike --verbose

        genload report results/orfeas-20261121T* --pool

        genload report results/orfeas-20261121T140000Z --baseline main
    """
    # Here, not above: `genload report --help` needs none of it.
    from rich.console import Console

    from genload.analysis.later import reading_ahead
    from genload.runlog.layout import is_run_directory

    with Console(stderr=True).status("judging"), reading_ahead(folders[0]):
        from genload.commands.report.rejudging import judge_together, rejudge, show

        if pool:
            suite, files = judge_together(folders, criteria, baseline)
        else:
            suite, files = rejudge(_the_one(folders), criteria, baseline)
    show(suite, files, alone=all(map(is_run_directory, folders)), verbose=verbose)
    raise typer.Exit(suite.exit_code)


def _the_one(folders: list[Path]) -> Path:
    from genload.errors import UsageError

    if len(folders) > 1:
        raise UsageError(
            f"{len(folders)} folders were named",
            remedy="judge them as one with --pool, against each other with genload compare, or one by one",
        )
    return folders[0]
