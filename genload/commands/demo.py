"""`genload demo`: the whole way once, without a service or a GPU of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from genload.commands._targets import Request


@dataclass(frozen=True, slots=True)
class Part:
    """One suite of the demo with its testbed: a suite has one service.

    Attributes:
        serve: options of ``genload serve``.
        scaled: the testbed models time; a real engine takes it, and all the CPU that there is.
        overrides: of the suite, with ``{port}`` for that of the testbed.
    """

    suite: str
    about: str
    serve: tuple[str, ...]
    scaled: bool = False
    overrides: tuple[str, ...] = ()

    def options(self, time_scale: float) -> list[str]:
        return [*self.serve, "--time-scale", repr(time_scale)] if self.scaled else list(self.serve)

    def at(self, url: str, request: Request) -> Request:
        """The part's request, against a testbed."""
        port = urlsplit(url).port
        return replace(request.at(url), overrides=tuple(one.format(port=port) for one in self.overrides))


PARTS = (
    Part("demo", "image to 3D, 20 slots of a modelled GPU", ("--slots", "20"), scaled=True),
    Part(
        "demo_speech",
        "text to speech, a real engine",
        ("--api", "litetts", "--scrape-stall", "100ms"),
        overrides=("monitors.host.server.port={port}",),
    ),
)


def demo(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]", help="Of the suites demo and demo_speech; all of both unless given."
        ),
    ] = None,
    results: Annotated[
        Path, typer.Option(help="Where run directories and reports go.", metavar="DIR")
    ] = Path("results"),
    time_scale: Annotated[
        float,
        typer.Option(
            help="Of image to 3D: 1 takes as long as on a real GPU, 87 minutes in all.", metavar="X"
        ),
    ] = 0.02,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeat an earlier demo.", metavar="N")] = None,
) -> None:
    """Run the five image-to-3D scenarios and the eight of speech against the built-in testbeds.

    The GPU of the first is a model, and its time is scaled; the speech is real, on this machine's CPU: a
    demonstration of genload, and no statement about any service.

    Examples:

        genload demo

        genload demo baseline spike            # two of image to 3D

        genload demo heavy demo_speech/sustained
    """
    # Here, not above: `genload demo --help` needs none of it.
    from rich.console import Console

    from genload.analysis.judge import suite_exit_code
    from genload.commands import _testbed
    from genload.commands._suite_run import GOES_ON_AFTER, run_suites
    from genload.commands._targets import Request, checked

    parts = [
        (part, Request(targets, results=results, time_scale=time_scale if part.scaled else 1.0, seed=seed))
        for part, targets in _chosen(scenarios or [])
    ]
    for _, request in parts:
        checked(request)
    console = Console(highlight=False)
    codes: list[int] = []
    for part, request in parts:
        scale = f", time scale {time_scale:g}" if part.scaled else ""
        console.print(f"starting the testbed: {part.about}{scale}")
        with _testbed.running(part.options(time_scale), yields=not part.scaled) as url:
            there = part.at(url, request)
            codes.append(run_suites(there, checked(there), console))
        if codes[-1] not in GOES_ON_AFTER:
            break
    raise typer.Exit(suite_exit_code(codes))


def _chosen(scenarios: Sequence[str]) -> list[tuple[Part, tuple[str, ...]]]:
    """The targets of each part that has any; a name without its suite means every suite that has it.

    Raises:
        UsageError: none has it.
    """
    from genload import extensions
    from genload.errors import UsageError
    from genload.settings.loader import scenario_names
    from genload.settings.suggestion import suggest

    if not scenarios:
        return [(part, (part.suite,)) for part in PARTS]
    suites = {part.suite for part in PARTS}
    folders = [folder / "suites" for folder in extensions.folders("config")]
    there = [name for name in scenario_names(folders) if name.partition("/")[0] in suites]
    chosen: dict[str, list[str]] = {part.suite: [] for part in PARTS}
    for scenario in scenarios:
        found = [name for name in there if scenario in (name, name.partition("/")[2])]
        if not found:
            names = [name.partition("/")[2] for name in there]
            raise UsageError(f"the demo has no scenario '{scenario}'", remedy=suggest(scenario, names))
        for name in found:
            chosen[name.partition("/")[0]].append(name)
    return [(part, tuple(chosen[part.suite])) for part in PARTS if chosen[part.suite]]
