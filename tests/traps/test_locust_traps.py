"""What Locust does to a distributed run of long jobs, with real masters and workers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..busy_machine import VALIDITY
from ..listening import listening_port
from .locust_process import finished, locust
from .scripted_orfeas import ScriptedOrfeas, Server, output

pytestmark = pytest.mark.processes

WAIT_S = 60.0
SUITE = """
name: traps
service: {{api: orfeas, timeout: 120s, poll: {{interval: 50ms}}}}
locustfile: generation3d
reports: [results_json]
validity: {validity}
scenarios:
  all:
    shape: {shape}
    warmup: {{jobs: 0}}
    criteria: {{unfinished: generate.unfinished == 0}}
"""


@pytest.fixture
def service() -> Iterator[Callable[..., ScriptedOrfeas]]:
    servers: list[Server] = []

    def start(*script: str, job_s: float) -> ScriptedOrfeas:
        servers.append(Server(*script, job_s=job_s))
        return servers[-1].service

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Locust processes that end with the test."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*options: str) -> subprocess.Popen[str]:
        started.append(locust(tmp_path, *options))
        return started[-1]

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(reached: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.05)


def master_of(start: Any, tmp_path: Path, url: str, shape: str, *options: str) -> Any:
    (tmp_path / "traps.yaml").write_text(SUITE.format(shape=shape, validity=VALIDITY))
    ports = ("--master", "--master-bind-port", "0")
    return start(*ports, "--scenario", "traps.yaml/all", "-H", url, *options)


def test_a_worker_that_comes_during_a_run_kills_no_job(service: Any, start: Any, tmp_path: Path) -> None:
    server = service("cube", job_s=0.1)
    server.released.clear()
    shape = "{kind: baseline, users: 4, iterations: 8}"
    master = master_of(start, tmp_path, server.url, shape, "--headless", "--expect-workers", "2")
    port = listening_port(master)
    workers = [start("--worker", "--master-port", str(port)) for _ in range(2)]
    wait_for(lambda: len(server.jobs) >= 4, "the load did not begin")
    late = start("--worker", "--master-port", str(port))
    words, _ = late.communicate(timeout=WAIT_S)
    assert late.returncode == 0 and "Traceback" not in words, words
    assert master.poll() is None and len(server.jobs) == 4, "it came after the end"
    server.released.set()
    run = finished(master, tmp_path)
    assert run.code == 0, run.words
    assert "came during a run" in run.words
    assert [notice for notice in run.result["notices"] if notice.startswith("1 worker came ")]
    assert {job.source for job in run.jobs()} == {"w0", "w1"}
    assert sorted(job.job_id for job in run.jobs()) == sorted(server.jobs)
    assert [worker.wait(WAIT_S) for worker in workers] == [0, 0]
    # What a worker found to be no mesh is kept on the master.
    (kept,) = run.log.folder.glob("failures/placeholder/*.stl")
    assert kept.read_bytes() == output("cube", 0)


def test_a_worker_that_is_told_to_end_makes_the_run_invalid(service: Any, start: Any, tmp_path: Path) -> None:
    server = service(job_s=0.1)
    server.released.clear()
    shape = "{kind: baseline, users: 4, iterations: 8}"
    master = master_of(start, tmp_path, server.url, shape, "--headless", "--expect-workers", "2")
    port = listening_port(master)
    workers = [start("--worker", "--master-port", str(port)) for _ in range(2)]
    wait_for(lambda: len(server.jobs) == 4, "the load did not begin")
    workers[1].terminate()
    workers[1].wait(WAIT_S)
    server.released.set()
    run = finished(master, tmp_path)
    assert run.code == 3, run.words
    assert "worker_lost" in [reason["code"] for reason in run.result["verdict"]["reasons"]]


def test_workers_are_there_for_the_next_run_of_the_web_ui(service: Any, start: Any, tmp_path: Path) -> None:
    server = service(job_s=0.5)
    shape = "{kind: baseline, users: 1, iterations: 2}"
    master = master_of(start, tmp_path, server.url, shape, "--web-port", "0")
    port, web_port = listening_port(master), listening_port(master, 1)
    wait_for(lambda: "no worker" in swarm(web_port), "a run without a worker was not refused")
    start("--worker", "--master-port", str(port))
    results = tmp_path / "results"
    for number in (1, 2):
        wait_for(lambda: swarm(web_port) == "", f"run {number} was never accepted")
        wait_for(lambda n=number: len(list(results.glob("*/results_all.json"))) == n, f"no report {number}")
    reports = [json.loads(path.read_text()) for path in results.glob("*/results_all.json")]
    assert [report["successful_requests"] for report in reports] == [2, 2]
    assert len(server.jobs) == 4


def swarm(port: int) -> str:
    """Ask the web UI for a run; "" when it begins, else why not."""
    fields = urllib.parse.urlencode({"scenario": "traps.yaml/all"}).encode()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/swarm", fields, timeout=WAIT_S) as answer:
            document = json.load(answer)
    except OSError as error:
        return str(error)
    return "" if document["success"] else str(document["message"])


def test_workers_of_a_dead_master_stop_loading_soon() -> None:
    program = (
        "import locust.runners as r\n"
        "assert r.MASTER_HEARTBEAT_TIMEOUT == 60\n"
        "from genload.harness import locust_hooks\n"
        "locust_hooks.apply()\n"
        "assert r.MASTER_HEARTBEAT_TIMEOUT == r.HEARTBEAT_LIVENESS == 15\n"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, timeout=WAIT_S * 2)
    assert done.returncode == 0, done.stderr
