"""Runs on two workers, each with a fault that is drawn: every job of the service is recorded, or counted
as lost.

Twenty seeds from SOAK_SEED on, 0 unless it is set.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.records import Notice, WorkerLost

from ..flaky_link import Link, link
from .scene import SERVICE_S, Scene

# Of its own: a run, its fault and its end, on a machine that does other things as well.
pytestmark = [pytest.mark.processes, pytest.mark.soak, pytest.mark.timeout(400)]

FIRST = int(os.environ.get("SOAK_SEED", "0"))
LOAD_S = 20
LIVES_S = 12.0
"""A worker that is silent for less is not lost (`HEARTBEAT_LIVENESS` less what a busy machine may take)."""


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


def pause(scene: Scene, for_s: float) -> None:
    """Real time passes, also when the run has ended meanwhile."""
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s and scene.main.poll() is None:
        time.sleep(0.05)


def hold(scene: Scene, for_s: float) -> None:
    scene.link.held.set()
    pause(scene, for_s)
    scene.link.held.clear()


def cut(scene: Scene, for_s: float) -> None:
    """And whoever connects again is cut off again, for so long."""
    for _ in range(round(for_s)):
        scene.link.cut()
        pause(scene, 1.0)


def stop(scene: Scene, for_s: float) -> None:
    scene.workers[0].send_signal(signal.SIGSTOP)
    pause(scene, for_s)
    scene.workers[0].send_signal(signal.SIGCONT)


def kill(scene: Scene, for_s: float) -> None:
    scene.workers[0].kill()


def end(scene: Scene, for_s: float) -> None:
    scene.workers[0].terminate()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 20))
def test_every_job_is_in_the_records_or_counted_as_lost(scene: Scene, seed: int) -> None:
    """The fault begins at any moment of the load; many last beyond its end."""
    rng = random.Random(seed)
    fault = rng.choice([hold, cut, stop, kill, end])
    for_s = rng.uniform(1.0, 20.0)
    pause(scene, rng.uniform(0.0, LOAD_S - 2.0))
    began_s = time.monotonic()
    fault(scene, for_s)
    took_s = time.monotonic() - began_s
    code, output = scene.end(200.0)
    scene.server.end()  # which then says what it knows of the jobs that nobody fetched
    what = f"seed {seed}: {fault.__name__} for {took_s:.1f} s: {output}"
    events = list(scene.run.events())
    lost = {event.source: event.t_s for event in events if isinstance(event, WorkerLost)}
    assert code == (3 if lost else 0), what
    if fault in (hold, cut, stop) and took_s < LIVES_S:
        assert not lost, what
    notices = [event.text for event in events if isinstance(event, Notice)]
    counted = sum(map(int, re.findall(r"([0-9]+) of its requests were in flight then", " ".join(notices))))
    unknown = scene.jobs_without_a_record
    if not lost:
        assert not unknown and not list(scene.run.missing_records()), what
    elif fault is end:
        assert not unknown, what
    else:
        began_earlier = [row for row in unknown if row["upload_s"] < scene.run_began_s + min(lost.values())]
        assert len(began_earlier) <= counted, what
