"""What the tests of several areas share: programs of the system, free ports, a running testbed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest

# `import locust` patches the whole process: tests that look at shapes and gates want it, not the patching.
os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
import locust  # noqa: F401

del os.environ["LOCUST_SKIP_MONKEY_PATCH"]

# Started in the background by a script, we and our children would ignore SIGINT; some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI") == "true"
SESSION_VARIABLE = "GENLOAD_TEST_SESSION"
READY_S = 120.0
LISTENS = re.compile(r"listening on (http://[\d.:]+)")
END_S = 30.0
LAST_PROCESSES_S = 10.0

# How long a busy machine takes for an example says nothing about what is tested.
hypothesis.settings.register_profile(
    "genload", deadline=None, derandomize=IN_CI, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("genload"), max_examples=25)
hypothesis.settings.load_profile("genload")


# --- nothing skipped in CI, nothing left behind ---------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skipped test is a hole in the proof: the session fails."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if IN_CI and reporter and skipped and exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI=true, and {len(skipped)} tests were skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session", autouse=True)
def no_process_left_behind() -> Iterator[None]:
    """Fail a session whose tests leave processes running, and end those.

    A mark in the environment finds them even when their parent has ended before them.
    """
    mark = f"{os.getpid()}-{time.time_ns()}"
    os.environ[SESSION_VARIABLE] = mark
    yield
    _, left = psutil.wait_procs(marked_processes(mark), timeout=LAST_PROCESSES_S)
    told = [_describe(process) for process in left]
    for process in left:
        process.kill()
    assert not told, "the tests left processes running:\n" + "\n".join(told)


def marked_processes(mark: str) -> list[psutil.Process]:
    """Processes that were started under the mark, by their environment or as our descendants.

    Python's own resource tracker is left out: it lives as long as we do, and ends with us.
    """
    own = psutil.Process()
    found = {process.pid: process for process in own.children(recursive=True)}
    for process in psutil.process_iter():
        try:
            if process.pid != own.pid and process.environ().get(SESSION_VARIABLE) == mark:
                found[process.pid] = process
        except (psutil.Error, OSError):
            continue
    return [process for process in found.values() if _counts(process)]


def _counts(process: psutil.Process) -> bool:
    try:
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and "multiprocessing.resource_tracker" not in " ".join(process.cmdline())
        )
    except psutil.NoSuchProcess:
        return False


def _describe(process: psutil.Process) -> str:
    try:
        started_by = process.environ().get("PYTEST_CURRENT_TEST", "an unknown test")
        return f"  {process.pid} {' '.join(process.cmdline())[:160]} (started by {started_by})"
    except psutil.Error:
        return f"  {process.pid}"


# --- processes only where a test says so ----------------------------------------------------------
#
# `make quick` is every test without the mark `processes`. What a test says of itself is held against what it
# does: the interpreter tells of each process that is started (PEP 578).

PROCESS_FIXTURES = frozenset({"testbed", "shared_testbed", "serve", "talk", "nvml_build"})
"""Fixtures that start processes: a test that uses one need not say so."""
PROCESS_EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})

_under_way: list[pytest.Item] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if PROCESS_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("processes")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    _under_way[:] = [item]
    try:
        return (yield)
    finally:
        _under_way.clear()


def _refuse_unmarked_processes(event: str, _: tuple[Any, ...]) -> None:
    if event in PROCESS_EVENTS and _under_way and not _under_way[0].get_closest_marker("processes"):
        pytest.fail(f"a process is started ({event}): mark the test with `processes`")


sys.addaudithook(_refuse_unmarked_processes)

# --- programs of the system -----------------------------------------------------------------------


def system_program(*names: str) -> str:
    """The path of a program by one of its names; without it the test skips, or fails in CI."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    reason = f"{names[0]} is not installed on this machine"
    if IN_CI:
        pytest.fail(f"{reason}; .ci/run installs it", pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def nginx() -> str:
    """Path of nginx."""
    return system_program("nginx")


@pytest.fixture
def prometheus() -> str:
    """Path of Prometheus."""
    return system_program("prometheus")


@pytest.fixture(scope="session")
def c_compiler() -> str:
    """Path of a C compiler."""
    return system_program("cc", "gcc", "clang")


@pytest.fixture
def docker_compose() -> str:
    """Path of docker-compose, which checks a file without an engine."""
    return system_program("docker-compose")


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    return system_program("ffmpeg")


# --- ports and the testbed ------------------------------------------------------------------------


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port of the loopback address on which nobody listens, and nobody else will while the test runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@dataclass(frozen=True)
class Testbed:
    """A running testbed.

    Attributes:
        url: its base URL on the loopback address.
        truth: its truth log, one JSON line a job; the file appears with the first job.
        log: what it wrote to stdout and stderr.
    """

    __test__ = False

    url: str
    truth: Path
    log: Path
    process: subprocess.Popen[bytes]

    def truth_records(self) -> list[dict[str, Any]]:
        """The truth log as it stands."""
        written = self.truth.read_text(encoding="utf-8") if self.truth.exists() else ""
        return [json.loads(line) for line in written.splitlines(keepends=True) if line.endswith("\n")]

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """It goes on with nothing meanwhile: what is in flight stays in flight, however long a test takes."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End it, and wait until it is gone."""
        end_process(self.process)


@contextmanager
def testbeds(folder: Path) -> Iterator[Callable[..., Testbed]]:
    """A factory of running testbeds, which end with the block: ``testbed(service_time="1s")`` starts one with
    ``--service-time 1s``.

    True means a bare flag, None leaves an option out, a list repeats it; `program` and
    `cwd` start another installation's.
    """
    running: list[Testbed] = []

    def start(
        *, program: Sequence[str] = (sys.executable, "-m", "testbed"), cwd: Path = ROOT, **options: Any
    ) -> Testbed:
        number = len(running)
        truth = Path(options.pop("truth", None) or folder / f"truth-{number}.jsonl")
        arguments = ["--truth", str(truth), *command_line({"port": 0, **options})]
        log = folder / f"testbed-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*program, *arguments],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        running.append(Testbed(wait_until_ready(process, log), truth, log, process))
        return running[-1]

    try:
        yield start
    finally:
        for one in running:
            one.end()


@pytest.fixture
def testbed(tmp_path: Path) -> Iterator[Callable[..., Testbed]]:
    """The factory; what it starts ends with the test."""
    with testbeds(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def shared_testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Testbed]]:
    """The factory for tests that change nothing of a testbed, nor ask what befell it: the same options give
    the same one."""
    with testbeds(tmp_path_factory.mktemp("testbeds")) as start:
        known: dict[str, Testbed] = {}

        def share(**options: Any) -> Testbed:
            asked = repr(sorted(options.items()))
            if asked not in known:
                known[asked] = start(**options)
            return known[asked]

        yield share


def command_line(options: dict[str, Any]) -> Sequence[str]:
    """Keyword options as a command line has them."""
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        for each in value if isinstance(value, list) else [value]:
            if each is True:
                words.append(flag)
            elif each is not None:
                words += [flag, str(each)]
    return words


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until it says where it listens, and for ``/ready``: its base URL. Fails with the process's own
    words when it ends or stays silent."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        told = LISTENS.search(log.read_text(encoding="utf-8", errors="replace"))
        try:
            if told is not None:
                with urllib.request.urlopen(f"{told[1]}/ready", timeout=2) as answer:  # noqa: S310  our own URL
                    if answer.status == 200:
                        return told[1]
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.02)
    end_process(process)
    words = log.read_text(encoding="utf-8", errors="replace")[-4000:]
    pytest.fail(f"the testbed was not ready within {READY_S:.0f} s, exit code {process.returncode}:\n{words}")


def end_process(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL when that is ignored."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
