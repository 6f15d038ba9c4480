"""What must not get out: secrets, a service's text as commands to a terminal or a page, an open port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ..busy_machine import VALIDITY
from ..scripted_server import Call, Reply, served
from .odd_servers import Orfeas

pytestmark = pytest.mark.processes

LOCUSTFILE = Path(__file__).resolve().parents[2] / "locustfiles" / "generation3d.py"
TOKEN = "s3cr3t-token-of-the-environment"  # noqa: S105  that is what is looked for
KEY = "k3y-of-a-file-that-nobody-sees"
SESSION = "s3ss10n-that-expires"
SESSION_COMMAND = f"""echo asked >> asked.txt
echo '{{"access_token": "{SESSION}", "expires_in": 1}}'
"""
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m[bold red]x[/bold red] </failure><script>alert(1)</script> | **b** "
    "![i](http://example.invalid/i.png) @everyone \u202egnp.exe\r\nsecond line\x00 " + "A" * 100_000
)
SUITE = (
    f"validity: {VALIDITY}\n"
    + """
extends: orfeas
service:
  poll: {interval: 50ms}
  headers:
    Authorization: "Bearer ${env:GENLOAD_TEST_TOKEN}"
    X-Api-Key: "${file:key.txt}"
    X-Session-Token: "${command:sh session.sh}"
monitors:
  exposition: {interval: 500ms, headers: {Authorization: "Bearer ${env:GENLOAD_TEST_TOKEN}"}}
  host: {interval: 200ms}
scenarios:
  normal:
    shape: {kind: normal, users: 2, duration: 2s}
    failure_pause: 200ms
    criteria: {p95_time_ok: generate.duration.p95 < 2s}
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "key.txt").write_text(KEY)
    (tmp_path / "session.sh").write_text(SESSION_COMMAND)
    (tmp_path / "mine.yaml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Callable[..., str]:
    """Run a command line to its end, both secrets within its reach; everything that it printed."""

    def run(*words: str, code: int | None = None) -> str:
        environment = {**os.environ, "GENLOAD_TEST_TOKEN": TOKEN, "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=200,
        )
        output = done.stdout.decode()
        assert code is None or done.returncode == code, output
        return output

    return run


@contextmanager
def command_lines() -> Iterator[set[str]]:
    """Every command line that any process of this machine has while the block runs."""
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for process in psutil.process_iter():
                try:
                    seen.add(" ".join(process.cmdline()))
                except psutil.Error:
                    continue

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        ended.set()
        watching.join()


def leaks(folder: Path) -> list[str]:
    """Files below `folder` with a secret in them; the secrets' own files are none."""
    own = ("key.txt", "session.sh")
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in own]
    assert len(files) > 5
    return [
        str(path) for path in files for word in (TOKEN, KEY, SESSION) if word.encode() in path.read_bytes()
    ]


def guarded(call: Call) -> Reply | None:
    names = ("authorization", "x-api-key", "x-session-token")
    sent = tuple(call.headers.get(name) for name in names)
    known = sent == (f"Bearer {TOKEN}", KEY, SESSION) or (
        call.path == "/metrics" and sent[0] == f"Bearer {TOKEN}"
    )
    return None if known else Reply(401, b'{"error": "who are you?"}')


def told_back(call: Call) -> str:
    refused, key, session = (call.headers[name] for name in ("authorization", "x-api-key", "x-session-token"))
    return f"refused for {refused} with {key} in {session}"


def test_secrets_are_sent_and_get_nowhere_else(run: Callable[..., str], folder: Path) -> None:
    """The service repeats both in the error of every job: that is not kept or shown either."""
    service = Orfeas(failure=told_back, guard=guarded)
    with served(service) as url, command_lines() as seen:
        locust = ("locust", "-f", str(LOCUSTFILE), "--headless", "--scenario", "mine.yaml/normal", "-H", url)
        files = ("--html", "locust.html", "--csv", "locust", "--logfile", "locust.log", "--loglevel", "DEBUG")
        with ThreadPoolExecutor() as pool:
            doors = [
                pool.submit(run, "genload", "run", "mine.yaml/normal", "--host", url),
                pool.submit(run, *locust, *files),
                pool.submit(run, "genload", "try", "mine.yaml/normal", "--host", url, code=1),
            ]
            printed = "".join(door.result() for door in doors)
    assert {guarded(call) for call in service.calls} == {None}
    assert sum(call.path == "/metrics" for call in service.calls) >= 3
    # Each job fails by its first poll, and none is left without one.
    polls = sum(call.path.startswith("/api/job-status/") for call in service.calls)
    assert polls == sum(call.path == "/api/generate-3d" for call in service.calls) > 0

    told = "refused for Bearer ${env:GENLOAD_TEST_TOKEN} with ${file:key.txt} in ${command:sh session.sh}"
    assert told in printed
    for header in ("Authorization", "X-Api-Key", "X-Session-Token"):
        assert f"> {header}: (hidden)" in printed
    # Once for each of the three processes, and again before a second is over; never for each request.
    asked = (folder / "asked.txt").read_text().splitlines()
    assert 5 <= len(asked) <= 30 < len(service.calls)
    assert any("mine.yaml/normal" in line for line in seen)
    secrets = (TOKEN, KEY, SESSION)
    assert not [word for word in secrets if word in printed]
    assert not [line for line in seen for word in secrets if word in line]
    assert leaks(folder) == []


