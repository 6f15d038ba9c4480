"""`genload demo`: a testbed for as long as the suite runs, gone afterwards whatever happened."""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from genload.cli import main
from genload.commands import _suite_run, _testbed
from genload.commands._targets import Request, SuiteTarget
from genload.errors import ExitCode, ServiceUnavailableError

# A service of a few lines that says it is ready, and its process id.
SERVICE = """
import http.server, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{os.getpid()} {' '.join(sys.argv[1:])}".encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Ready).serve_forever()
"""


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.processes
def test_the_testbed_runs_on_a_free_port_until_the_block_ends() -> None:
    with _testbed.running(["--slots", "20"], [sys.executable, "-c", SERVICE]) as url:
        with urllib.request.urlopen(f"{url}/ready") as answer:  # noqa: S310  our own http URL
            process_id, *options = answer.read().decode().split()
        assert options[:1] == ["--port"] and options[2:] == ["--slots", "20"]
        assert url == f"http://127.0.0.1:{options[1]}"
        assert is_running(int(process_id))
    assert not is_running(int(process_id))


@pytest.mark.processes
def test_it_is_gone_after_a_failure_as_well() -> None:
    with (
        pytest.raises(RuntimeError, match="in the block"),
        _testbed.running([], [sys.executable, "-c", SERVICE]) as url,
    ):
        with urllib.request.urlopen(url) as answer:  # noqa: S310
            process_id = int(answer.read().split()[0])
        raise RuntimeError("in the block")
    assert not is_running(process_id)


@pytest.mark.processes
def test_a_testbed_that_ends_at_once_is_told_with_its_last_words() -> None:
    dying = [sys.executable, "-c", "import sys; sys.exit('no library uvicorn')"]
    with (
        pytest.raises(ServiceUnavailableError, match=r"(?s)ended with code 1.*no library uvicorn"),
        _testbed.running([], dying),
    ):
        pytest.fail("the block must not run")


class Double:
    """Stands in for testbed and suite, and keeps what they were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: ExitCode) -> None:
        self._code = code
        self.options: Sequence[str] = ()
        self.request: Request | None = None
        self.scenarios: tuple[str, ...] = ()
        monkeypatch.setattr(_testbed, "running", self._running)
        monkeypatch.setattr(_suite_run, "run_suites", self._run_suites)

    @contextmanager
    def _running(self, options: Sequence[str]) -> Iterator[str]:
        self.options = options
        yield "http://127.0.0.1:4242"

    def _run_suites(self, request: Request, targets: Sequence[SuiteTarget], console: object) -> ExitCode:
        self.request = request
        [target] = targets
        self.scenarios = target.scenarios
        return self._code


@pytest.mark.parametrize("code", [ExitCode.PASSED, ExitCode.INVALID])
def test_the_whole_suite_against_it_at_the_same_time_scale(
    monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path, code: ExitCode
) -> None:
    double = Double(monkeypatch, code)
    assert main(["demo"]) == code
    assert list(double.options) == ["--slots", "20", "--time-scale", "0.02"]
    assert double.scenarios == ("baseline", "normal", "peak", "spike", "sustained")
    assert double.request is not None
    assert (double.request.host, double.request.time_scale) == ("http://127.0.0.1:4242", 0.02)
    assert double.request.results == Path("results")


def test_some_scenarios_in_real_time(monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path) -> None:
    double = Double(monkeypatch, ExitCode.PASSED)
    assert main(["demo", "sustained", "--time-scale", "1", "--seed", "5", "--results", "here"]) == 0
    assert double.scenarios == ("sustained",)
    assert double.options[-1] == "1.0"
    assert double.request is not None
    assert (double.request.seed, double.request.results) == (5, Path("here"))
