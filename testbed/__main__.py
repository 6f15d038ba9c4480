"""``python -m testbed``: the service as a process of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .options import Options, WhenFull, parse_duration_s


def main() -> int:
    """Serve until told to stop. Exit code 0; 2 for a wrong option, a taken port, no truth log."""
    options = _parse(sys.argv[1:])
    # Imported late: numpy, trimesh and uvicorn take a second, and a wrong option is told at once.
    from .server import serve

    try:
        serve(options)
    except OSError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 2
    return 0


def _parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="testbed", description=__doc__)
    default = Options()

    def option(name: str, kind: Callable[[str], object], value: object, metavar: str) -> None:
        parser.add_argument(name, type=kind, default=value, metavar=metavar, help=f"default: {value}")

    option("--port", _number(int, 0, 65535), default.port, "P")
    option("--service-time", _duration, default.service_time_s, "82s")
    option("--spread", _number(float, 0, 10), default.spread, "SHARE")
    option("--slots", _number(int, 1, 10_000), default.slots, "N")
    option("--when-full", WhenFull, default.when_full, "queue|refuse")
    option("--contention", _number(float, 0, 100), default.contention, "SHARE")
    option("--time-scale", _number(float, 1e-6, 1000), default.time_scale, "X")
    option("--seed", int, default.seed, "N")
    option("--truth", Path, default.truth, "FILE")
    option("--ready-after", _duration, default.ready_after_s, "0s")
    option("--fail-rate", _number(float, 0, 1), default.fail_rate, "SHARE")
    option("--reject-rate", _number(float, 0, 1), default.reject_rate, "SHARE")
    option("--rate-limit", _number(int, 0, 10**9), default.rate_limit_per_min, "PER_MIN")
    given = parser.parse_args(arguments)
    return Options(
        port=given.port,
        service_time_s=given.service_time,
        spread=given.spread,
        slots=given.slots,
        when_full=given.when_full,
        contention=given.contention,
        time_scale=given.time_scale,
        seed=given.seed,
        truth=given.truth,
        ready_after_s=given.ready_after,
        fail_rate=given.fail_rate,
        reject_rate=given.reject_rate,
        rate_limit_per_min=given.rate_limit,
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
