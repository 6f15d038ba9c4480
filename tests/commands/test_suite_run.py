"""A suite's scenarios one after the other, each a real process that leaves what a Locust process would."""

from __future__ import annotations

import io
import json
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from genload import reporting
from genload.analysis.handed import hand_over
from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.commands.run import ahead, suite_run
from genload.commands.run.resume import Resumed
from genload.commands.run.suite_run import run_suites
from genload.errors import ExitCode
from genload.extensions import Wings
from genload.runlog import packing
from genload.settings.suite import Suite
from genload.targets import RunRequest, SuiteTarget, checked

pytestmark = pytest.mark.processes

WriteRun = Callable[..., Path]

# A scenario's process: copies a prepared run directory, and ends as told: a code, or minus a signal.
CHILD = """
import json, os, shutil, sys
line = sys.stdin.readline()
if not line:
    sys.exit()
prepared, folder, end = json.loads(line)
if prepared:
    shutil.copytree(prepared, folder)
    above, name = os.path.split(prepared)
    judged = f".{name}.judged"
    if os.path.exists(os.path.join(above, judged)):
        shutil.copy(os.path.join(above, judged), os.path.dirname(folder))
os.kill(os.getpid(), -end) if end < 0 else sys.exit(end)
"""


class Stage:
    """Runs the suite "probe" with children that do as told, and keeps what was said."""

    def __init__(self, folder: Path, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prepared, self._write_run = folder / "prepared", write_run
        self._acts: dict[str, tuple[Path | None, int]] = {}
        self.results = folder / "results"
        self.started: list[str] = []
        self.workers: list[int] = []
        self.settled = 0
        self.output = io.StringIO()
        monkeypatch.setattr(suite_run, "arguments", self._arguments)
        monkeypatch.setattr(ahead, "WAITING", (sys.executable, "-c", CHILD))
        monkeypatch.setattr(suite_run, "settle", self._settle)
        monkeypatch.setattr(suite_run, "_in_flight", self._in_flight)

    def act(self, scenario: str, code: int, *, failed: int = 0, leaves_run: bool = True) -> None:
        run = self._write_run(self.prepared, scenario, failed=failed) if leaves_run else None
        self._acts[scenario] = (run, code)

    def play(
        self,
        *scenarios: str,
        host: str = "http://127.0.0.1:5000",
        users: int = 1,
        workers: int | None = None,
        baseline: Path | None = None,
    ) -> ExitCode:
        return self.play_all(
            self.target(*scenarios, host=host, users=users, workers=workers, baseline=baseline)
        )

    def target(
        self,
        *scenarios: str,
        host: str = "http://127.0.0.1:5000",
        users: int = 1,
        workers: int | None = None,
        baseline: Path | None = None,
    ) -> SuiteTarget:
        suite = Suite.model_validate(
            {
                "name": "probe",
                "service": {"api": "orfeas", "host": host},
                "locustfile": "generation3d",
                "scenarios": {
                    name: {"shape": {"kind": "normal", "users": users}} for name in ("one", "two", "three")
                },
                "baseline": None if baseline is None else str(baseline),
            },
            context={"wings": Wings()},
        )
        request = RunRequest(("probe",), results=self.results, workers=workers)
        return SuiteTarget(request, "probe", suite, scenarios or ("one", "two", "three"))

    def play_all(self, *targets: SuiteTarget, going_on: Resumed | None = None) -> ExitCode:
        console = Console(file=self.output, width=100, highlight=False)
        with ahead.Ahead() as processes:
            return run_suites(targets, console, processes, going_on=going_on)

    @property
    def folder(self) -> Path:
        [folder] = self.results.iterdir()
        return folder

    def summary(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return decoded

    def _arguments(
        self, target: SuiteTarget, scenario: str, seed: int, folder: Path, workers: int
    ) -> list[Any]:
        self.started.append(scenario)
        self.workers.append(workers)
        run, code = self._acts[scenario]
        return [str(run or ""), str(folder / scenario), code]

    def _settle(self, *args: Any, **kwargs: Any) -> None:
        self.settled += 1

    @contextmanager
    def _in_flight(self, service: Any) -> Iterator[Callable[[], None]]:
        yield lambda: None


@pytest.fixture
def stage(tmp_path: Path, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, write_run, monkeypatch)


@pytest.mark.parametrize(
    ("users", "asked", "expected", "told"),
    [
        (1, None, 1, ""),
        (5_000, None, 2, "one: its users are on 2 worker processes"),
        (50_000, None, 4, "one may need 19 worker processes, and this machine has 4 cores"),
        (1, 3, 3, "one: its users are on 3 worker processes"),
        (50_000, 1, 1, ""),
    ],
)
def test_a_load_gets_the_processes_that_it_needs_or_that_were_asked_for(
    users: int, asked: int | None, expected: int, told: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite_run, "cores_there", lambda: 4)
    stage.act("one", 0)
    stage.play("one", users=users, workers=asked)
    assert stage.workers == [expected]
    assert told in stage.output.getvalue() and ("worker" in stage.output.getvalue()) == bool(told)


def test_a_suite_that_passes(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    for scenario in ("one", "two", "three"):
        stage.act(scenario, 0)
    assert stage.play() is ExitCode.PASSED
    assert stage.started == ["one", "two", "three"]
    assert stage.settled == 2  # between them, not before and not after
    assert stage.folder.name.startswith("probe-20") and stage.folder.name.endswith("Z")
    assert {path.name for path in stage.folder.iterdir() if path.is_file()} == {
        "results_one.json",
        "results_two.json",
        "results_three.json",
        "summary.json",
        "report.html",
        "summary.md",
        "junit.xml",
    }
    assert stage.summary()["overall"] is True
    # The last line is the one thing to open.
    assert stage.output.getvalue().splitlines()[-1] == f"open {stage.folder / 'report.html'}"
    assert "junit.xml" not in stage.output.getvalue() + capsys.readouterr().out


def test_each_run_is_judged_once_and_each_report_written_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judged: list[str] = []
    written: list[list[str]] = []
    really_judge, really_write = reporting.judge_run, reporting.write_reports

    def judge(folder: Path) -> list[JudgedRun]:
        judged.append(folder.name)
        return really_judge(folder)

    def write(suite: JudgedSuite, *rest: Any) -> list[Path]:
        written.append([run.scenario for run in suite.runs])
        return really_write(suite, *rest)

    monkeypatch.setattr(reporting, "judge_run", judge)
    monkeypatch.setattr(reporting, "write_reports", write)
    # The processes only record: what they end with is no verdict. But where others were to hear it, too, they
    # have judged, and hand that over.
    for scenario, failed in (("one", 0), ("two", 5), ("three", 0)):
        stage.act(scenario, 0, failed=failed)
    hand_over(really_judge(stage.prepared / "two"), stage.prepared / "two")
    assert stage.play() is ExitCode.FAILED
    assert judged == ["one", "three"]
    assert written == [["one", "two", "three"]]
    said = capsys.readouterr().out
    assert [said.count(f"probe/{name}  {word}") for name, word in (("one", "PASS"), ("two", "FAIL"))] == [
        1,
        1,
    ]


def test_records_are_packed_once_they_are_judged(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LEAST_BYTES", 1)
    stage.act("one", 0)
    stage.play("one")
    there = {path.name for path in (stage.folder / "one").iterdir()}
    assert "requests.jsonl.gz" in there and "requests.jsonl" not in there
    assert reporting.judge_run(stage.folder / "one")[0].overall.total_requests > 0


def test_what_has_changed_is_told_after_each_verdict_and_decides_with_it(
    stage: Stage, tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "kept", "one", minute=5, seed=3)
    stage.act("one", 0)
    assert stage.play("one", baseline=tmp_path / "kept") is ExitCode.INVALID  # one run a side: no verdict
    said = " ".join(capsys.readouterr().out.split())
    assert "probe/one PASS" in said and "DESCRIPTIVE" in said and "three runs a side" in said
    [scenario] = stage.summary()["scenarios"]
    assert (scenario["exit_code"], scenario["change"]) == (0, "descriptive")
    assert (stage.summary()["exit_code"], stage.summary()["overall"]) == (3, False)


def test_a_wrong_host_is_told_before_any_process_starts(stage: Stage, dead_port: int) -> None:
    stage.act("one", 4, leaves_run=False)
    host = f"http://127.0.0.1:{dead_port}"
    assert stage.play("one", host=host) is ExitCode.UNAVAILABLE
    before, _, _ = stage.output.getvalue().partition("probe/one")
    assert f"no one listens at {host} (Connection refused); waiting for it, 120 s at most" in before


def test_a_host_that_never_answers_holds_nothing_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite_run, "ASKED_FOR_S", 0.05)
    stage.act("one", 4, leaves_run=False)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert stage.play("one", host=host) is ExitCode.UNAVAILABLE
    assert f"{host} does not answer (" in stage.output.getvalue()


def test_it_goes_on_after_a_failure_and_an_invalid_run(stage: Stage) -> None:
    stage.act("one", 1, failed=5)
    stage.act("two", 3)
    stage.act("three", 0)
    assert stage.play() is ExitCode.FAILED
    assert stage.started == ["one", "two", "three"]


@pytest.mark.parametrize(("code", "name"), [(4, "UNAVAILABLE"), (2, "USAGE"), (130, "INTERRUPTED")])
def test_it_stops_after_what_no_further_scenario_would_mend(stage: Stage, code: int, name: str) -> None:
    stage.act("one", 1, failed=5)
    stage.act("two", code, leaves_run=False)
    assert stage.play() is ExitCode[name]
    assert stage.started == ["one", "two"]
    assert stage.summary()["exit_code"] == code
    assert stage.summary()["missing"] == ["two", "three"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "two ended with code 0 and left no result"),
        (1, "two ended with code 1 and left no result"),
        (-signal.SIGKILL, "two was ended by SIGKILL"),
    ],
)
def test_a_process_without_a_result_is_invalid_never_passed(stage: Stage, code: int, said: str) -> None:
    stage.act("one", 0)
    stage.act("two", code, leaves_run=False)
    stage.act("three", 0)
    assert stage.play() is ExitCode.INVALID
    assert said in stage.output.getvalue()
    assert stage.summary()["overall"] is False
    # The CI's view of it is red as well.
    assert 'errors="1"' in (stage.folder / "junit.xml").read_text()


def test_what_is_judged_counts_whatever_the_process_said(stage: Stage) -> None:
    stage.act("one", 0, failed=5)
    assert stage.play("one") is ExitCode.FAILED


def test_a_suite_goes_on_behind_what_has_been_run(stage: Stage, write_run: WriteRun) -> None:
    stage.act("one", 0, leaves_run=False)
    stage.act("two", 0)
    stage.act("three", 0)
    stage.play("one", "two", "three")
    folder = stage.folder
    shutil.rmtree(folder / "two")
    shutil.rmtree(folder / "three")
    write_run(folder, "two", failed=9)
    target = stage.target("one", "two", "three")
    stage.act("one", 0)
    stage.started.clear()
    stage.settled = 0
    cut = folder / "cut_off" / "one-1"
    code = stage.play_all(target, going_on=Resumed(folder, target, ("two",), (cut,)))
    assert (code, stage.started, stage.settled) == (ExitCode.FAILED, ["one", "three"], 1)
    assert f"one was cut off: it is run again, and kept in {cut}" in stage.output.getvalue().replace("\n", "")
    assert [run["scenario"] for run in stage.summary()["scenarios"]] == ["one", "two", "three"]
    assert [run["result"] for run in stage.summary()["scenarios"]] == ["pass", "fail", "pass"]


def test_nothing_is_left_of_a_run_that_was_refused(stage: Stage) -> None:
    stage.act("one", 2, leaves_run=False)
    assert stage.play() is ExitCode.USAGE
    assert not stage.results.exists(), "nor the folder, which was made for it"


def test_a_suite_without_any_run_to_judge_says_so(stage: Stage, tmp_path: Path) -> None:
    stage.act("one", 3)
    (tmp_path / "prepared" / "one" / "run.json").write_text("{")
    assert stage.play("one") is ExitCode.INVALID
    assert "no scenario left a run that could be judged" in stage.output.getvalue()


def test_two_runs_in_one_second_have_two_folders(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.act("one", 0)
    for _ in range(3):
        stage.play("one")
    assert len(list(stage.results.iterdir())) == 3


def test_a_signal_stops_the_suite_and_what_there_is_is_reported(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.act("one", 0)
    monkeypatch.setattr(suite_run, "settle", lambda *args, **kwargs: signal.raise_signal(signal.SIGINT))
    assert stage.play() is ExitCode.INTERRUPTED
    assert stage.started == ["one"]
    assert stage.summary()["exit_code"] == 130


def test_targets_of_one_suite_run_together_each_once() -> None:
    [target] = checked(RunRequest(("orfeas/spike", "orfeas/baseline", "orfeas/spike")))
    assert (target.asked_for, target.scenarios) == ("orfeas", ("spike", "baseline"))
    [everything] = checked(RunRequest(("orfeas/spike", "orfeas")))
    assert everything.scenarios == ("spike", "baseline", "normal", "peak", "sustained")
    assert [t.suite.name for t in checked(RunRequest(("orfeas/spike", "demo/spike")))] == ["orfeas", "demo"]


def test_a_suite_by_its_path(in_empty_folder: Path) -> None:
    (in_empty_folder / "mine.yaml").write_text("extends: orfeas\n")
    [target] = checked(RunRequest(("mine.yaml/peak",), host="http://127.0.0.1:9"))
    assert (target.asked_for, target.suite.name, target.scenarios) == ("mine.yaml", "mine", ("peak",))
    assert target.suite.service.host == "http://127.0.0.1:9"


def test_overrides_are_in_the_suite() -> None:
    [target] = checked(RunRequest(("orfeas",), overrides=("service.timeout=400s", "settle.pause=3s")))
    assert (target.suite.service.timeout_s, target.suite.settle.pause_s) == (400.0, 3.0)
    [target] = checked(RunRequest(("orfeas",), overrides=("baseline=main",), baseline="1.4"))
    assert target.suite.baseline == "1.4"  # recorded with the suite, so that a report knows it, too


def test_each_suite_has_its_own_seed_unless_one_is_given(stage: Stage) -> None:
    stage.act("one", 0)
    stage.play("one")
    stage.play("one")
    seeds = [line for line in stage.output.getvalue().splitlines() if "seed" in line]
    assert len(set(seeds)) == 2
    shutil.rmtree(stage.results)