def test_text_of_a_service_is_only_text(run: Callable[..., str], folder: Path) -> None:
    with served(Orfeas(failure=lambda call: HOSTILE)) as url, ThreadPoolExecutor() as pool:
        doors = [
            pool.submit(run, "genload", command, "mine.yaml/normal", "--host", url, code=1)
            for command in ("run", "try")
        ]
        printed, tried = (door.result() for door in doors)
    for words in (printed, tried):
        assert "[bold red]x[/bold red]" in words
        assert not set(words) & set("\x1b\x07\x9b\x00\u202e")
    assert "second line" in printed and "A" * 1000 not in printed

    (report,) = folder.glob("results/*/summary.md")
    markdown = report.read_text()
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)
    assert "<script>" in markdown and not re.search("script|example.invalid|@everyone", outside_code)
    assert not set(markdown) & set("\x1b\x07\x9b\x00\u202e")
    (junit,) = folder.glob("results/*/junit.xml")
    suites = ET.parse(junit).getroot()  # noqa: S314  our own file
    assert [case.get("name") for case in suites.iter("testcase")]
    assert {element.tag for element in suites.iter()} & {"script"} == set()
    for path in folder.glob("results/*/normal/*.jsonl"):
        assert max(map(len, path.read_bytes().splitlines())) < 4000, path


def test_the_reason_why_a_service_is_not_ready_is_only_text(run: Callable[..., str]) -> None:
    body = b'{"error": "\\u001b[2J\\u001b]0;owned\\u0007loading [bold]models[/bold]"}'
    locust = ("locust", "-f", str(LOCUSTFILE), "--headless", "--scenario", "orfeas/spike")
    quickly = ("--set", "service.ready_timeout=1s")
    with served(Orfeas(guard=lambda call: Reply(503, body))) as url, ThreadPoolExecutor() as pool:
        doors = [
            pool.submit(run, "genload", "try", "orfeas", "--host", url, code=4),
            pool.submit(run, *locust, "-H", url, *quickly, code=4),
        ]
        printed = "".join(door.result() for door in doors)
    assert printed.count("loading [bold]models[/bold]") >= 3
    assert not set(printed) & set("\x1b\x07")


def listening(processes: list[psutil.Process]) -> set[str]:
    """The addresses on which the processes and their descendants take connections or datagrams."""
    everyone = [one for process in processes for one in (process, *process.children(recursive=True))]
    return {
        connection.laddr.ip
        for process in everyone
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or (connection.laddr and not connection.raddr)
    }


def test_nothing_listens_beyond_the_loopback_address(testbed: Callable[..., object], folder: Path) -> None:
    server = testbed(service_time="82s", slots=20, time_scale="0.02")
    common = ("--scenario", "demo/spike", "--time-scale", "0.02", "-H", server.url)  # type: ignore[attr-defined]
    kinds = {
        "web UI": ("--web-port", "0"),
        "master": ("--master", "--headless", "--expect-workers", "1", "--master-bind-port", "0"),
        "run": ("--headless",),
    }
    words = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *common]
    started = {
        kind: subprocess.Popen(
            [*words, *options, "--results", kind],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for kind, options in kinds.items()
    }
    try:
        deadline = time.monotonic() + 60
        sampled = folder / "run"
        waiting = [psutil.Process(started[kind].pid) for kind in ("web UI", "master")]
        while not (
            list(sampled.glob("*/spike/samples.jsonl")) and all(listening([process]) for process in waiting)
        ):
            assert time.monotonic() < deadline, "not everything came up"
            time.sleep(0.1)
        testbed_process = psutil.Process(server.process.pid)  # type: ignore[attr-defined]
        sampling = psutil.Process(started["run"].pid)
        assert sampling.children(), "the sampler runs"
        assert listening([testbed_process, sampling, *waiting]) == {"127.0.0.1"}
    finally:
        started.pop("master").kill()  # it waits for its worker, and has no process of its own
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait(60)
