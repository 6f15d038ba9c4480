"""`genload run`: suites against a service, each scenario in a Locust process of its own."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genload.commands.list_.listing import complete_target
from genload.commands.run.ahead import Ahead

if TYPE_CHECKING:
    from genload.commands.run.resume import Resumed
    from genload.targets import RunRequest

Host = Annotated[
    str | None,
    typer.Option("--host", "-H", help="URL of the service; the suite's own unless given.", metavar="URL"),
]
Results = Annotated[Path, typer.Option(help="Where run directories and reports go.", metavar="DIR")]
TimeScale = Annotated[
    float,
    typer.Option(
        help="0.02 rehearses 82 s in 1.64 s, against a service whose time is modelled.", metavar="X"
    ),
]
Rehearsal = Annotated[
    bool, typer.Option("--rehearsal", help="Allow a time scale against a real service; every report says so.")
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Repeat the inputs and pauses of an earlier run.", metavar="N")
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set", help="Override a setting, such as service.timeout=400s. Repeatable.", metavar="KEY=VALUE"
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Pass only on exact or proven evidence.")]


Baseline = Annotated[
    str | None,
    typer.Option(help="Compare with these runs: a baseline's name, or a folder of runs.", metavar="NAME|DIR"),
]


Workers = Annotated[
    str,
    typer.Option(
        help="How many processes have the users; auto: one, or as many as a large load needs.",
        metavar="auto|N",
    ),
]


Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Each criterion with its rule and its evidence in a sentence.")
]


Resume = Annotated[
    Path | None,
    typer.Option(
        help="Go on with a suite that was cut off: its folder. Suite, seed and time are those of its runs.",
        metavar="DIR",
    ),
]


class AbortOn(StrEnum):
    """What ends a scenario before its time."""

    HOPELESS = "hopeless"


Abort = Annotated[
    AbortOn | None,
    typer.Option(
        "--abort-on", help="hopeless: end a scenario as soon as a `must` criterion can no longer hold."
    ),
]


MetricsPort = Annotated[
    str,
    typer.Option(help="Show the run as metrics, for a Prometheus; 0 takes a free port.", metavar="PORT"),
]
MetricsHost = Annotated[
    str, typer.Option(help="At which address the metrics page listens.", metavar="ADDRESS")
]
Linger = Annotated[str, typer.Option(help="How long the metrics page stays after a scenario.", metavar="30s")]
Push = Annotated[
    str,
    typer.Option("--push-metrics", help="Push the metrics to a Pushgateway after a scenario.", metavar="URL"),
]
Otel = Annotated[
    bool,
    typer.Option("--otel", help="Send a span a request, with its stages, to where OTEL_* variables say."),
]


def run(
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SUITE[/SCENARIO]",
            help="A name under config/suites or a YAML file's path, and which scenario.",
            autocompletion=complete_target,
        ),
    ] = None,
    host: Host = None,
    results: Results = Path("results"),
    time_scale: TimeScale = 1.0,
    rehearsal: Rehearsal = False,
    seed: Seed = None,
    overrides: Overrides = [],  # noqa: B006  typer hands over a new list each time
    strict: Strict = False,
    abort_on: Abort = None,
    workers: Workers = "auto",
    baseline: Baseline = None,
    resume: Resume = None,
    verbose: Verbose = False,
    metrics_port: MetricsPort = "",
    metrics_host: MetricsHost = "127.0.0.1",
    linger: Linger = "",
    push_metrics: Push = "",
    otel: Otel = False,
) -> None:
    """Run a suite, or one scenario of it, against a service; the exit code is the verdict.

    Everything is checked before any load is sent. Scenarios run one after the other, with a pause in which
    the service becomes idle. Exit codes: 0 passed, 1 failed, 2 wrong usage, 3 invalid or inconclusive,
    4 the service was not ready or was given up, 130 interrupted.

    Examples:

        genload run orfeas --host http://gpu1:5000

        genload run orfeas/spike --host http://gpu1:5000 --strict

        genload run my/suite.yaml/peak --set scenarios.peak.shape.users=8

        genload run my/suite.yaml --workers 4    # four cores send the load

        genload run orfeas --baseline main       # and what has changed since: genload baseline promote

        genload run orfeas --time-scale 0.02     # genload serve --time-scale 0.02

        genload run --resume results/orfeas-20261121T140000Z   # the scenarios that are not done yet
    """
    # Here, not above: `genload run --help` needs none of it.
    from rich.console import Console

    if not suites and resume is None:
        from genload.commands.list_.listing import lines, listed
        from genload.errors import UsageError

        there = "\n".join(lines(listed([])))
        raise UsageError(
            f"which suite, or which scenario of one?\n{there}", remedy="genload run NAME --host URL"
        )
    console = Console(highlight=False)
    with Ahead() as ahead:
        ahead.begin()
        with console.status("reading the suite"):
            from genload.commands.run.against import check_baselines
            from genload.commands.run.suite_run import run_suites
            from genload.outlets import outlets
            from genload.targets import RunRequest, with_followers

            request = RunRequest(
                targets=tuple(suites or ()),
                host=host.rstrip("/") if host else None,
                results=results,
                time_scale=time_scale,
                rehearsal=rehearsal,
                seed=seed,
                overrides=tuple(overrides),
                strict=strict,
                abort_on=abort_on or "",
                workers=number_of_workers(workers),
                baseline=baseline,
                verbose=verbose,
                outlets=outlets(
                    metrics_port=metrics_port,
                    metrics_host=metrics_host,
                    linger=linger,
                    push_metrics=push_metrics,
                    otel=otel,
                ),
            )
            going_on = None if resume is None else what_is_left(resume, request)
            targets = with_followers(request) if going_on is None else [going_on.target]
            check_baselines(targets)
        code = run_suites(targets, console, ahead, going_on=going_on)
    raise typer.Exit(code)


def what_is_left(folder: Path, request: RunRequest) -> Resumed:
    """What is left to do of a suite; nothing that its runs say already may be asked for anew.

    Raises:
        UsageError: something is.
    """
    from genload.commands.run.resume import resumed
    from genload.errors import UsageError
    from genload.targets import RunRequest

    fresh = RunRequest(())
    said = {
        "SUITE": request.targets,
        "--host": request.host,
        "--set": request.overrides,
        "--baseline": request.baseline,
        "--seed": request.seed,
        "--time-scale": request.time_scale != fresh.time_scale,
        "--rehearsal": request.rehearsal,
        "--strict": request.strict,
        "--results": request.results != fresh.results,
    }
    for name, value in said.items():
        if value or (name == "--seed" and value is not None):
            raise UsageError(
                f"{name} and --resume do not go together: the runs that stand have theirs",
                remedy="leave it out, or run the suite anew",
            )
    return resumed(folder, request)


def number_of_workers(workers: str) -> int | None:
    """None: as many as a load needs."""
    from genload.errors import UsageError

    if workers == "auto":
        return None
    if not workers.isdecimal() or int(workers) < 1:
        raise UsageError(f"--workers {workers} is no number of processes", remedy="use auto, or 1 and more")
    if int(workers) > 1 and not hasattr(os, "fork"):
        raise UsageError(
            "this system has no workers on one machine", remedy="leave --workers out, or use WSL"
        )
    return int(workers)
