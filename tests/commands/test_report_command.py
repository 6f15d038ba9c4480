"""`genload report`: the same verdict again, or another by other criteria; whatever state the folder is in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.cli import main

WriteRun = Callable[..., Path]
REPORTS = {"junit.xml", "report.html", "summary.json", "summary.md"}


def results(folder: Path, scenario: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads((folder / f"results_{scenario}.json").read_text())
    return decoded


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_a_suite_folder_is_judged_and_its_reports_written_into_it(
    tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, "one")
    write_run(tmp_path, "two", failed=2)
    assert main(["report", str(tmp_path)]) == 1
    assert files(tmp_path) == {*REPORTS, "results_one.json", "results_two.json"}
    assert results(tmp_path, "one")["validation"] == {"few_errors": True, "overall": True}
    assert results(tmp_path, "two")["error_rate"] == 20.0
    output = capsys.readouterr().out
    assert "probe/one  PASS" in output and "probe/two  FAIL" in output and "probe  FAIL" in output
    assert "not run: three" in output
    assert "\x1b" not in output and "[/red]" in output


def test_the_same_again_is_the_same_to_the_byte(tmp_path: Path, write_run: WriteRun) -> None:
    write_run(tmp_path, "one", failed=1)
    main(["report", str(tmp_path)])
    first = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    main(["report", str(tmp_path)])
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == first


def test_a_run_directory_alone_gets_its_reports_beside_its_records(
    tmp_path: Path, write_run: WriteRun
) -> None:
    run = write_run(tmp_path, "one")
    assert main(["report", str(run)]) == 0
    assert files(tmp_path) == set()
    assert files(run) >= {*REPORTS, "results_one.json", "run.json"}


def test_other_criteria_for_every_scenario(tmp_path: Path, write_run: WriteRun) -> None:
    write_run(tmp_path, "one", failed=1)
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text(
        "none: generate.failed == 0\nfast: {must: false, holds: generate.duration.max < 1s}\n"
    )
    assert main(["report", str(tmp_path), "--criteria", str(stricter)]) == 1
    judged = results(tmp_path / "judged-by-stricter", "one")
    assert judged["validation"] == {"none": False, "fast": False, "overall": False}
    told_only = "fast: {must: false, holds: generate.duration.max < 1s}\n"
    for text, code in (("one: generate.failed == 1\n" + told_only, 0), (told_only, 3)):
        stricter.write_text(text)
        assert main(["report", str(tmp_path), "--criteria", str(stricter)]) == code


def test_what_the_run_was_judged_by_stays_beside_the_verdict_by_others(
    tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, "one")
    rules = tmp_path / "rules.yaml"
    rules.write_text("none: generate.failed > 0\n")
    for folder in (tmp_path, run):
        assert main(["report", str(folder)]) == 0
        before = {name: (folder / name).read_bytes() for name in files(folder)}
        capsys.readouterr()
        assert main(["report", str(folder), "--criteria", str(rules)]) == 1
        assert {name: (folder / name).read_bytes() for name in files(folder)} == before
        assert files(folder / "judged-by-rules") == {*REPORTS, "results_one.json"}
        assert str(folder / "judged-by-rules" / "summary.md") in capsys.readouterr().out
        # … and it is no run of the suite.
        assert main(["report", str(folder)]) == 0


def test_other_criteria_for_one_scenario_leave_the_others_theirs(tmp_path: Path, write_run: WriteRun) -> None:
    write_run(tmp_path, "one")
    write_run(tmp_path, "two")
    rules = tmp_path / "rules.yaml"
    rules.write_text("two:\n  slow: generate.duration.mean{phase=steady} > 1min\n")
    assert main(["report", str(tmp_path), "--criteria", str(rules)]) == 1
    judged = tmp_path / "judged-by-rules"
    assert list(results(judged, "one")["validation"]) == ["few_errors", "overall"]
    assert results(judged, "two")["validation"] == {"slow": False, "overall": False}


def test_rules_are_scaled_as_the_suites_were(tmp_path: Path, write_run: WriteRun) -> None:
    """At time scale 0.02, jobs of 1.5 s stand for 75 s."""
    write_run(tmp_path, "one", time_scale=0.02)
    rules = tmp_path / "rules.yaml"
    rules.write_text("modelled: generate.duration.mean in 74s..76s\n")
    assert main(["report", str(tmp_path), "--criteria", str(rules)]) == 0
    assert next(iter(results(tmp_path / "judged-by-rules", "one"))) == "rehearsal_note"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: generate.duratio.mean < 1s\n", "unknown metric 'generate.duratio'"),
        ("a: generate.failed{phase=spike} < 1\n", "unknown phase 'spike'"),
        ("a: generate.duration.mean{last(10min)} < 1s\n", "last(10min) is longer than the load"),
        ("a: generate.failed <\n", "rules.yaml:1 a:"),
        ("overall: generate.failed < 1\n", "rules.yaml:1 overall:"),
        ("ok: generate.failed < 1\na: 5\n", "rules.yaml:2 a:"),
        ("a:\n", "rules.yaml:1 a:"),
        ("four:\n  a: generate.failed < 1\n", "there is no scenario 'four'"),
        ("one:\n  a: generate.failed < 1\nb: generate.failed < 1\n", "a rule stands beside scenarios"),
        ("- a\n", "the file holds no criteria"),
        ("", "the file holds no criteria"),
        ("a: [\n", "rules.yaml"),
        ("a: generate.failed < 1\na: generate.failed < 2\n", "rules.yaml:2"),
    ],
)
def test_criteria_that_do_not_fit_are_refused_and_nothing_written(
    tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    write_run(tmp_path, "one")
    rules = tmp_path / "rules.yaml"
    rules.write_text(text)
    assert main(["report", str(tmp_path), "--criteria", str(rules)]) == 2
    output = capsys.readouterr()
    assert said in output.err and "→" in output.err and "Traceback" not in output.err
    assert files(tmp_path) == {"rules.yaml"}


def test_a_criteria_file_that_is_not_there(
    tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, "one")
    assert main(["report", str(tmp_path), "--criteria", str(tmp_path / "nope.yaml")]) == 2
    assert "the criteria cannot be read" in capsys.readouterr().err


def test_a_run_that_cannot_be_read_holds_up_no_other(
    tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, "one")
    (write_run(tmp_path, "two") / "run.json").write_text("{")
    assert main(["report", str(tmp_path)]) == 0
    output = capsys.readouterr()
    assert "run.json" in output.err and "Traceback" not in output.err
    assert "not run: two, three" in output.out


def test_a_folder_of_broken_runs_is_one_clear_error(
    tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    (write_run(tmp_path, "one") / "run.json").write_text("{")
    assert main(["report", str(tmp_path)]) == 2
    assert "can be read" in capsys.readouterr().err


def test_a_killed_run_is_reported_and_does_not_pass(tmp_path: Path, write_run: WriteRun) -> None:
    """A run directory whose last lines never came."""
    run = write_run(tmp_path, "one")
    for name in ("events.jsonl", "requests.jsonl"):
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: len(content) * 2 // 3])
    assert main(["report", str(tmp_path)]) == 3
    assert results(tmp_path, "one")["verdict"]["valid"] is False


def test_runs_are_judged_as_one_beside_the_first(
    tmp_path: Path, write_run: WriteRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two suite folders with two scenarios each: 2 of 20 failed in one, none in the other."""
    for number, name in enumerate(("first", "second")):
        write_run(tmp_path / name, "one", failed=2 * number, seed=number)
        write_run(tmp_path / name, "two", seed=number)
    assert main(["report", str(tmp_path / "first"), str(tmp_path / "second"), "--pool"]) == 0
    into = tmp_path / "pooled-2-first"
    assert files(into) == {*REPORTS, "results_one.json", "results_two.json"}
    judged = results(into, "one")
    assert (judged["total_requests"], judged["error_rate"]) == (20, 10.0)
    assert [run["run"] for run in judged["pooled"]] == ["first", "second"]
    assert judged["phases"]["steady"]["duration_seconds"] == judged["duration_seconds"] == 40.0
    told = "2 runs judged as one: first (10 requests), second (10 requests)"
    said = " ".join(capsys.readouterr().out.split())
    assert told in said and str(into / "report.html") in said
    assert told in (into / "summary.md").read_text() and told in (into / "report.html").read_text()
    # Nothing of it in the runs' own folders.
    assert files(tmp_path / "first") == set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["first", "second"], "2 folders were named"),
        (["first", "--pool"], "one run is no pool"),
        (["first", "first", "--pool"], "first/one is named twice"),
        (["first", "other", "--pool"], "other has runs of two, and"),
        (["first", "nowhere", "--pool"], "there is no folder"),
        (["first/one", "other/two", "--pool"], "are not of the same: another scenario: one and two"),
    ],
)
def test_what_cannot_be_judged_as_one_is_refused_in_a_line(
    tmp_path: Path,
    write_run: WriteRun,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, (name, scenario) in enumerate((("first", "one"), ("second", "one"), ("other", "two"))):
        write_run(tmp_path / name, scenario, seed=number)
    assert main(["report", *words]) == 2
    output = capsys.readouterr()
    assert said in output.err and "→" in output.err and "Traceback" not in output.err
    assert not list(tmp_path.glob("pooled-*"))
