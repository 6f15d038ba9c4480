"""The process: `genload serve` and `python -m testbed`, from the first line to the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import genload.commands.serve as command
from genload.errors import UsageError
from testbed.quantities import parse_duration_s

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
SERVE = "import typer; from genload.commands.serve import serve; a = typer.Typer(); a.command()(serve); a()"


def run(*arguments: str, cwd: Path = ROOT, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "testbed", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=30,
        **options,
    )


def test_it_says_where_it_listens_and_what_it_models(service) -> None:
    assert service.line == (
        f"listening on http://127.0.0.1:{service.port} (testbed: 100 s a job, 3 slots, queue when full,"
        " time scale 0.001, seed 0)\n"
    )


def test_it_listens_on_loopback_only(service) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: asks which address would be used
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((address, service.port), timeout=5):
        pass


def test_a_taken_port_is_one_line(service) -> None:
    ended = run("--port", str(service.port))
    assert ended.returncode == 2
    assert ended.stderr == f"testbed: cannot listen on 127.0.0.1:{service.port}: Address already in use\n"


def test_a_truth_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    ended = run("--port=0", "--truth", str(tmp_path / "none" / "truth.jsonl"))
    assert ended.returncode == 2
    assert "No such file or directory" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--slots=0"],
        ["--service-time=soon"],
        ["--time-scale=0"],
        ["--fault=fail=150%"],
        ["--when-full=drop"],
        ["--port=70000"],
    ],
)
def test_a_wrong_option_is_usage(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert arguments[0].split("=")[0] in ended.stderr
    assert "Traceback" not in ended.stderr


def test_durations() -> None:
    texts = ["82", "82s", "1.5min", "500ms", "2h", ".5 s"]
    assert [parse_duration_s(text) for text in texts] == [82, 82, 90, 0.5, 7200, 0.5]
    for text in ("", "s", "-1s", "5 days", "1e3"):
        with pytest.raises(ValueError, match="is not a duration"):
            parse_duration_s(text)


# --- genload serve --------------------------------------------------------------------------------


def test_genload_serve_becomes_the_testbed_of_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "testbed").mkdir()
    (tmp_path / "testbed" / "__main__.py").write_text("raise SystemExit('the wrong testbed')")
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-c",
            SERVE,
            "--port=0",
            "--time-scale=0.02",
            "--truth=truth.jsonl",
            "--slots=7",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.endswith("(testbed: 82 s a job, 7 slots, queue when full, time scale 0.02, seed 0)\n")
        with urllib.request.urlopen(f"{line.split()[2]}/health", timeout=30) as answer:  # noqa: S310 - http
            assert answer.headers["X-Testbed-Time-Scale"] == "0.02"
        assert (tmp_path / "truth.jsonl").exists()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(("option", "words"), [("--service-time=5%", "duration"), ("--slots=0", "--slots")])
def test_genload_serve_names_a_wrong_option(option: str, words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SERVE, option], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 2
    assert words in ended.stderr


def test_genload_serve_refuses_a_scale_that_is_none() -> None:
    with pytest.raises(UsageError, match="--time-scale 0 is not positive"):
        command.serve(time_scale=0.0)


def test_a_missing_extra_is_one_line_with_the_remedy() -> None:
    with pytest.raises(UsageError) as caught:
        command.testbed_command(find=lambda name: None if name == "starlette" else object())
    assert caught.value.render() == (
        "the testbed needs starlette\n  → install it with: pip install 'genload[testbed]'"
    )


def test_an_installed_wheel_runs_its_own_testbed() -> None:
    words, path = command.testbed_command(find=lambda name: object())
    assert words[1:] == ["-P", "-m", "genload.testbed"]
    assert path == ""


def test_a_checkout_runs_the_testbed_beside_the_package() -> None:
    words, path = command.testbed_command(find=lambda name: None if name == "genload.testbed" else object())
    assert (words[1:], path) == (["-P", "-m", "testbed"], str(ROOT))
