"""``python -m testbed``: the service as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from .fault_options import parse_faults
from .options import Face, Options, WhenFull
from .quantities import parse_duration_s
from .speech import command as speech
from .speech.options import Api


def main() -> int:
    """Serve until told to stop. Exit code 0; 2 for a wrong option, a taken port, no truth log."""
    arguments = sys.argv[1:]
    if _api(arguments) in list(Api):
        return _speak(arguments)
    options = _parse(arguments)
    # Imported late: numpy, trimesh and uvicorn take a second, and a wrong option is told at once.
    with _as_if_not_there("scipy", "meshio"):
        from .server import serve

    try:
        port = serve(options)
    except OSError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 2
    if port is not None:
        # In place, as the same process to whoever started it; the last --port counts.
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], f"--port={port}"])  # noqa: S606
    return 0


@contextmanager
def _as_if_not_there(*packages: str) -> Iterator[None]:
    """trimesh imports what it finds: these take longer than all the rest, and no relief needs them."""
    modules: dict[str, Any] = dict.fromkeys(name for name in packages if name not in sys.modules)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"testbed: {message}\n")


def _api(arguments: list[str]) -> str:
    """Whose API is asked for."""
    parser = _Parser(prog="testbed", add_help=False, allow_abbrev=False)
    parser.add_argument("--api", default=Face.ORFEAS)
    return str(parser.parse_known_args(arguments)[0].api)


def _speak(arguments: list[str]) -> int:
    options = speech.read(arguments, _Parser(prog="testbed").error)
    from .speech.server import serve

    try:
        serve(options)
    except OSError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 2
    return 0


def _parse(arguments: list[str]) -> Options:
    parser = _Parser(prog="testbed", description=__doc__)
    default = Options()

    def option(name: str, kind: Callable[[str], object], value: object, metavar: str) -> None:
        parser.add_argument(name, type=kind, default=value, metavar=metavar, help=f"default: {value}")

    parser.add_argument("--api", choices=[*Face, *Api], default=Face.ORFEAS)
    option("--port", _number(int, 0, 65535), default.port, "P")
    option("--service-time", _duration, default.service_time_s, "82s")
    option("--spread", _number(float, 0, 10), default.spread, "SHARE")
    option("--slots", _number(int, 1, 10_000), default.slots, "N")
    option("--when-full", WhenFull, default.when_full, "queue|refuse")
    option("--contention", _number(float, 0, 100), default.contention, "SHARE")
    option("--time-scale", _number(float, 1e-6, 1000), default.time_scale, "X")
    option("--seed", int, default.seed, "N")
    option("--truth", Path, default.truth, "FILE")
    option("--gpu", Path, default.gpu, "FILE")
    option("--rate-limit", _number(int, 0, 10**9), default.rate_limit_per_min, "PER_MIN")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    given = parser.parse_args(arguments)
    try:
        faults = parse_faults(given.fault)
    except ValueError as error:
        parser.error(f"argument --fault: {error}")
    return Options(
        api=Face(given.api),
        port=given.port,
        service_time_s=given.service_time,
        spread=given.spread,
        slots=given.slots,
        when_full=given.when_full,
        contention=given.contention,
        time_scale=given.time_scale,
        seed=given.seed,
        truth=given.truth,
        rate_limit_per_min=given.rate_limit,
        gpu=given.gpu,
        faults=faults,
    )


N = TypeVar("N", int, float)


def _number(kind: type[N], low: float, high: float) -> Callable[[str], N]:
    def read(text: str) -> N:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not within {low:g} .. {high:g}")
        return value

    return read


def _duration(text: str) -> float:
    try:
        return parse_duration_s(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
