"""`genload demo`: the whole way once, without a service or a GPU of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SUITE = "demo"
_SLOTS = "20"


def demo(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO]", help="Of the suite demo; all five unless given."),
    ] = None,
    results: Annotated[
        Path, typer.Option(help="Where run directories and reports go.", metavar="DIR")
    ] = Path("results"),
    time_scale: Annotated[
        float, typer.Option(help="1 takes as long as it would on a real GPU: 87 minutes in all.", metavar="X")
    ] = 0.02,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeat an earlier demo.", metavar="N")] = None,
) -> None:
    """Run the five scenarios against the built-in testbed, which really turns images into meshes.

    Its GPU is a model, and time is scaled: a demonstration of genload, and no statement about any service.

    Examples:

        genload demo

        genload demo baseline spike
    """
    # Here, not above: `genload demo --help` needs none of it.
    from rich.console import Console

    from genload.commands import _testbed
    from genload.commands._suite_run import run_suites
    from genload.commands._targets import Request, checked

    request = Request(
        targets=tuple(f"{_SUITE}/{scenario}" for scenario in scenarios) if scenarios else (_SUITE,),
        results=results,
        time_scale=time_scale,
        seed=seed,
    )
    checked(request)
    console = Console(highlight=False)
    console.print(f"starting the testbed: {_SLOTS} slots, time scale {time_scale:g}")
    with _testbed.running(["--slots", _SLOTS, "--time-scale", repr(time_scale)]) as url:
        request = request.at(url)
        code = run_suites(request, checked(request), console)
    raise typer.Exit(code)
