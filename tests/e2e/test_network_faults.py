"""What lies between processes: wires that are held and cut, workers that stand still, clocks that jump."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from genload.reporting import judge_run
from genload.runlog.records import LoadStarted

from ..flaky_link import Link, link
from ..name_server import name_server
from .scene import SERVICE_S, Scene

pytestmark = [pytest.mark.processes, pytest.mark.faults]

DELAY_S = 0.1
CALLS = 4
"""Of a job, one after the other: upload, order, at least one poll, download."""


@pytest.fixture
def scene(testbed: Any, start_locust: Any, short_suite: Callable[..., str], tmp_path: Path) -> Scene:
    server = testbed(service_time=f"{SERVICE_S * 1e3:g}ms", slots=20)
    return Scene(server, start_locust, short_suite, tmp_path)


@pytest.fixture
def wire() -> Iterator[Callable[..., Link]]:
    """Make links, which end with the test."""
    with ExitStack() as stack:
        yield lambda port, *where: stack.enter_context(link(port, *where))


def test_a_network_between_master_and_worker_that_is_gone_for_ten_seconds_loses_nothing(
    scene: Scene, wire: Callable[..., Link]
) -> None:
    links: list[Link] = []

    def by_a_link(port: int) -> int:
        links.append(wire(port))
        return links[0].port

    scene.begin_cluster("16s", by_a_link)
    links[0].held.set()
    scene.go_on(10.0)
    links[0].held.clear()
    code, output = scene.end()
    assert code == 0, output
    assert (scene.lost_workers, list(scene.run.missing_records()), scene.without_a_record) == ([], [], 0)
    assert {job.outcome for job in scene.jobs} == {"ok"}
    assert [worker.wait(60) for worker in scene.workers] == [0, 0]


def test_a_worker_that_stands_still_is_lost_and_what_it_had_is_counted(scene: Scene) -> None:
    scene.begin_cluster("22s")
    scene.workers[0].send_signal(signal.SIGSTOP)
    scene.go_on(20.0)
    scene.workers[0].send_signal(signal.SIGCONT)
    code, output = scene.end()
    assert code == 3 and "is gone: the run is not valid" in output
    assert len(scene.lost_workers) == 1
    told = re.search(r"([0-9]+) of its requests were in flight then", " ".join(output.split()))
    assert told is not None, output
    # What it did between its last message and its stop is lost with it, at most half a second of two users.
    assert scene.without_a_record <= int(told[1]) + 2 * (0.5 / SERVICE_S)
    assert scene.workers[1].wait(60) == 0


@pytest.mark.skipif(not os.environ.get("CI") and shutil.which("faketime") is None, reason="no faketime")
def test_a_wall_clock_that_jumps_by_an_hour_changes_no_number(
    scene: Scene, environment: dict[str, str], tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    jumping = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    scene.begin_cluster("9s", environment={**environment, **jumping})
    for jump in ("+3600", "-3600"):
        clock.write_text(f"{jump}\n")
        scene.go_on(3.0)
    code, output = scene.end()
    assert code == 0, output
    assert (scene.lost_workers, list(scene.run.missing_records()), scene.without_a_record) == ([], [], 0)
    (began_s,) = [event.t_s for event in scene.run.events() if isinstance(event, LoadStarted)]
    assert {job.source for job in scene.jobs} == {"w0", "w1"}
    for job in scene.jobs:
        assert began_s <= job.start_s < began_s + 9.0 and SERVICE_S <= job.duration_s < 5.0


def test_a_wire_to_the_service_that_is_slow_held_and_cut_is_in_the_numbers_and_loses_nothing(
    scene: Scene, wire: Callable[..., Link]
) -> None:
    """And it is IPv6 alone; and in the middle of it the inspector of outputs is killed, as for its memory."""
    port = urlsplit(scene.server.url).port
    there = wire(port, "::1")
    scene.begin(f"http://[::1]:{there.port}", duration="14s")
    there.held.set()
    held_s = time.monotonic()
    scene.go_on(2.0)
    there.held.clear()
    released_s = time.monotonic()
    scene.go_on(1.0)
    for inspector in _inspectors(scene.main):
        inspector.kill()
    scene.go_on(1.0)
    there.cut()
    scene.go_on(1.0)
    there.delay_s = DELAY_S
    code, output = scene.end()
    assert code == 0, output
    assert scene.without_a_record == 0
    failed = [job for job in scene.jobs if job.outcome != "ok"]
    assert {job.error_class for job in failed} <= {"reset", "closed", "truncated"}, "each with its class"
    assert len(failed) <= 3
    good = [job for job in scene.jobs if job.outcome == "ok"]
    assert {job.numbers["valid"] for job in good} == {1.0}, "the inspector was replaced"
    # Three users, each of whom was in the middle of a job.
    held = [job for job in good if job.duration_s >= (released_s - held_s) - SERVICE_S]
    assert len(held) >= 3 and min(job.duration_s for job in good) >= SERVICE_S
    # Each call waits both ways.
    slow = sorted(job.duration_s for job in good[-6:])
    assert slow[0] >= SERVICE_S + CALLS * 2 * DELAY_S


def test_a_name_that_leads_elsewhere_takes_the_load_with_it(
    scene: Scene, wire: Callable[..., Link], environment: dict[str, str]
) -> None:
    """The service moves: its old address is closed, and its name says the new one."""
    there = urlsplit(scene.server.url).port
    first = wire(there)
    wire(there, "127.0.0.2", first.port)
    with name_server("127.0.0.1") as names:
        url = f"http://service.test:{first.port}"
        scene.begin(url, duration="6s", environment=environment | names.variables)
        names.address = "127.0.0.2"
        moved_s = time.monotonic()
        first.end()
        code, output = scene.end()
        assert names.asked > 1
    assert code == 0, output
    assert scene.without_a_record == 0
    assert sum(row["upload_s"] > moved_s for row in scene.server.truth_records()) > 3, output
    failed = [job for job in scene.jobs if job.outcome != "ok"]
    # What was under way, and calls that found the old address closed before the name was looked up again.
    assert {job.error_class for job in failed} <= {"reset", "closed", "truncated", "refused"}


@pytest.mark.parametrize("ending", ["master killed", "its disk is full"])
def test_workers_end_without_their_master_and_what_was_written_stands(scene: Scene, ending: str) -> None:
    scene.begin_cluster("60s")
    while not scene.jobs:
        scene.go_on(0.1)
    if ending == "master killed":
        scene.main.kill()
    else:
        size = scene.run.folder.joinpath("requests.jsonl").stat().st_size
        resource.prlimit(scene.main.pid, resource.RLIMIT_FSIZE, (size, size))
    code, output = scene.end()
    assert code == (-signal.SIGKILL if ending == "master killed" else 2), output
    assert ending == "master killed" or "lines are lost" in output
    for worker in scene.workers:
        worker.communicate(timeout=60)
    written = len(scene.jobs)
    assert {job.outcome for job in scene.jobs} <= {"ok"}
    assert 0 < written <= len(scene.server.truth_records())
    [run] = judge_run(scene.run.folder)
    assert (run.verdict.valid, run.verdict.exit_code) == (False, 3)


def _inspectors(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    found = [child for child in children if "inspector" in " ".join(child.cmdline())]
    assert found
    return found
