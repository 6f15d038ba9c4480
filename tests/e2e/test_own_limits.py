"""What the load generator's own machine does not allow is told before the load, or makes the run invalid: it
is never a failure of the service.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import LOCUSTFILES, Outcome

pytestmark = pytest.mark.processes
FILES = 70


@pytest.fixture
def run_limited(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Outcome]:
    """Run Locust headless with so many open files allowed."""

    def run(files: int, *options: str, locustfile: Path = LOCUSTFILES / "generation3d.py") -> Outcome:
        words = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", *options]
        words += ["--results", str(tmp_path / "results")]
        command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *words]
        done = subprocess.run(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
            env=environment,
            timeout=200,
        )
        return Outcome(done.returncode, done.stdout, tmp_path / "results")

    return run


def test_too_few_open_files_are_told_before_the_load(
    run_limited: Callable[..., Outcome], short_suite: Callable[..., str]
) -> None:
    target = short_suite()
    outcome = run_limited(FILES, "--scenario", target, "--set", "scenarios.short.shape.users=40")

    assert outcome.code == 2, outcome.output
    assert f"40 users need 90 open files, and a process may have {FILES}" in outcome.output
    assert "ulimit -n 90" in outcome.output and not outcome.results.exists()


# Once eight jobs have succeeded it takes what is left, until the load has ended and nothing is in flight.
GREEDY = """

from locust import events

taken, succeeded = [], []

@events.request.add_listener
def on_request(name, exception=None, **_):
    if name == "generate" and exception is None:
        succeeded.append(name)
    if len(succeeded) >= 8 and not taken:
        try:
            while True:
                taken.append(open("/dev/null"))
        except OSError:
            pass

@events.test_stopping.add_listener
def on_stopping(**_):
    taken.clear()
"""


def test_files_that_run_out_under_load_make_the_run_invalid_and_fail_nobody(
    run_limited: Callable[..., Outcome],
    short_suite: Callable[..., str],
    testbed: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """The locustfile of a user takes what is left, so that what every part of genload opens is refused."""
    service = testbed(service_time="100ms", slots=20)
    locustfile = tmp_path / "greedy.py"
    locustfile.write_text((LOCUSTFILES / "generation3d.py").read_text() + GREEDY)
    outcome = run_limited(
        FILES,
        "--scenario",
        short_suite(duration="6s"),
        "--set",
        "scenarios.short.shape.users=8",
        "-H",
        service.url,
        locustfile=locustfile,
    )

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output, outcome.output
    verdict = outcome.result("short")["verdict"]
    (reason,) = (reason for reason in verdict["reasons"] if reason["code"] == "client_limit")
    assert "Too many open files" in reason["text"] and "ulimit -n" in reason["remedy"]
    failed = [job for job in outcome.jobs("short") if job.outcome == "failed"]
    assert failed and {job.error_class for job in failed} == {"client_limit"}


RUNNING_OUT = """
import itertools

from gevent.local import local
from locust import task

from genload.client import connection
from genload.harness.job_user import JobUser
from genload.harness.plugin import install

install()
asked, turn_of = itertools.count(), local()
new_socket = connection._new_socket


class NoPort(new_socket):
    def connect_ex(self, address):
        return errno.EADDRNOTAVAIL


def scarce(*arguments):
    kind = getattr(turn_of, "kind", "")
    if kind == "memory at connect":
        raise MemoryError
    return (NoPort if kind == "port" else new_socket)(*arguments)


connection._new_socket = scarce


class Scarce(JobUser):
    @task
    def generate(self):
        image = self.next_input()
        with self.turn() as turn:
            turn_of.kind = KINDS[next(asked) % len(KINDS)]
            if turn_of.kind == "own memory":
                raise MemoryError
            self.run_job(turn, image)
"""


def test_ports_and_memory_that_run_out_make_the_run_invalid_and_fail_nobody(
    run_limited: Callable[..., Outcome],
    short_suite: Callable[..., str],
    testbed: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Each of eight users has one request: it gets no port, or no memory, or all that it needs."""
    kinds = ("port", "memory at connect", "own memory", "none")
    service = testbed(service_time="100ms", slots=20)
    locustfile = tmp_path / "scarce.py"
    locustfile.write_text(f"import errno\n\nKINDS = {kinds}\n{RUNNING_OUT}")
    burst = "scenarios.short.shape={kind: burst, users: 8}"
    options = ("--scenario", short_suite(monitors=""), "--set", burst, "-H", service.url)
    outcome = run_limited(1000, *options, locustfile=locustfile)

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output, outcome.output
    classes = Counter(job.error_class for job in outcome.jobs("short"))
    assert classes == {"client_limit": 6, "": 2}
    verdict = outcome.result("short")["verdict"]
    (reason,) = (reason for reason in verdict["reasons"] if reason["code"] == "client_limit")
    assert "6 requests failed of a limit of the load generator's machine" in reason["text"]
    assert "scarce.py:" in reason["text"] and "in generate: MemoryError" in reason["text"]
    assert "ip_local_port_range" in reason["remedy"] and "more memory" in reason["remedy"]
