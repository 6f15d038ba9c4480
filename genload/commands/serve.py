"""`genload serve`: the testbed, a service to try genload on, in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import genload
from genload.errors import UsageError
from genload.settings.criteria.ast import Dimension
from genload.settings.units import parse_quantity

_NEEDED = ("starlette", "uvicorn", "python_multipart", "hibari")


class Api(StrEnum):
    """Whose API the testbed speaks."""

    ORFEAS = "orfeas"
    JOB = "job"
    LITETTS = "litetts"
    KOKORO = "kokoro"
    OPENAI = "openai"
    VLLM = "vllm"


class Engine(StrEnum):
    """What makes its audio."""

    HIBARI = "hibari"
    TONE = "tone"


class Stream(StrEnum):
    """How its answers are sent."""

    RAW = "raw"
    SSE = "sse"
    WHOLE = "whole"
    WEBSOCKET = "websocket"


class WhenFull(StrEnum):
    """What the testbed does with a job that finds no free slot."""

    QUEUE = "queue"
    REFUSE = "refuse"


_IMAGES = "Image to 3D (--api orfeas, job)"
_SPEECH = "Speech (the other APIs)"


def _duration(text: str) -> float:
    try:
        quantity = parse_quantity(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    bare = quantity.dimension is Dimension.COUNT
    if quantity.value < 0 or not (bare or quantity.dimension is Dimension.TIME):
        raise typer.BadParameter(f"'{text}' is not a duration such as 82s")
    return quantity.value


def _time(told: str, *, panel: str, default: str | bool = True) -> Any:
    """An option that takes a duration; `default` is what the help shows as such."""
    return typer.Option(
        parser=_duration, help=told, metavar="TIME", show_default=default, rich_help_panel=panel
    )


def _share(told: str, *, default: str) -> Any:
    return typer.Option(min=0, help=told, metavar="SHARE", show_default=default, rich_help_panel=_IMAGES)


# What is None is not passed on: its default is the testbed's own, which may depend on the other options.
def serve(
    api: Annotated[Api, typer.Option(help="Whose API to speak.")] = Api.ORFEAS,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.", metavar="P")
    ] = 5000,
    slots: Annotated[
        int | None,
        typer.Option(
            min=0, help="Requests served at once.", metavar="N", show_default="3; hibari 2, tone no limit"
        ),
    ] = None,
    when_full: Annotated[
        WhenFull,
        typer.Option(
            help="A request without a slot waits, or fails: a job when it is accepted (as in a real ORFEAS),"
            " speech with 503."
        ),
    ] = WhenFull.QUEUE,
    seed: Annotated[int, typer.Option(help="Seed of service times, speech and faults.", metavar="N")] = 0,
    truth: Annotated[
        Path | None,
        typer.Option(help="Append what really happened to every request: JSON lines.", metavar="FILE"),
    ] = None,
    rate_limit: Annotated[
        int, typer.Option(min=0, help="Requests a minute and client address; 0: no limit.", metavar="PER_MIN")
    ] = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="What is to go wrong (repeatable); the names are above.", metavar="NAME=VALUE"),
    ] = None,
    service_time: Annotated[
        float | None, _time("Mean time a job takes on a free GPU.", panel=_IMAGES, default="82s")
    ] = None,
    spread: Annotated[
        float | None, _share("Standard deviation of that time ÷ its mean.", default="0.02")
    ] = None,
    contention: Annotated[
        float | None, _share("How much each further running job slows all.", default="0")
    ] = None,
    time_scale: Annotated[
        float | None,
        typer.Option(
            help="Factor on every modelled time: 0.02 turns 82 s into 1.64 s.",
            metavar="X",
            show_default="1",
            rich_help_panel=_IMAGES,
        ),
    ] = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="Real speech, or a tone on an exact schedule.",
            show_default="hibari",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    stream: Annotated[
        Stream | None,
        typer.Option(
            help="raw: every answer as it is spoken; sse: the same in server-sent events; whole: once all is"
            " spoken; websocket: as it is asked for, and over a WebSocket.",
            show_default="as it is asked for",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="What clients must bear, or get 401.", rich_help_panel=_SPEECH)
    ] = None,
    head_of_line: Annotated[
        bool | None,
        typer.Option(
            "--head-of-line/--no-head-of-line",
            help="Speaking stops the whole service, as in LiteTTS.",
            show_default="on for litetts with hibari",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    scrape_stall: Annotated[
        float | None,
        _time(
            "For how long a scrape of LiteTTS's /metrics stops it.",
            panel=_SPEECH,
            default="1s with hibari, else 0",
        ),
    ] = None,
    chunk: Annotated[
        float | None, _time("Audio in one write of a stream.", panel=_SPEECH, default="200ms; tone 20ms")
    ] = None,
    pace: Annotated[
        float | None,
        _time(
            "Time between writes; 0: as soon as there is audio.",
            panel=_SPEECH,
            default="0; tone as --chunk",
        ),
    ] = None,
    work: Annotated[
        float | None, _time("CPU time before each write of a stream.", panel=_SPEECH, default="0")
    ] = None,
    first_chunk: Annotated[
        float | None, _time("Time before the first audio, at least.", panel=_SPEECH, default="0")
    ] = None,
    gpu: Annotated[
        Path | None,
        typer.Option(
            help="A file that testbeds on one GPU have in common: jobs that run there slow speech.",
            metavar="FILE",
        ),
    ] = None,
    slowed_by: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="By how much of --first-chunk each job on the same GPU delays the first audio.",
            metavar="SHARE",
            show_default="0",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    per_character: Annotated[
        float | None, _time("Tone: audio by the length of the text …", panel=_SPEECH, default="60ms")
    ] = None,
    audio: Annotated[float | None, _time("… or always so much.", panel=_SPEECH)] = None,
) -> None:
    """Start the testbed: a real small service of image-to-3D, or of speech. Ctrl-C ends it.

    Examples:

      genload serve --time-scale 0.02 --slots 20     # for: genload run demo/spike --time-scale 0.02

      genload serve --api job                        # a plain API: one blocking call, or polled jobs

      genload serve --when-full refuse               # three jobs at once, the fourth fails: a real ORFEAS

      genload serve --port 0 --truth truth.jsonl     # any free port, and a log to check records against

      genload serve --fault cube=5% --fault reset@poll=1% --fault memory-growth=1MiB

      genload serve --api litetts                    # real speech by LiteTTS's rules, blocking as it does

      genload serve --api kokoro --engine tone --chunk 20ms --truth truth.jsonl    # streams in real time

      genload serve --api openai --token secret --fault silence=5% --fault truncated=1%

    Faults of image-to-3D:

      RATE of all submissions: reject (503 with retry_after), reject-bare (503, a page), limit (429 with
      Retry-After), limit-bare (429).

      RATE of all jobs, in an answer: error (500), html (200 with a page), hang, slow-loris, endless,
      truncated, reset. NAME@CALL=RATE says in which: upload, submit, poll or download.

      RATE of all jobs, in the work: fail, cube, duplicate, empty-mesh, nan-vertices, wrong-format.

      Of the service: slow-start=TIME; after N jobs refused=TIME@N, crash=N, restart=N, memory-step=SIZE@N,
      gpu-step=SIZE@N; with every job memory-growth=SIZE, gpu-growth=SIZE; by and by memory-fill=SIZE@N.

      Of its updates over Socket.IO: updates-cut=TIME@N, updates-late=TIME, updates-lost=RATE.

    Faults of speech:

      RATE of all requests: reject, reject-bare, limit, limit-bare, error, html, json, empty-audio, hang,
      reset, truncated, stall, slow-loris, endless, error-event, no-end, bad-base64, bad-event, bad-frame,
      other-format, deaf, garbage, silence, clipped, nan, wrong-rate, duplicate, hiss, hum, short, swap,
      drop-word, repeat-sentence, bleed.

      Of the service: slow-start=TIME, cold-start=TIME@IDLE, crash=N, memory-growth=SIZE, memory-step=SIZE@N.

    A request asks for one by its header, X-Testbed-Fault: NAME. All of it: docs/testbed.md.
    """
    if time_scale is not None and time_scale <= 0:
        raise UsageError(f"--time-scale {time_scale:g} is not positive", remedy="use e.g. 0.02, or 1")
    options: dict[str, object | None] = {
        "api": api.value,
        "port": port,
        "slots": slots,
        "when-full": when_full.value,
        "seed": seed,
        "truth": truth,
        "rate-limit": rate_limit,
        "service-time": service_time,
        "spread": spread,
        "contention": contention,
        "time-scale": time_scale,
        "engine": engine,
        "stream": None if stream is None else stream.value,
        "token": token,
        "scrape-stall": scrape_stall,
        "chunk": chunk,
        "pace": pace,
        "work": work,
        "first-chunk": first_chunk,
        "gpu": gpu,
        "slowed-by": slowed_by,
        "per-character": per_character,
        "audio": audio,
    }
    arguments = [f"--{name}={value}" for name, value in options.items() if value is not None]
    if head_of_line is not None:
        arguments.append("--head-of-line" if head_of_line else "--no-head-of-line")
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
