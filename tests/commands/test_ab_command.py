"""`genload ab`: two sides in turns, each run a process that leaves what a Locust process would."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from genload.analysis.comparison import CompareSettings
from genload.cli import main
from genload.commands.ab import ready, session
from genload.commands.ab.asked_for import compare_settings, sides_of
from genload.commands.ab.ready import wait_for
from genload.commands.ab.session import Session
from genload.commands.ab.sides import Sides, order, time_left
from genload.commands.run import ahead, suite_run
from genload.errors import ExitCode, ServiceUnavailableError, UsageError
from genload.reporting.baselines import find_baseline, read_noise
from genload.service import ServiceError
from genload.settings.service import Service
from genload.targets import RunRequest, SuiteTarget

from .test_suite_run import CHILD

WriteRun = Callable[..., Path]
BASE, NEW = "http://127.0.0.1:5001", "http://127.0.0.1:5002"
NOISE = (1.0, 1.01, 0.99, 1.005, 0.995)


# ---- pure


def test_sides_take_turns_and_the_first_turn() -> None:
    assert "".join(turn.side[0] for turn in order(5)) == "bnnbbnnbbn"
    assert [turn.folder for turn in order(2)] == ["base-1", "new-1", "new-2", "base-2"]


@pytest.mark.parametrize(
    ("done_s", "planned_s", "turns", "told"),
    [
        ([], 60.0, 10, "about 10 min left"),
        ([90.0, 110.0], 60.0, 8, "about 13 min left"),
        ([], 3.2, 3, "about 10 s left"),
        ([], float("inf"), 3, ""),
    ],
)
def test_the_time_left_is_as_planned_and_then_as_it_went(
    done_s: list[float], planned_s: float, turns: int, told: str
) -> None:
    assert time_left(done_s, planned_s, turns) == (
        told if told != "about 600 s left" else "about 10 min left"
    )


def both(*, own: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()), new: str = NEW, **options: Any) -> Sides:
    learn = options.pop("learn", None)
    return sides_of(RunRequest(("demo/baseline",), **options), (BASE, new), own, learn)


def test_both_runs_of_a_round_have_one_seed_and_rounds_have_their_own() -> None:
    sides = both(seed=40)
    seeds = [(turn.folder, sides.target(turn).request.seed) for turn in order(2)]
    assert seeds == [("base-1", 40), ("new-1", 40), ("new-2", 41), ("base-2", 41)]
    assert [sides.host("base"), sides.host("new")] == [BASE, NEW]


def test_equal_sides_are_one_build_and_a_setting_makes_two() -> None:
    assert not both().equal
    assert both(new=f"{BASE}/").equal
    other = both(new=BASE, own=((), ("service.timeout=99s",)))
    assert not other.equal and other.other_settings
    with pytest.raises(UsageError, match="one build against itself"):
        both(learn="main")


def test_what_is_no_regression_yet_is_told_as_to_compare() -> None:
    settings = compare_settings(both(own=((), ("service.timeout=99s",))), "3%", "1%")
    assert settings == CompareSettings(tolerance=0.03, points=0.01, allow_different=True)
    with pytest.raises(UsageError, match="--points"):
        compare_settings(both(), "5%", "two")


def test_a_side_that_is_not_ready_is_named() -> None:
    class Never:
        deadline_s = 0.0

        def ready(self) -> None:
            raise ServiceError("refused", "Connection refused")

    @contextmanager
    def client_of(service: Service) -> Iterator[Never]:
        yield Never()

    service = Service.model_validate({"api": "orfeas", "host": NEW, "ready_timeout": 3.0})
    now_s, said = [0.0], list[str]()

    def pause(seconds: float) -> bool:
        now_s[0] += seconds
        return False

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ready, "client_of", client_of)
        with pytest.raises(ServiceUnavailableError, match=f"the new side: no one listens at {NEW}") as caught:
            wait_for("new", service, pause=pause, say=said.append, clock=lambda: now_s[0])
        assert caught.value.exit_code == 4
        assert "or correct --new;" in caught.value.remedy
        assert len(said) == 1 and "waiting for it, 3 s at most" in said[0]
        assert not wait_for("new", service, pause=lambda seconds: True, say=said.append, clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["demo", "--base", BASE], "names a suite, not a scenario"),
        (["demo/nope", "--base", BASE], "there is no scenario 'nope'"),
        (["demo/baseline", "--base", BASE, "--tolerance", "lots"], "--tolerance lots"),
        (["demo/baseline", "--base", BASE, "--new", NEW, "--learn", "main"], "one build against itself"),
        (["demo/baseline", "--base", BASE, "--learn", "../x"], "is no name of a baseline"),
        (["demo/baseline", "--base", BASE, "--set-new", "service.nope=1"], "nope"),
    ],
)
def test_wrong_words_are_refused_before_any_load(
    in_empty_folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["ab", *words]) == 2
    told = capsys.readouterr().err
    assert said in told and "Traceback" not in told and not Path("results").exists()


# ---- with processes that leave prepared runs


class Stage:
    """Runs rounds of the demo's baseline with children that copy prepared runs."""

    def __init__(self, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch) -> None:
        self._write_run, self._number = write_run, 0
        self.output = io.StringIO()
        self.slower = 1.0
        self.ends: dict[str, int] = {}  # turns that end otherwise, by their folder
        self.settled = 0
        self.started: list[str] = []
        monkeypatch.setattr(suite_run, "arguments", self._arguments)
        monkeypatch.setattr(ahead, "WAITING", (sys.executable, "-c", CHILD))
        monkeypatch.setattr(suite_run, "settle", self.settle)
        monkeypatch.setattr(suite_run, "_in_flight", self._in_flight)
        monkeypatch.setattr(session, "wait_for", lambda *args, **kwargs: True)

    def play(self, rounds: int = 3, *, new: str = NEW, learn: str | None = None) -> ExitCode:
        sides = both(new=new, seed=1, learn=learn)
        console = Console(file=self.output, width=100, highlight=False)
        return Session(sides, rounds, CompareSettings(), learn, Path("results"), console).run()

    @property
    def said(self) -> str:
        return " ".join(self.output.getvalue().split())

    @property
    def folder(self) -> Path:
        [folder] = Path("results").iterdir()
        return folder

    def settle(self, *args: Any, **kwargs: Any) -> None:
        self.settled += 1

    def _arguments(
        self, target: SuiteTarget, scenario: str, seed: int, folder: Path, workers: int
    ) -> list[Any]:
        self.started.append(folder.name)
        side, number = folder.name.split("-")
        factor = self.slower if side == "new" else 1.0
        end = self.ends.get(folder.name, 0)
        self._number += 1
        run = self._write_run(
            Path("prepared") / folder.name,
            "one",
            seconds=1.5 * NOISE[(int(number) + (side == "new")) % 5] * factor,
            minute=self._number,
            seed=seed,
            ended=end != 3,
        )
        left = "" if end == 4 else str(run)
        return [left, str(folder / scenario), end]

    @contextmanager
    def _in_flight(self, service: Any) -> Iterator[Callable[[], None]]:
        yield lambda: None


