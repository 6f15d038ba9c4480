"""`genload init`: lay out a project with a suite that runs as it is, and is there to be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genload.commands.list_.listing import complete_suite


def init(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="The folder to make, and the suite in it; none: here.")
    ] = "",
    start_from: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SUITE",
            help="A built-in suite to start from; none: a described service to fill in.",
            autocompletion=complete_suite,
        ),
    ] = None,
) -> None:
    """Lay out a project: a suite with the description of a service, .gitignore, a CI workflow, a README.

    What it makes runs as it is against `genload serve --api job`. Overwrites nothing: files that are there
    already are kept; a suite of that name is an error (exit code 2).

    Examples:

        genload init mine && cd mine

        genload init mine --from sglang_meshes
    """
    # Here, not above: `genload init --help` needs none of it.
    from rich.console import Console

    from genload.commands.init.project import Project
    from genload.plain import plain

    folder = Path(name) if name else Path()
    project = Project(folder.resolve().name, start_from)
    console = Console(highlight=False, soft_wrap=True)
    for path, is_new in project.lay_out(folder):
        console.print(f"{'made' if is_new else 'kept'} {plain(str(path))}", markup=False)
    steps = [f"cd {name}"] if name else []
    console.print(f"next: {plain(' && '.join([*steps, *project.next_commands]))}", markup=False)
