"""`genload run --resume`: what stands is kept, what was cut off is run again and kept apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from genload.cli import app
from genload.commands.run.resume import resumed
from genload.errors import GenloadError, RunDirectoryError
from genload.runlog.layout import EVENTS
from genload.targets import RunRequest

WriteRun = Callable[..., Path]


def asked_for(run: Path, names: tuple[str, ...] = ("one", "two", "three"), **more: Any) -> None:
    """As one command would have asked for them all."""
    path = run / "run.json"
    header = json.loads(path.read_text())
    load = {
        "shape": {"kind": "normal", "users": 1, "duration": "20s"},
        "criteria": {"few": "generate.failed == 0"},
    }
    suite = {**header["suite"], "scenarios": dict.fromkeys(("one", "two", "three"), load)}
    path.write_text(json.dumps({**header, "requested": suite, "asked_for": names, **more}))


def cut(run: Path, by: str) -> None:
    """The run as it is when a signal, or a kill, ends it."""
    lines = (run / EVENTS).read_text().splitlines()
    last = json.loads(lines[-1])
    assert last["event"] == "run_ended"
    if by == "kill":
        del lines[-1]
    elif by == "signal":
        lines.insert(-1, json.dumps({"event": "interrupted", "t_s": 20.0, "by": "SIGTERM"}))
    else:
        lines.insert(-1, json.dumps({"event": "notice", "t_s": 20.0, "code": by, "text": "it is gone"}))
    (run / EVENTS).write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(in_empty_folder: Path, write_run: WriteRun) -> Path:
    """Of three scenarios two have been run, the second of them a failure."""
    suite = in_empty_folder / "probe-20261121T140000Z"
    for name, failed in (("one", 0), ("two", 9)):
        asked_for(write_run(suite, name, failed=failed, seed=3))
    return suite


def test_what_ended_by_itself_stands_whatever_its_verdict(folder: Path) -> None:
    there = resumed(folder, RunRequest((), workers=2))
    assert (there.kept, there.cut) == (("one", "two"), ())
    target = there.target
    assert (target.suite.name, target.scenarios, target.then) == ("probe", ("one", "two", "three"), ())
    request = target.request
    assert (request.seed, request.time_scale, request.strict, request.workers) == (3, 1.0, False, 2)
    assert target.asked_for == str(folder / "requested.yaml")
    assert resumed(folder, RunRequest(())).kept == ("one", "two"), "again, it is the same"


@pytest.mark.parametrize("by", ["kill", "signal", "given_up", "not_ready"])
def test_what_was_cut_off_is_put_apart(folder: Path, write_run: WriteRun, by: str) -> None:
    cut(folder / "two", by)
    there = resumed(folder, RunRequest(()))
    assert (there.kept, there.cut) == (("one",), (folder / "cut_off" / "two-1",))
    assert (folder / "cut_off" / "two-1" / "requests.jsonl").is_file() and not (folder / "two").exists()
    asked_for(write_run(folder, "two", seed=3))
    cut(folder / "two", by)
    assert resumed(folder, RunRequest(())).cut == (folder / "cut_off" / "two-2",)


def test_only_what_was_asked_for_is_gone_on_with(folder: Path) -> None:
    for name in ("one", "two"):
        asked_for(folder / name, ("two", "one"))
    there = resumed(folder, RunRequest(()))
    assert there.target.scenarios == ("two", "one") and there.kept == ("two", "one")


@pytest.mark.parametrize(("field", "value"), [("seed", 4), ("time_scale", 0.5), ("strict", True)])
def test_runs_of_several_commands_are_no_suite(folder: Path, field: str, value: object) -> None:
    asked_for(folder / "two", **{field: value})
    with pytest.raises(RunDirectoryError, match=rf"differ in what was asked for \({field}"):
        resumed(folder, RunRequest(()))


def test_a_folder_without_a_run_is_refused(in_empty_folder: Path) -> None:
    with pytest.raises(RunDirectoryError):
        resumed(in_empty_folder, RunRequest(()))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("orfeas",), "SUITE"),
        (("--host", "http://gpu1:5000"), "--host"),
        (("--seed", "0"), "--seed"),
        (("--set", "seed=4"), "--set"),
        (("--baseline", "main"), "--baseline"),
        (("--time-scale", "0.5"), "--time-scale"),
        (("--strict",), "--strict"),
        (("--results", "elsewhere"), "--results"),
    ],
)
def test_what_the_runs_say_cannot_be_asked_for_anew(folder: Path, words: tuple[str, ...], name: str) -> None:
    result = CliRunner().invoke(app, ["run", "--resume", str(folder), *words])
    assert isinstance(result.exception, GenloadError)
    assert f"{name} and --resume do not go together" in result.exception.message
