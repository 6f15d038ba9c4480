"""`genload try`: what it shows, what it writes (nothing), what it ends with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import get_hub

from genload.commands.try_.trial import ctrl_c_without_a_trace

pytestmark = pytest.mark.processes

SUITE = """
extends: orfeas
monitors:
  exposition: {series: {gpu.memory_used: orfeas_gpu_memory_bytes, server.in_flight: never_on_the_page}}
  gpu: null
scenarios:
  normal:
    criteria:
      cool: gpu.temperature.max < 80
      idle: server.in_flight.max <= 3
"""

Try = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "mine.yaml").write_text(SUITE)
    return folder


@pytest.fixture
def start(folder: Path) -> Callable[..., subprocess.Popen[str]]:
    def start(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "genload", "try", *words],
            cwd=folder,
            env={**os.environ, "COLUMNS": "80", "PYTHONUNBUFFERED": "1", "TRY_TOKEN": "t0ken-nobody-sees"},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    return start


@pytest.fixture
def genload_try(start: Callable[..., subprocess.Popen[str]], folder: Path) -> Try:
    """Run it to its end: (exit code, what it printed). It leaves nothing behind."""

    def genload_try(*words: str) -> tuple[int, str]:
        process = start(*words)
        output, _ = process.communicate(timeout=200)
        assert [path.name for path in folder.iterdir()] == ["mine.yaml"]
        return process.returncode, output

    return genload_try


def test_a_request_that_succeeds_is_shown_whole(genload_try: Try, testbed: Callable[..., Any]) -> None:
    server = testbed(service_time="20s", time_scale="0.02")
    header = "service.headers.Authorization=Bearer ${env:TRY_TOKEN}"
    code, output = genload_try("mine.yaml/normal", "--host", server.url, "--set", header)

    assert code == 0
    # Every stage as it begins, in order, and each exchange with its headers.
    shown = [
        "GET /ready",
        "ready",
        "input genload-",
        "stage upload",
        "POST /api/upload-image",
        "stage accept",
    ]
    shown += ["POST /api/generate-3d", "stage queue", "GET /api/job-status/", "stage run", "again: 200 OK"]
    shown += ["stage download", "/api/download/", "output model_", "succeeded in", "validator: faces"]
    at = 0
    for words in shown:
        at = output.find(words, at)
        assert at >= 0, f"{words!r} does not come after the one before it:\n{output}"
    assert "> Authorization: (hidden)" in output and "t0ken" not in output
    assert "< content-type: application/json" in output
    assert '"status":"completed"' in output.replace("\n", "")
    assert "stl mesh" in output and "watertight" in output
    # The metrics: one there, one that is not on the page, one that nobody fills.
    lines = {words[0]: words[1:] for line in output.splitlines() if (words := line.split())}
    assert lines["gpu.memory_used"][1] == "GiB" and lines["server.up"][0] == "1"
    assert lines["host.cpu"][1] == "%"
    assert lines["server.in_flight"] == ["absent", "exposition"]
    assert lines["gpu.temperature"][:3] == ["absent", "no", "monitor"]
    undecided = " ".join(output[output.index("a run could not decide") :].split())
    assert "normal/cool, normal/idle" in undecided
    assert f"genload run mine.yaml/normal --host {server.url}" in output and "--time-scale 0.02" in output
    # One request, and it fits the terminal; only what is there to be copied is longer.
    assert len(server.truth_records()) == 1
    assert all(len(line) <= 80 for line in output.splitlines() if not line.startswith("next:"))


def test_a_job_is_followed_as_the_suite_says(genload_try: Try, testbed: Callable[..., Any]) -> None:
    server = testbed(service_time="200ms")
    listens = ("request.updates=socketio", "connect_timeout=1min", "poll.interval=1min")
    more = [word for setting in listens for word in ("--set", f"service.{setting}")]
    code, output = genload_try("orfeas/spike", "--host", server.url, *more)
    words = " ".join(output.split())
    assert code == 0
    assert words.index("updates the service tells of its jobs") < words.index("stage upload")
    assert "polls: 0; updates: " in words and "; an update told of the end at most " in words
    assert "GET /socket.io/?EIO=…&transport=…" in words and "messages as before" in words
    [line] = server.truth_records()
    assert line["told_s"] is not None


def test_a_request_that_fails_ends_with_1_and_the_reason(
    genload_try: Try, testbed: Callable[..., Any]
) -> None:
    server = testbed(service_time="82s", time_scale="0.02")
    code, output = genload_try("orfeas/spike", "--host", server.url, "--set", "service.timeout=10s")
    assert code == 1
    assert "failed after" in output and "timeout" in output and "stages: connect" in output
    assert "next:" not in output


def test_a_service_that_is_not_ready_ends_with_4(genload_try: Try, testbed: Callable[..., Any]) -> None:
    server = testbed(service_time="1s")
    code, output = genload_try("orfeas", "--host", f"{server.url}/elsewhere")
    assert code == 4
    assert "is not ready: http_404" in output and "→ " in output
    assert "stage" not in output
    assert server.truth_records() == []


def test_ctrl_c_in_a_callback_of_gevent_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with ctrl_c_without_a_trace(), pytest.raises(KeyboardInterrupt):
        get_hub().loop.run_callback(interrupt)
        gevent.sleep(0.1)
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_says_how_far_it_got(
    start: Callable[..., subprocess.Popen[str]], testbed: Callable[..., Any]
) -> None:
    server = testbed(service_time="82s")
    process = start("orfeas/spike", "--host", server.url, "--set", "service.request.updates=socketio")
    assert process.stdout is not None
    said = ""
    while "stage run" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "unfinished after" in output and "Traceback" not in output
