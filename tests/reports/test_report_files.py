"""Writing reports: whole files only, by name, with one clear line when that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.errors import ConfigError, RunDirectoryError
from genload.reporting import suite_of, write_reports, write_text
from genload.settings.suite import Suite

MakeSuite = Callable[..., JudgedSuite]
Kinds = dict[str, Callable[[], JudgedRun]]


def test_the_default_reports_are_written_in_their_order(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    names = Suite.model_fields["reports"].default
    paths = write_reports(make_suite(kinds["passed"](), kinds["failed"]()), tmp_path / "new", names)
    assert [path.name for path in paths] == [
        "results_baseline.json",
        "results_spike.json",
        "summary.json",
        "report.html",
        "summary.md",
        "junit.xml",
    ]
    assert sorted((tmp_path / "new").iterdir()) == sorted(paths)


def test_every_kind_of_run_is_rendered_by_every_report(
    tmp_path: Path, make_suite: MakeSuite, any_run: JudgedRun
) -> None:
    names = Suite.model_fields["reports"].default
    paths = write_reports(make_suite(any_run), tmp_path, names)
    assert (
        all(path.read_text(encoding="utf-8").endswith("\n") for path in paths)
        and len(paths) == len(names) == 5
    )


def test_a_projects_own_report_is_found_by_its_name(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "one_word.py").write_text(
        "from genload.reporting import write_text\n"
        "def render(suite, folder):\n"
        "    return [write_text(folder / 'word.txt', suite.suite)]\n"
    )
    monkeypatch.chdir(tmp_path)
    [path] = write_reports(make_suite(kinds["passed"]()), tmp_path, ["one_word"])
    assert path.read_text() == "orfeas"


def test_an_unknown_report_writes_nothing(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    with pytest.raises(ConfigError, match="no 'pdf' in reports/"):
        write_reports(make_suite(kinds["passed"]()), tmp_path, ["markdown", "pdf"])
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_folders_place_is_one_clear_error(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(RunDirectoryError, match="cannot write the reports into"):
        write_reports(make_suite(kinds["passed"]()), tmp_path / "taken", ["markdown"])
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_file_is_replaced_whole_or_kept(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.md", "first")
    with pytest.raises(TypeError):
        write_text(path, None)  # type: ignore[arg-type]
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.md", "first")]
    write_text(path, "second \ud800")  # a lone surrogate is no reason to lose a report
    assert path.read_text() == "second \\ud800"


def test_a_report_can_be_read_by_those_whom_the_umask_lets(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    written = write_text(tmp_path / "written", "x")
    assert written.stat().st_mode == plain.stat().st_mode


def test_a_suite_misses_what_its_settings_name_and_no_run_has(make_run: Callable[..., JudgedRun]) -> None:
    pytest.importorskip("genload.analysis.judge")
    suite = suite_of([make_run()])
    assert (suite.suite, suite.missing, suite.exit_code) == ("orfeas", ["spike"], 0)


def test_what_nobody_asked_for_is_not_missing(make_run: Callable[..., JudgedRun]) -> None:
    run = make_run()
    assert suite_of([msgspec.structs.replace(run, asked_for=[run.scenario])]).missing == []
    both = msgspec.structs.replace(run, asked_for=[run.scenario, "spike"])
    assert suite_of([both]).missing == ["spike"]
