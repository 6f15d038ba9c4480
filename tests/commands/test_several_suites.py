"""Several suites in one run: those that follow another, the options that reach them, one exit code."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from genload import console
from genload.cli import main
from genload.commands.run import suite_run
from genload.commands.run.ahead import Ahead
from genload.commands.try_.trial import Trial
from genload.drivers.result import Result
from genload.errors import ConfigError, ExitCode, UsageError
from genload.targets import RunRequest, SuiteTarget, checked, with_followers


@pytest.fixture
def own_suites(in_empty_folder: Path) -> Path:
    """nightly: orfeas, then soak (the same service) and talk (another), in a project of their own."""
    folder = in_empty_folder / "config" / "suites"
    folder.mkdir(parents=True)
    (folder / "nightly.yaml").write_text("extends: orfeas\nthen: [soak, talk]\n")
    (folder / "soak.yaml").write_text("extends: orfeas\nservice: {timeout: 500s}\n")
    (folder / "talk.yaml").write_text("extends: litetts\n")
    return folder


def names(targets: list[SuiteTarget]) -> list[str]:
    return [target.asked_for for target in targets]


def test_demo_is_both_suites_and_names_neither_s_scenarios_twice(in_empty_folder: Path) -> None:
    images, speech = with_followers(RunRequest(("demo",)))
    assert (images.asked_for, len(images.scenarios)) == ("demo", 5)
    assert (speech.asked_for, len(speech.scenarios), speech.follows) == ("demo_speech", 8, "demo")
    assert images.suite.service.host != speech.suite.service.host


def test_one_scenario_is_followed_by_nothing(own_suites: Path) -> None:
    assert names(with_followers(RunRequest(("nightly/spike",)))) == ["nightly"]
    assert names(checked(RunRequest(("nightly",)))) == ["nightly"]


def test_a_follower_that_is_named_as_well_runs_once_as_it_is_named(own_suites: Path) -> None:
    targets = with_followers(RunRequest(("talk/heavy", "nightly", "soak"), overrides=("settle.pause=3s",)))
    assert names(targets) == ["talk", "nightly", "soak"]
    assert targets[0].scenarios == ("heavy",)
    assert [target.suite.settle.pause_s for target in targets] == [3.0, 3.0, 3.0]


def test_host_and_time_scale_are_for_the_followers_of_the_same_service(own_suites: Path) -> None:
    (own_suites / "nightly.yaml").write_text("extends: orfeas\nthen: [soak]\n")
    request = RunRequest(
        ("nightly",), host="http://127.0.0.1:9", time_scale=0.5, overrides=("service.timeout=400s",), seed=5
    )
    nightly, soak = with_followers(request)
    assert nightly.suite.service.host == soak.suite.service.host == "http://127.0.0.1:9"
    assert (soak.request.time_scale, soak.request.seed) == (0.5, 5)
    # --set is for the suites that are named.
    assert (nightly.suite.service.timeout_s, soak.suite.service.timeout_s) == (400.0, 500.0)


def test_a_follower_of_another_service_runs_in_real_time(own_suites: Path) -> None:
    _, soak, talk = with_followers(RunRequest(("nightly",), time_scale=0.5, rehearsal=True, strict=True))
    assert (soak.request.time_scale, soak.request.rehearsal) == (0.5, True)
    assert (talk.request.time_scale, talk.request.rehearsal, talk.request.strict) == (1.0, False, True)


def test_one_host_for_two_services_is_refused(own_suites: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="nightly is followed by talk, which tests another"):
        with_followers(RunRequest(("nightly",), host="http://127.0.0.1:9"))
    assert main(["run", "nightly", "--host", "http://127.0.0.1:9"]) == 2
    assert "--set 'then=[]'" in capsys.readouterr().err
    assert not (own_suites.parents[1] / "results").exists()


def test_a_follower_that_cannot_be_run_is_told_before_any_load(own_suites: Path) -> None:
    (own_suites / "soak.yaml").write_text("extends: orfeas\nlocustfile: nope\n")
    with pytest.raises(ConfigError, match="nope"):
        with_followers(RunRequest(("nightly",)))


def test_a_scenario_of_a_follower_is_found_under_its_own_name(in_empty_folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        checked(RunRequest(("demo/heavy",)))
    assert caught.value.remedy == "use demo_speech/heavy"


def test_a_trial_of_one_service_does_not_lead_to_a_run_of_two(in_empty_folder: Path) -> None:
    said: list[list[str]] = []
    [target] = checked(RunRequest(("demo",), host="http://127.0.0.1:9"))
    trial = Trial(target, SimpleNamespace(next_command=said.append))  # type: ignore[arg-type]
    assert trial._end(Result("r", start_s=0.0)) is ExitCode.PASSED
    assert said == [["genload", "run", "demo/baseline", "--host", "http://127.0.0.1:9"]]
    assert names(with_followers(RunRequest((said[0][2],), host=said[0][4]))) == ["demo"]


class Play:
    """Runs suites whose scenarios end as told, against services that come and go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **codes: ExitCode) -> None:
        self._codes, self._folder = codes, folder
        self.events: list[str] = []
        monkeypatch.setattr(suite_run.SuiteRun, "run", self._run_of(self))
        monkeypatch.setattr(suite_run.SuiteRun, "settle", lambda run: self.events.append("settle") or True)

    @staticmethod
    def _run_of(play: Play) -> Any:
        def run(suite_run: Any) -> ExitCode:
            play.events.append(suite_run.name)
            suite_run.folder = play._folder / suite_run.name
            suite_run.folder.mkdir()
            if suite_run.name == "nightly":
                (suite_run.folder / "summary.md").touch()
            code = play._codes[suite_run.name]
            suite_run.word = code.name
            return code

        return run

    @contextmanager
    def service(self, target: SuiteTarget) -> Iterator[SuiteTarget]:
        self.events.append(f"up for {target.asked_for}")
        yield target
        self.events.append("down")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the closing lines say."""
    output = io.StringIO()
    monkeypatch.setattr(console, "Console", lambda **options: Console(file=output, width=80, **options))
    return output


@pytest.mark.parametrize(
    ("nightly", "soak", "talk", "code"),
    [
        (ExitCode.PASSED, ExitCode.PASSED, ExitCode.PASSED, ExitCode.PASSED),
        (ExitCode.FAILED, ExitCode.PASSED, ExitCode.INVALID, ExitCode.FAILED),
        (ExitCode.PASSED, ExitCode.INVALID, ExitCode.UNAVAILABLE, ExitCode.UNAVAILABLE),
    ],
)
def test_one_exit_code_for_all(
    own_suites: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: io.StringIO,
    tmp_path: Path,
    nightly: ExitCode,
    soak: ExitCode,
    talk: ExitCode,
    code: ExitCode,
) -> None:
    play = Play(monkeypatch, tmp_path, nightly=nightly, soak=soak, talk=talk)
    targets, printed = with_followers(RunRequest(("nightly",))), io.StringIO()
    assert suite_run.run_suites(targets, Console(file=printed), Ahead(), play.service) is code
    # The same service becomes idle in between; another one has nothing to become idle of.
    assert [event for event in play.events if event not in ("down",)] == [
        "up for nightly",
        "nightly",
        "up for soak",
        "settle",
        "soak",
        "up for talk",
        "talk",
    ]
    lines = said.getvalue().splitlines()
    assert lines[-1] == f"exit code {int(code)}"
    assert [line.split()[:2] for line in lines[1:-1]] == [
        ["nightly", nightly.name],
        ["soak", soak.name],
        ["talk", talk.name],
    ]
    assert lines[1].endswith(str(tmp_path / "nightly"))
    # One page for all of them is what the last line names.
    (page,) = tmp_path.glob("suites-*.md")
    assert printed.getvalue().splitlines()[-1] == f"open {page}"
    assert page.read_text().splitlines() == [
        f"# All suites: exit code {int(code)}",
        "",
        "| suite | verdict | report |",
        "|---|---|---|",
        f"| nightly | {nightly.name} | [nightly/summary.md](nightly/summary.md) |",
        f"| soak | {soak.name} | [soak](soak) |",
        f"| talk | {talk.name} | [talk](talk) |",
    ]


def test_nothing_follows_a_service_that_was_not_ready(
    own_suites: Path, monkeypatch: pytest.MonkeyPatch, said: io.StringIO, tmp_path: Path
) -> None:
    play = Play(monkeypatch, tmp_path, nightly=ExitCode.UNAVAILABLE)
    targets = with_followers(RunRequest(("nightly",)))
    code = suite_run.run_suites(targets, Console(file=io.StringIO()), Ahead(), play.service)
    assert code is ExitCode.UNAVAILABLE
    assert play.events == ["up for nightly", "nightly", "down"]
    assert "not run: soak, talk" in said.getvalue()


def test_a_signal_while_the_next_service_comes_up_ends_it(
    own_suites: Path, monkeypatch: pytest.MonkeyPatch, said: io.StringIO, tmp_path: Path
) -> None:
    play = Play(monkeypatch, tmp_path, nightly=ExitCode.FAILED)

    @contextmanager
    def interrupted(target: SuiteTarget) -> Iterator[SuiteTarget]:
        if target.asked_for == "soak":
            signal.raise_signal(signal.SIGINT)
        yield target

    targets = with_followers(RunRequest(("nightly",)))
    code = suite_run.run_suites(targets, Console(file=io.StringIO()), Ahead(), interrupted)
    assert code is ExitCode.INTERRUPTED
    assert play.events == ["nightly", "settle"]
    assert "not run: soak, talk" in said.getvalue()
