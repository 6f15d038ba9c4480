"""`genload export`: a run as tables for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """Of the files written."""

    CSV = "csv"
    PARQUET = "parquet"


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run directory, or the suite folder of one scenario.")
    ],
    to: Annotated[
        Format, typer.Option(help="csv, or parquet (pip install 'genload[parquet]').")
    ] = Format.CSV,
    into: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the files go; RUN/export unless given.")
    ] = None,
) -> None:
    """Write a run as tables: requests.csv has a row a request, samples.csv a row a value.

    Every column is a field of the records: stages as stage.NAME, numbers as number.NAME, labels as
    label.NAME; times in seconds since the run began, sizes in bytes. What a request does not have is empty.

    Examples:

        genload export results/orfeas-20261121T140000Z/spike

        genload export results/orfeas-20261121T140000Z/spike --to parquet --into tables
    """
    # Here, not above: `genload export --help` needs none of it.
    from rich.console import Console

    from genload.commands.export.tables import write_tables
    from genload.commands.export.writers import writer
    from genload.reporting.suite_folder import the_run
    from genload.runlog.reader import open_run

    run = the_run(folder)
    kind = writer(to.value)
    with Console(stderr=True).status("writing the tables"):
        files = write_tables(open_run(run), into or run / "export", kind)
    for path in files:
        print(path)
