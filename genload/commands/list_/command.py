"""`genload list`: which suites and scenarios there are."""

from __future__ import annotations

from typing import Annotated

import typer

from genload.commands.list_.listing import complete_suite


def list_(
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SUITE]",
            help="Names under config/suites, or paths of YAML files; all names unless given.",
            autocompletion=complete_suite,
        ),
    ] = None,
) -> None:
    """List suites, their scenarios, and what each is for: the names that `genload run` takes.

    A suite in the config/suites/ of your own project comes before genload's own of the same name.

    Examples:

        genload list

        genload list orfeas my/suite.yaml
    """
    # Here, not above: `genload list --help` needs none of it.
    from genload.commands.list_.listing import lines, listed

    found = listed(suites or [])
    for line in lines(found):
        typer.echo(line)
    errors = [suite.error for suite in found if suite.error is not None]
    for error in errors:
        typer.echo(error.render(), err=True)
    raise typer.Exit(int(errors[0].exit_code) if errors else 0)
