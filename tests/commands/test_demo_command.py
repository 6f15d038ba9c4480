"""`genload demo`: a testbed for as long as the suite runs, gone afterwards whatever happened."""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from genload.cli import main
from genload.commands.demo import testbed
from genload.commands.run import suite_run
from genload.errors import ExitCode, ServiceUnavailableError
from genload.targets import RunRequest, SuiteTarget

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
    with testbed.running(["--slots", "20"], [sys.executable, "-c", SERVICE]) as url:
        with urllib.request.urlopen(f"{url}/ready") as answer:  # noqa: S310  our own http URL
            process_id, *options = answer.read().decode().split()
        assert options[:1] == ["--port"] and options[2:] == ["--slots", "20"]
        assert url == f"http://127.0.0.1:{options[1]}"
        assert is_running(int(process_id))
        assert os.getpriority(os.PRIO_PROCESS, int(process_id)) == os.getpriority(os.PRIO_PROCESS, 0)
    assert not is_running(int(process_id))


@pytest.mark.processes
def test_a_testbed_that_works_hard_leaves_the_cpu_to_who_measures() -> None:
    with testbed.running([], [sys.executable, "-c", SERVICE], yields=True) as url:
        with urllib.request.urlopen(url) as answer:  # noqa: S310
            process_id = int(answer.read().split()[0])
        own = os.getpriority(os.PRIO_PROCESS, 0)  # that of `nice`, where the tests run under it
        assert os.getpriority(os.PRIO_PROCESS, process_id) == min(own + 10, 19)


@pytest.mark.processes
def test_it_is_gone_after_a_failure_as_well() -> None:
    with (
        pytest.raises(RuntimeError, match="in the block"),
        testbed.running([], [sys.executable, "-c", SERVICE]) as url,
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
        testbed.running([], dying),
    ):
        pytest.fail("the block must not run")


class Double:
    """Stands in for testbeds and for what a suite does, and keeps what they were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *codes: ExitCode) -> None:
        self._codes = list(codes)
        self.options: list[list[str]] = []
        self.yields: list[bool] = []
        self.targets: list[SuiteTarget] = []
        monkeypatch.setattr(testbed, "running", self._running)
        monkeypatch.setattr(suite_run, "SuiteRun", self._suite_run)

    @property
    def scenarios(self) -> list[tuple[str, ...]]:
        return [target.scenarios for target in self.targets]

    @property
    def requests(self) -> list[RunRequest]:
        return [target.request for target in self.targets]

    @contextmanager
    def _running(self, options: Sequence[str], *, yields: bool) -> Iterator[str]:
        self.options.append(list(options))
        self.yields.append(yields)
        yield f"http://127.0.0.1:{4242 + len(self.options)}"

    def _suite_run(self, target: SuiteTarget, signals: object, console: object) -> SimpleNamespace:
        self.targets.append(target)
        return SimpleNamespace(
            name=target.suite.name,
            word="ENDED",
            folder=Path("results"),
            may_begin=lambda after: True,
            run=lambda: self._codes.pop(0),
        )


IMAGES = ("baseline", "normal", "peak", "spike", "sustained")
SPEECH = (
    "light",
    "medium",
    "heavy",
    "rapid_fire",
    "mixed_voices",
    "varying_lengths",
    "sustained",
    "memory_pressure",
)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((ExitCode.PASSED, ExitCode.PASSED), ExitCode.PASSED),
        ((ExitCode.PASSED, ExitCode.INVALID), ExitCode.INVALID),
        ((ExitCode.FAILED, ExitCode.PASSED), ExitCode.FAILED),
        ((ExitCode.INVALID, ExitCode.FAILED), ExitCode.FAILED),
    ],
)
def test_both_suites_each_against_a_testbed_of_its_own(
    monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path, codes: tuple[ExitCode, ...], code: ExitCode
) -> None:
    double = Double(monkeypatch, *codes)
    assert main(["demo"]) == code
    images, speech = double.options
    assert images == ["--slots", "20", "--time-scale", "0.02"]
    assert speech[:2] == ["--api", "litetts"] and "--time-scale" not in speech
    assert double.scenarios == [IMAGES, SPEECH]
    assert double.yields == [False, True]
    assert [request.host for request in double.requests] == ["http://127.0.0.1:4243", "http://127.0.0.1:4244"]
    assert [request.time_scale for request in double.requests] == [0.02, 1.0]
    assert {request.results for request in double.requests} == {Path("results")}


def test_before_all_of_it_stands_what_the_specification_would_come_to(
    monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Double(monkeypatch, ExitCode.PASSED, ExitCode.PASSED, ExitCode.PASSED)
    assert main(["demo"]) == 0
    before, _, _ = capsys.readouterr().out.partition("starting the testbed")
    rows = [line.split() for line in before.splitlines() if line.startswith("orfeas/")]
    impossible = {row[0]: row[-1] for row in rows if row[-1] != "–"}
    assert len(rows) == 5 and impossible == {"orfeas/peak": "minimum_attempted,"}
    assert "minimum_successes" in before
    assert main(["demo", "spike"]) == 0
    assert "orfeas/" not in capsys.readouterr().out.partition("starting the testbed")[0]


def test_nothing_follows_an_interruption(monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path) -> None:
    double = Double(monkeypatch, ExitCode.INTERRUPTED)
    assert main(["demo"]) == ExitCode.INTERRUPTED
    assert double.scenarios == [IMAGES]


def test_some_scenarios_in_real_time(monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path) -> None:
    double = Double(monkeypatch, ExitCode.PASSED)
    assert main(["demo", "spike", "--time-scale", "1", "--seed", "5", "--results", "here"]) == 0
    assert double.scenarios == [("spike",)]
    assert double.options == [["--slots", "20", "--time-scale", "1.0"]]
    assert (double.requests[0].seed, double.requests[0].results) == (5, Path("here"))


@pytest.mark.parametrize(
    ("names", "scenarios"),
    [
        (["light"], [("light",)]),
        (["heavy", "baseline"], [("baseline",), ("heavy",)]),
        (["sustained"], [("sustained",), ("sustained",)]),
        (["demo_speech/sustained"], [("sustained",)]),
    ],
)
def test_a_name_means_every_suite_that_has_it(
    monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path, names: list[str], scenarios: list[tuple[str, ...]]
) -> None:
    double = Double(monkeypatch, ExitCode.PASSED, ExitCode.PASSED)
    assert main(["demo", *names]) == 0
    assert double.scenarios == scenarios


def test_it_is_the_suites_that_follow_demo(
    monkeypatch: pytest.MonkeyPatch, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = in_empty_folder / "config" / "suites"
    own.mkdir(parents=True)
    (own / "demo.yaml").write_text("extends: demo\nthen: [mine]\n")
    (own / "mine.yaml").write_text("extends: orfeas\nscenarios: {peak: null, normal: null}\n")
    double = Double(monkeypatch, ExitCode.PASSED, ExitCode.PASSED)
    assert main(["demo"]) == 0
    assert [target.suite.name for target in double.targets] == ["demo", "mine"]
    assert [request.time_scale for request in double.requests] == [0.02, 0.02]
    (own / "mine.yaml").write_text("extends: orfeas\nservice: {api: job}\n")
    assert main(["demo"]) == 2
    assert "mine" in capsys.readouterr().err
