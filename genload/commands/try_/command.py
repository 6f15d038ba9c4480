"""`genload try`: one request, everything about it shown, nothing recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genload.commands.list_.listing import complete_target
from genload.commands.run.command import Host, Overrides, Seed


def try_(
    suite: Annotated[
        str,
        typer.Argument(
            metavar="SUITE[/SCENARIO]",
            help="A name under config/suites or a YAML file's path; with a scenario, only its metrics count.",
            autocompletion=complete_target,
        ),
    ],
    host: Host = None,
    seed: Seed = None,
    overrides: Overrides = [],  # noqa: B006  typer hands over a new list each time
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep all that is shown in a file, secrets out: for a report of an issue."
        ),
    ] = None,
) -> None:
    """Send one request and show all of it: the first thing to do with a service of your own.

    Shows whether the service says that it is ready, every stage as it begins, every exchange with its headers
    (secrets hidden), what the validator saw in the output, and which of the metrics that the suite's monitors
    and criteria name can be had; of a failure, which key of the suite to change. Writes nothing, unless
    `--save` says where. Exit codes: 0 the request succeeded, 1 it failed, 2 wrong
    usage, 3 code of the test's own raised an exception, 4 the service is not ready, 130 interrupted.

    Examples:

        genload try orfeas --host http://gpu1:5000

        genload try my/suite.yaml/peak --set service.request.format=glb

        genload try mine --host http://gpu1:8080 --save exchange.txt

        genload try orfeas --host https://gpu1 --set 'service.headers.Authorization=${env:GPU_TOKEN}'
    """
    # Here, not above: `genload try --help` needs none of it.
    from rich.console import Console

    from genload.commands.try_.saving import keep
    from genload.commands.try_.trial import Trial
    from genload.commands.try_.view import TrialView
    from genload.targets import RunRequest, checked

    request = RunRequest(
        (suite,), host=host.rstrip("/") if host else None, seed=seed, overrides=tuple(overrides)
    )
    (target,) = checked(request)
    console = Console(highlight=False, record=save is not None)
    try:
        code = Trial(target, TrialView(console)).run()
    finally:
        if save is not None:
            keep(save, console.export_text())
    raise typer.Exit(code)
