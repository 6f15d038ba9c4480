"""What the comparing benchmarks share: a fresh process a round on a core of its own, and their printed lines.

A benchmark is a script that, called with ``--load NAME``, measures one load and prints its numbers on its
last line; called without, it has itself called for each load in turn, round after round, so that a machine
that slows down slows all of them.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def two_cores(*programs: str) -> tuple[int, int]:
    """A core for what is measured and another for its server; ends where that, or a program, is missing."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not all(map(shutil.which, ("taskset", *programs))):
        sys.exit(f"{sys.argv[0]} needs two cores, {' and '.join(('taskset', *programs))}")
    return cores[0], cores[-1]


def round_of(load: str, core: int, options: Sequence[str]) -> list[float]:
    """The numbers that a fresh process of this script prints for a load."""
    command = ["taskset", "-c", str(core), sys.executable, sys.argv[0], "--load", load, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(done.stderr)
    return [float(word) for word in done.stdout.splitlines()[-1].split()]


def ratio(own: Iterable[float], others: Iterable[float]) -> float:
    """The median of the ratios within the rounds: a machine's speed changes from round to round."""
    return median(mine / other for mine, other in zip(own, others, strict=True))


def started(user_class: Any, users: int, port: int) -> Any:
    """A Locust environment with that many users at work."""
    from locust.env import Environment

    user_class.host = f"http://127.0.0.1:{port}"
    environment = Environment(user_classes=[user_class], host=user_class.host)
    environment.create_local_runner().start(users, spawn_rate=users)
    return environment


def allow_many_connections() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