@pytest.fixture
def stage(write_run: WriteRun, in_empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(write_run, monkeypatch)


@pytest.mark.processes
def test_a_slower_build_is_a_regression_with_its_files(stage: Stage) -> None:
    stage.slower = 1.3
    assert stage.play() is ExitCode.FAILED
    assert stage.started == ["base-1", "new-1", "new-2", "base-2", "base-3", "new-3"]
    assert stage.settled == 5
    record = json.loads((stage.folder / "rounds.json").read_text())
    assert [run["seed"] for run in record["runs"]] == [1, 1, 2, 2, 3, 3]
    assert all(run["counts"] for run in record["runs"]) and not record["equal"]
    compared = json.loads((stage.folder / "compare.json").read_text())
    assert compared["verdict"] == "regression"
    assert {"compare.html", "compare.md"} <= {path.name for path in stage.folder.iterdir()}
    assert f"round 3 of 3: new {NEW}" in stage.said and "left" in stage.said
    # Two builds are no baseline together.
    assert main(["baseline", "promote", str(stage.folder)]) == 2


@pytest.mark.processes
def test_one_build_against_itself_is_no_regression_and_teaches_its_noise(stage: Stage) -> None:
    assert stage.play(new=BASE, learn="main") is ExitCode.PASSED
    floor = read_noise(stage.folder)
    assert floor is not None and floor.runs == 6
    assert 0.002 < floor.metrics["generate.duration.mean"].spread < 0.02
    # Beside the baseline, too, and the rounds may be that baseline themselves.
    assert read_noise(Path("baselines/main/probe/one")) == floor
    assert "one build on both sides" in stage.said


@pytest.mark.processes
def test_equal_builds_are_no_regression(stage: Stage) -> None:
    assert stage.play() in (ExitCode.PASSED, ExitCode.INVALID)
    assert json.loads((stage.folder / "compare.json").read_text())["verdict"] != "regression"
    assert read_noise(stage.folder) is None


@pytest.mark.processes
def test_one_round_of_one_build_teaches_nothing(stage: Stage) -> None:
    assert stage.play(1, new=BASE) is ExitCode.INVALID
    assert "nothing was learned" in stage.said and read_noise(stage.folder) is None


@pytest.mark.processes
def test_two_rounds_make_no_verdict(stage: Stage) -> None:
    stage.slower = 1.3
    assert stage.play(2) is ExitCode.INVALID
    assert "2 rounds make no verdict without a noise floor" in stage.said


@pytest.mark.processes
def test_a_run_that_is_not_valid_costs_its_round(stage: Stage) -> None:
    stage.ends["new-2"] = 3
    assert stage.play() is ExitCode.INVALID
    assert "new-2 is left out: the run has no end" in stage.said
    assert "base-2 is left out: the other side of its round" in stage.said
    record = json.loads((stage.folder / "rounds.json").read_text())
    assert [run["run"].split("/")[0] for run in record["runs"] if run["counts"]] == [
        "base-1",
        "new-1",
        "base-3",
        "new-3",
    ]


@pytest.mark.processes
def test_a_service_that_goes_away_ends_the_rounds(stage: Stage) -> None:
    stage.ends["new-2"] = 4
    assert stage.play() is ExitCode.UNAVAILABLE
    assert stage.started == ["base-1", "new-1", "new-2"]
    assert f"the new side ({NEW}) ended the rounds" in stage.said
    assert (stage.folder / "compare.json").is_file()  # of the round that was complete


@pytest.mark.processes
def test_ctrl_c_keeps_and_compares_what_is_complete(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(*args: Any, **kwargs: Any) -> None:
        stage.settled += 1
        if stage.settled == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(suite_run, "settle", settle)
    assert stage.play() is ExitCode.INTERRUPTED
    assert stage.started == ["base-1", "new-1"]
    assert json.loads((stage.folder / "compare.json").read_text())["verdict"] == "descriptive"


@pytest.mark.processes
def test_nothing_complete_is_nothing_to_compare(stage: Stage) -> None:
    stage.ends["base-1"] = 4
    assert stage.play() is ExitCode.UNAVAILABLE
    assert "no round is complete" in stage.said


@pytest.mark.processes
def test_rounds_of_one_build_may_be_a_baseline(stage: Stage) -> None:
    stage.play(new=BASE)
    # The prepared runs are of the suite "probe".
    assert main(["baseline", "promote", str(stage.folder)]) == 0
    found = find_baseline("main", "probe", "one")
    assert len(found.runs) == 6 and found.floor is not None
