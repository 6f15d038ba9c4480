"""`genload init`: what it lays out runs as it is, and nothing that is there is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from genload import extensions
from genload.commands.init.project import Project
from genload.errors import ConfigError, UsageError
from genload.settings.loader import load_suite, suite_names

from ..busy_machine import PATIENT

BUILTIN = extensions.builtin_folder("config") / "suites"
FILES = {"config/suites/mine.yaml", ".gitignore", ".github/workflows/load-test.yml", "README.md"}


def laid_out(folder: Path, start_from: str | None = None) -> dict[str, bool]:
    return {
        str(path.relative_to(folder)): is_new for path, is_new in Project("mine", start_from).lay_out(folder)
    }


def test_a_project_has_a_suite_and_what_goes_with_it(tmp_path: Path) -> None:
    assert laid_out(tmp_path) == dict.fromkeys(FILES, True)

    loaded = load_suite("mine", folders=[tmp_path / "config" / "suites"], wings=extensions.Wings())
    assert list(loaded.suite.scenarios) == ["baseline", "steady"]
    workflow = yaml.safe_load((tmp_path / ".github/workflows/load-test.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"]["load-test"]["steps"]]
    assert "genload run mine --time-scale 0.02" in steps
    readme = (tmp_path / "README.md").read_text()
    assert len(readme.splitlines()) <= 12 and "@" not in readme


@pytest.mark.parametrize("base", suite_names([BUILTIN]))
def test_a_project_may_start_from_any_built_in_suite(tmp_path: Path, base: str) -> None:
    laid_out(tmp_path, base)
    text = (tmp_path / "config/suites/mine.yaml").read_text(encoding="utf-8")
    folders = [tmp_path / "config" / "suites", BUILTIN]
    mine = load_suite("mine", folders=folders, wings=extensions.Wings()).suite
    there = load_suite(base, folders=[BUILTIN], wings=extensions.Wings()).suite

    assert (mine.service, mine.scenarios) == (there.service, there.scenarios)
    assert "# service:" in text or "service:\n" not in (BUILTIN / f"{base}.yaml").read_text()
    assert "GENLOAD_HOST" in (tmp_path / ".github/workflows/load-test.yml").read_text()


def test_a_project_for_a_speech_service_shows_how_it_is_spoken_to(tmp_path: Path) -> None:
    laid_out(tmp_path, "piper")
    text = (tmp_path / "config/suites/mine.yaml").read_text(encoding="utf-8")
    assert "# What the dialect piper is" in text and '#   length_scale: "{speed.inverse}"' in text


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("my own")
    assert laid_out(tmp_path) == {**dict.fromkeys(FILES, True), "README.md": False}
    assert (tmp_path / "README.md").read_text() == "my own"

    (tmp_path / "config/suites/mine.yaml").write_text("changed: true")
    with pytest.raises(UsageError, match="is there already"):
        laid_out(tmp_path)
    assert (tmp_path / "config/suites/mine.yaml").read_text() == "changed: true"


def test_what_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot name a suite"):
        Project("a b", None)
    with pytest.raises(ConfigError, match="no suite 'nowhere'"):
        Project("mine", "nowhere")
    (tmp_path / "config").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        laid_out(tmp_path)


@pytest.mark.processes
def test_a_new_project_runs_as_it_is_against_the_testbed(tmp_path: Path, testbed: Callable[..., Any]) -> None:
    server = testbed(api="job", time_scale="0.02")

    def genload(*words: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "genload", *words]
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, env={**os.environ}, timeout=100
        )

    made = genload("init", "mine")
    assert made.returncode == 0 and "made mine/config/suites/mine.yaml" in made.stdout, made.stderr
    assert "next: cd mine && genload serve --api job" in made.stdout
    again = genload("init", "mine")
    assert again.returncode == 2 and "is there already" in again.stderr

    run = genload(
        "run", "mine/baseline", "--host", server.url, "--time-scale", "0.02", *PATIENT, cwd=tmp_path / "mine"
    )
    assert run.returncode == 0, run.stdout + run.stderr
