"""`genload serve`: the testbed, a service to try genload on, in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import genload
from genload.errors import UsageError
from genload.settings.criteria.ast import Dimension
from genload.settings.units import parse_quantity

_NEEDED = ("starlette", "uvicorn", "python_multipart")


class WhenFull(StrEnum):
    """What the testbed does with a job that finds no free slot."""

    QUEUE = "queue"
    REFUSE = "refuse"


def _duration(text: str) -> float:
    try:
        quantity = parse_quantity(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    bare = quantity.dimension is Dimension.COUNT
    if quantity.value < 0 or not (bare or quantity.dimension is Dimension.TIME):
        raise typer.BadParameter(f"'{text}' is not a duration such as 82s")
    return quantity.value


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.", metavar="P")
    ] = 5000,
    service_time: Annotated[
        float, typer.Option(parser=_duration, help="Mean time a job takes on a free GPU.", metavar="TIME")
    ] = "82s",  # type: ignore[assignment] # parsed by _duration, as the command line's own would be
    spread: Annotated[
        float, typer.Option(min=0, help="Standard deviation of that time ÷ its mean.", metavar="SHARE")
    ] = 0.02,
    slots: Annotated[int, typer.Option(min=1, help="Jobs that run at once.", metavar="N")] = 3,
    when_full: Annotated[
        WhenFull,
        typer.Option(help="A job without a slot waits, or is accepted and then fails (as in a real ORFEAS)."),
    ] = WhenFull.QUEUE,
    contention: Annotated[
        float, typer.Option(min=0, help="How much each further running job slows all.", metavar="SHARE")
    ] = 0.0,
    time_scale: Annotated[
        float, typer.Option(help="Factor on every modelled time: 0.02 turns 82 s into 1.64 s.", metavar="X")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of service times and faults.", metavar="N")] = 0,
    truth: Annotated[
        Path | None,
        typer.Option(help="Append what really happened to every job: JSON lines.", metavar="FILE"),
    ] = None,
    rate_limit: Annotated[
        int, typer.Option(min=0, help="Requests a minute and client address; 0: no limit.", metavar="PER_MIN")
    ] = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="What is to go wrong (repeatable); the names are above.", metavar="NAME=VALUE"),
    ] = None,
) -> None:
    """Start the testbed: ORFEAS's API, real meshes, a modelled GPU. Ctrl-C ends it.

    Examples:

      genload serve --time-scale 0.02 --slots 20     # for a rehearsal: genload run demo --time-scale 0.02

      genload serve --when-full refuse               # three jobs at once, the fourth fails: a real ORFEAS

      genload serve --port 0 --truth truth.jsonl     # any free port, and a log to check records against

      genload serve --fault cube=5% --fault reset@poll=1% --fault memory-growth=1MiB

    Faults:

      RATE of all submissions: reject (503 with retry_after), reject-bare (503, a page), limit (429 with
      Retry-After), limit-bare (429).

      RATE of all jobs, in an answer: error (500), html (200 with a page), hang, slow-loris, endless,
      truncated, reset. NAME@CALL=RATE says in which: upload, submit, poll or download.

      RATE of all jobs, in the work: fail, cube, duplicate, empty-mesh, nan-vertices, wrong-format.

      Of the service: slow-start=TIME; after N jobs refused=TIME@N, crash=N, restart=N, memory-step=SIZE@N,
      gpu-step=SIZE@N; with every job memory-growth=SIZE, gpu-growth=SIZE.

    A request asks for one by its header, X-Testbed-Fault: NAME. All of it: docs/testbed.md.
    """
    if time_scale <= 0:
        raise UsageError(f"--time-scale {time_scale:g} is not positive", remedy="use e.g. 0.02, or 1")
    options: dict[str, object] = {
        "port": port,
        "service-time": service_time,
        "spread": spread,
        "slots": slots,
        "when-full": when_full.value,
        "contention": contention,
        "time-scale": time_scale,
        "seed": seed,
        "rate-limit": rate_limit,
    }
    if truth is not None:
        options["truth"] = truth
    arguments = [f"--{name}={value}" for name, value in options.items()]
    _become([*arguments, *(f"--fault={value}" for value in fault or [])])


def testbed_command(find: Callable[[str], object | None] = importlib.util.find_spec) -> tuple[list[str], str]:
    """How to start the testbed with this Python: the command, and what PYTHONPATH needs ("": nothing).

    Raises:
        UsageError: the testbed, or a library of its extra, is not installed.
    """
    missing = [name.replace("_", "-") for name in _NEEDED if find(name) is None]
    if missing:
        raise UsageError(
            f"the testbed needs {', '.join(missing)}",
            remedy="install it with: pip install 'genload[testbed]'",
        )
    # -P: the working directory is a user's own; nothing in it may take the place of a module.
    python = [sys.executable, "-P", "-m"]
    if find("genload.testbed") is not None:
        return [*python, "genload.testbed"], ""
    checkout = Path(genload.__file__).resolve().parents[1]
    if (checkout / "testbed" / "__main__.py").is_file():
        return [*python, "testbed"], str(checkout)
    raise UsageError("this installation has no testbed", remedy="install genload again, or use a checkout")


def _become(arguments: list[str]) -> None:
    """Turn this process into the testbed, so that signals and the exit code are its own."""
    command, path = testbed_command()
    environment = dict(os.environ)
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [path, environment.get("PYTHONPATH", "")]))
    sys.stdout.flush()
    os.execve(command[0], [*command, *arguments], environment)  # noqa: S606 - no shell, our own interpreter
