"""Runs on two workers, each with a fault that is drawn: every job of the service is recorded, or counted
as lost.
"""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ..flaky_link import Link, link
from .scene import SERVICE_S, Scene

pytestmark = [pytest.mark.processes, pytest.mark.soak]

LOAD_S = 25
LIVES_S = 12.0
"""A worker that is silent for less is not lost (`HEARTBEAT_LIVENESS` less what a busy machine may take)."""
UNTOLD_S = 0.5
"""Between two reports of a worker."""


@pytest.fixture
def scene(
    testbed: Any, start_locust: Any, short_suite: Callable[..., str], tmp_path: Path
) -> Iterator[Scene]:
    server = testbed(service_time=f"{SERVICE_S * 1e3:g}ms", slots=20)
    with ExitStack() as stack:
        scene = Scene(server, start_locust, short_suite, tmp_path)
        links: list[Link] = []

        def by_a_link(port: int) -> int:
            links.append(stack.enter_context(link(port)))
            return links[0].port

        scene.begin_cluster(f"{LOAD_S}s", by_a_link)
        scene.link = links[0]
        yield scene


def hold(scene: Scene, for_s: float) -> None:
    scene.link.held.set()
    scene.go_on(for_s)
    scene.link.held.clear()


def cut(scene: Scene, for_s: float) -> None:
    """And whoever connects again is cut off again, for so long."""
    for _ in range(round(for_s)):
        scene.link.cut()
        scene.go_on(1.0)


def stop(scene: Scene, for_s: float) -> None:
    scene.workers[0].send_signal(signal.SIGSTOP)
    scene.go_on(for_s)
    scene.workers[0].send_signal(signal.SIGCONT)


def kill(scene: Scene, for_s: float) -> None:
    scene.workers[0].kill()


def end(scene: Scene, for_s: float) -> None:
    scene.workers[0].terminate()


@pytest.mark.parametrize("seed", range(20))
def test_every_job_is_in_the_records_or_counted_as_lost(scene: Scene, seed: int) -> None:
    rng = random.Random(seed)
    fault = rng.choice([hold, cut, stop, kill, end])
    for_s = rng.uniform(1.0, 20.0)
    scene.go_on(rng.uniform(0.0, 3.0))
    fault(scene, for_s)
    code, output = scene.end()
    what = f"{fault.__name__} for {for_s:.1f} s: {output}"
    told = re.search(r"([0-9]+) of its requests were in flight then", " ".join(output.split()))
    silent = fault in (hold, cut, stop) and for_s < LIVES_S
    assert code == (0 if silent else 3) or for_s > LIVES_S, what
    assert bool(scene.lost_workers) == (code == 3), what
    if code == 0 or fault is end:
        assert scene.without_a_record == 0 and not list(scene.run.missing_records()), what
    else:
        workers = len(scene.lost_workers)
        counted = int(told[1]) if told is not None else 0
        assert scene.without_a_record <= counted + workers * 2 * UNTOLD_S / SERVICE_S, what
