"""`genload compare`: a verdict by its exit code, and bad input in one clear line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genload.analysis.comparison import compare, floor_of
from genload.cli import main
from genload.reporting.rounds import SIDES, RoundRun, Rounds, write_rounds

from ..analysis.comparison.builds import rounds, run_log
from ..analysis.memory_log import write


def run(*arguments: Path | str) -> int:
    return main(["compare", *map(str, arguments)])


def test_a_regression_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rounds(tmp_path, 1.1, base={"facts": {"image": "one"}}, new={"facts": {"image": "two"}})
    assert run(tmp_path / "base", tmp_path / "new") == 1
    output = capsys.readouterr().out
    assert "probe/normal  REGRESSION" in output
    assert output.index("image") < output.index("duration.p95")
    assert "+10 %" in output
    assert all(len(line.rstrip()) <= 80 for line in output.splitlines())
    assert not list((tmp_path / "new").glob("compare*"))


def test_no_regression_ends_with_0_and_files_are_written_on_demand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds(tmp_path)
    assert run(tmp_path / "base", tmp_path / "new", "--html", "--json", "--markdown", "--junit") == 0
    written = {path.name for path in (tmp_path / "new").glob("compare*")}
    assert written == {"compare.html", "compare.json", "compare.md", "compare-junit.xml"}
    assert run(tmp_path / "base", tmp_path / "new", "--html", "--into", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["compare.html"]
    assert "NO REGRESSION" in capsys.readouterr().out


def test_runs_one_by_one_and_a_stricter_tolerance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, new = rounds(tmp_path, 1.04)
    sides = [part for side, runs in (("--base", base), ("--new", new)) for r in runs for part in (side, r)]
    assert run(*sides, "--tolerance", "10%") == 0
    assert run(*sides, "--tolerance", "1%", "--verbose") == 1
    output = capsys.readouterr().out
    assert "for sure" in output
    assert "success_rate" in output  # not judged, and shown


def test_the_folder_of_rounds_has_both_sides_as_far_as_they_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, new = rounds(tmp_path, 1.1, count=4)
    made = [
        RoundRun(
            round=n,
            side=side,
            run=str(run.relative_to(tmp_path)),
            seed=7,
            verdict="PASS",
            counts=n > 0,
        )
        for side, runs in zip(SIDES, (base, new), strict=True)
        for n, run in enumerate(runs)
    ]
    record = Rounds(
        suite="probe",
        scenario="normal",
        base="http://a",
        new="http://b",
        base_settings=[],
        new_settings=[],
        equal=False,
        rounds=4,
        runs=made,
    )
    write_rounds(tmp_path, record)
    assert run(tmp_path, "--html") == 1
    assert "BASE 3 runs, 300 requests" in capsys.readouterr().out
    assert (tmp_path / "compare.html").is_file()
    none = [msgspec.structs.replace(one, counts=False) for one in made]
    write_rounds(tmp_path, msgspec.structs.replace(record, runs=none))
    assert run(tmp_path) == 2
    assert "no round is complete" in capsys.readouterr().err


def test_too_few_runs_end_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rounds(tmp_path, count=2)
    assert run(tmp_path / "base", tmp_path / "new") == 3
    assert "DESCRIPTIVE" in capsys.readouterr().out


def test_a_noise_floor_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = {"facts": {"gpu.model": "A100"}}
    floor = floor_of(compare(*rounds(tmp_path / "equal", **machine)), "2026-11-20T10:00:00Z")
    file = tmp_path / "noise.json"
    file.write_bytes(msgspec.json.encode(floor))
    base, new = rounds(tmp_path / "slower", 1.15, count=1)
    assert run(base[0], new[0], "--noise", file) == 1
    assert "noise floor of 2026-11-20" in " ".join(capsys.readouterr().out.split())
    here = {"facts": {"gpu.model": "H100"}}
    base, new = rounds(tmp_path / "elsewhere", 1.15, count=1, base=here, new=here)
    assert run(base[0], new[0], "--noise", file) == 3
    assert "was not used" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "BASE is missing"),
        (["one"], "NEW is missing"),
        (["one", "gone"], "there is no folder"),
        (["one", "empty"], "no run in"),
        (["one", "one"], "is named twice"),
        (["one", "two", "--tolerance", "5s"], "--tolerance 5s"),
        (["one", "two", "--tolerance", "much"], "--tolerance much"),
        (["one", "two", "--judge", "generate.fasces.mean"], "unknown metric 'generate.fasces'"),
        (["one", "two", "--noise", "gone"], "--noise gone"),
        (["one", "two", "--noise", "one/run.json"], "is no noise floor"),
        (["one", "seeded"], "the runs differ in more than the build: seed: 7 → 8"),
        (["one", "damaged"], "run.json cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(run_log(minute=0), tmp_path / "one")
    write(run_log(minute=1), tmp_path / "two")
    write(run_log(minute=2, header={"seed": 8}), tmp_path / "seeded")
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text("{")
    assert run(*arguments) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert "Traceback" not in shown.err
    assert "no_regression" not in shown.out.lower()


def test_what_differs_is_named_first_once_it_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds(tmp_path, new={"header": {"seed": 8}})
    assert run(tmp_path / "base", tmp_path / "new", "--allow-different") == 0
    output = capsys.readouterr().out
    assert "inputs (allowed)" in output
    assert output.index("inputs (allowed)") < output.index("duration.mean")
