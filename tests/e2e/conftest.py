"""Whole runs with real processes: the testbed, Locust, the sampler."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord

from ..busy_machine import VALIDITY
from ..conftest import system_program
from ..listening import listening_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
LOCUSTFILES = ROOT / "locustfiles"
SCREEN = {"width": 1280, "height": 800}
WAIT_MS = 80_000
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Outcome:
    """What a finished process left."""

    code: int
    output: str
    results: Path

    @property
    def suite_folder(self) -> Path:
        (folder,) = self.results.iterdir()
        return folder

    def result(self, scenario: str) -> dict[str, Any]:
        """results_<scenario>.json."""
        document: dict[str, Any] = json.loads((self.suite_folder / f"results_{scenario}.json").read_text())
        return document

    def requests(self, scenario: str) -> list[RequestRecord]:
        return list(open_run(self.suite_folder / scenario).requests())

    def jobs(self, scenario: str) -> list[RequestRecord]:
        return [record for record in self.requests(scenario) if record.operation]


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, of a module: two at once would share their loop."""
    # Here, not above: most of these tests look at no page.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = system_program("chromium", "chromium-browser", "google-chrome")
        found = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """The `file` of a module as opened by a double click; nothing may be refused, go wrong, or be fetched."""
    opened = browser.new_page(viewport=SCREEN)  # type: ignore[arg-type]
    opened.set_default_timeout(WAIT_MS)
    told: list[str] = []
    opened.on("console", lambda message: told.append(message.text))
    opened.on("pageerror", lambda error: told.append(str(error)))
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url.partition(",")[0]))
    opened.goto(file.as_uri())
    yield opened
    if kept := os.environ.get("GENLOAD_SCREENSHOTS"):
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split(" ")[0]
        opened.screenshot(path=Path(kept) / f"{name}.png")
    opened.close()
    assert told == []
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]


def in_progress(server: Any) -> float:
    """How many jobs a running testbed works on."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:  # noqa: S310
        page = answer.read().decode()
    return sum(map(float, re.findall(r"^orfeas_generations_in_progress\{.*\} (.*)$", page, re.MULTILINE)))


@pytest.fixture
def brisk() -> tuple[str, str]:
    """For a run of a built-in suite: the idle times around its load, three ticks of the slowest monitor that
    knows memory, take 0.6 s each and not 3 s.
    """
    return "--set", "monitors.host.interval=200ms"


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "160"}


@pytest.fixture
def start_locust(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Start Locust with one of our locustfiles; results go to tmp_path/results. What still runs at the end of
    the test is killed.
    """
    started: list[subprocess.Popen[str]] = []

    def start(
        *options: str, locustfile: str = "generation3d", environment: dict[str, str] = environment
    ) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(LOCUSTFILES / f"{locustfile}.py"),
            "--results",
            str(tmp_path / "results"),
            *options,
        ]
        process = subprocess.Popen(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
            env=environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def run_locust(start_locust: Start, tmp_path: Path) -> Callable[..., Outcome]:
    """Run Locust headless to its end."""

    def run(*options: str, timeout_s: float = 200, **locust: str) -> Outcome:
        process = start_locust("--headless", *options, **locust)
        try:
            output, _ = process.communicate(timeout=timeout_s)
        finally:
            process.kill()
        return Outcome(process.returncode, output, tmp_path / "results")

    return run


@pytest.fixture
def run_genload(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Outcome]:
    """Run `genload run` to its end."""

    def run(*arguments: str, timeout_s: float = 200) -> Outcome:
        command = [sys.executable, "-m", "genload", "run", *arguments, "--results", str(tmp_path / "results")]
        done = subprocess.run(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
            env=environment,
            timeout=timeout_s,
        )
        return Outcome(done.returncode, done.stdout, tmp_path / "results")

    return run


@pytest.fixture
def short_suite(tmp_path: Path) -> Callable[..., str]:
    """Write a suite with one scenario, ``own.yaml/short``: three users, real time, no warm-up, no limits that
    a busy machine would exceed. Returns the target.

    Args, as YAML: `criteria`, `duration`, `monitors`, and `more` top-level lines.
    """

    def write(
        *,
        criteria: str = "all_good: generate.failed == 0",
        duration: str = "20s",
        monitors: str = "host: {interval: 200ms}",
        more: str = "",
    ) -> str:
        suite = tmp_path / "own.yaml"
        suite.write_text(
            "service: {api: orfeas, timeout: 30s, poll: {interval: 50ms}}\n"
            "locustfile: generation3d\n"
            f"monitors: {{{monitors}}}\n"
            f"validity: {VALIDITY}\n"
            "scenarios:\n  short:\n"
            f"    shape: {{kind: normal, users: 3, duration: {duration}}}\n"
            "    warmup: {jobs: 0}\n    failure_pause: 100ms\n"
            f"    criteria: {{{criteria}}}\n{more}\n"
        )
        return f"{suite}/short"

    return write


@pytest.fixture
def running(start_locust: Start) -> Callable[..., subprocess.Popen[str]]:
    """Start headless Locust."""
    return lambda *options: start_locust("--headless", *options)


@pytest.fixture
def cluster(start_locust: Start) -> Callable[..., Any]:
    """Start a headless master with these options, and its workers: the master, and the list of them."""

    def start(
        *options: str, workers: int = 2, **locust: str
    ) -> tuple[subprocess.Popen[str], list[subprocess.Popen[str]]]:
        expect = ("--master", "--headless", "--master-bind-port", "0", "--expect-workers", str(workers))
        master = start_locust(*expect, *options, **locust)
        port = str(listening_port(master))
        return master, [start_locust("--worker", "--master-port", port, **locust) for _ in range(workers)]

    return start


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait for something that a running process brings about; it must not end before."""

    def wait(reached: Callable[[], Any], process: subprocess.Popen[str], timeout_s: float = 120) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not reached():
            if process.poll() is not None and not reached():
                pytest.fail(f"it ended before:\n{process.communicate()[0]}")
            assert time.monotonic() < deadline_s, "it never came"
            time.sleep(0.02)

    return wait
