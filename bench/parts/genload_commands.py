"""The command lines of whole users: the locustfiles of genload, in one process or as master and workers."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from parts.rounds import ROOT

LOCUST = [sys.executable, "-m", "locust", "--loglevel", "ERROR", "--headless"]

SUITE = """
name: {name}
service: {{api: {api}, timeout: 300s, receive_timeout: 300s, {more}}}
locustfile: {locustfile}
validity: {{lag_floor: 60s}}
scenarios:
  load:
    shape: {{kind: normal, users: {users}, duration: 600s}}
    warmup: {{jobs: 0}}
    criteria:
      all_came: {operation}.failed == 0
      answered_soon: {operation}.duration.p95 < 10s
"""


_SHARES = {"off": "0%", "sample 10%": "10%", "all": "100%"}


def speech(
    validate: str, workers: int, host: str, folder: Path, users: int, file: str = "locustfiles/speech.py"
) -> list[list[str]]:
    """Speech users, with nothing, a sample or everything decoded.

    Args:
        workers: 0: the users are in the one process; else the master's command comes first.
        host: of the server.
        folder: of their own, for suite and run directory.
        file: other users of the same suite.
    """
    check = f"{{share: {_SHARES[validate]}, min_s_per_character: 1ms}}"  # a second of audio for any text
    more = f"request: {{dialect: litetts, format: wav, validate: {check}}}"
    suite = _suite(folder, users, api="speech", locustfile="speech", operation="speech", more=more)
    return commands(file, suite, folder, workers, host)


def jobs(interval: str, workers: int, host: str, folder: Path, users: int) -> list[list[str]]:
    """Job users who poll so often; the rest as `speech`."""
    more = f"poll: {{interval: {interval}, adaptive: false}}"
    suite = _suite(folder, users, api="orfeas", locustfile="generation3d", operation="generate", more=more)
    return commands("locustfiles/generation3d.py", suite, folder, workers, host)


def streamed(request: str, host: str, folder: Path, users: int) -> list[list[str]]:
    """Speech users who ask for streams, which are written down; the rest as `speech`."""
    more = f"request: {request}"
    suite = _suite(folder, users, api="speech", locustfile="speech", operation="speech", more=more)
    return commands("bench/parts/streamed.py", suite, folder, 0, host)


def _suite(folder: Path, users: int, **fields: str) -> Path:
    path = folder / "whole.yaml"
    path.write_text(SUITE.format(name="whole", users=users, **fields))
    return path


def commands(locustfile: str, suite: Path, folder: Path, workers: int, host: str) -> list[list[str]]:
    """Those that run the scenario ``load`` of a suite; its run directory is ``run/load`` in the folder."""
    file = ["-f", str(ROOT / locustfile)]
    run = [*LOCUST, *file, "--scenario", f"{suite}/load", "-H", host, "--suite-folder", str(folder / "run")]
    return on_workers(run, file, workers)


def on_workers(run: list[str], file: list[str], workers: int) -> list[list[str]]:
    """A command of Locust's as it is, or as those of a master and so many workers.

    Args:
        file: the part of the command that a worker needs as well.
    """
    if not workers:
        return [run]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    master = [*run, "--master", "--master-bind-port", port, "--expect-workers", str(workers)]
    worker = [*LOCUST, *file, "--worker", "--master-port", port]
    return [master, *[worker] * workers]
