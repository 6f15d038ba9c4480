"""`genload show`: which requests of a run were slow or failed, and one of them whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def show(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run directory, or the suite folder of one scenario.")
    ],
    request: Annotated[
        str | None,
        typer.Argument(
            metavar="REQUEST", help="Its request_id, or the service's job_id; the beginning is enough."
        ),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Those that failed, in the order written.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, help="How many are listed.", metavar="N")] = 10,
) -> None:
    """List the slowest requests of a run, or the failed ones; or show one as far as it was recorded.

    Of one request: its stages, the calls inside it, its numbers, what the service said, and where its output
    lies if that was kept.

    Examples:

        genload show results/orfeas-20261121T140000Z/spike

        genload show results/orfeas-20261121T140000Z/spike --failed --most 50

        genload show results/orfeas-20261121T140000Z/spike 9f86d081
    """
    # Here, not above: `genload show --help` needs none of it.
    from rich.console import Console

    from genload.commands.show.selection import chosen, one_request
    from genload.commands.show.view import list_view, request_view
    from genload.reporting.suite_folder import the_run
    from genload.runlog.reader import open_run

    console = Console(highlight=False)
    log = open_run(the_run(folder))
    with Console(stderr=True).status("reading the records"):
        if request is None:
            view = list_view(chosen(log.requests(), failed=failed, most=most), log.header)
        else:
            view = request_view(one_request(log, request), log.header, log.folder)
    console.print(view)
