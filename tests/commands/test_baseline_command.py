"""`genload baseline`, and `genload report --baseline`: runs kept, and later ones against them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genload.analysis.comparison import Noise, NoiseFloor
from genload.analysis.comparison.noise import Scale
from genload.cli import main
from genload.reporting import baselines
from genload.reporting.baselines import find_baseline, write_noise

WriteRun = Callable[..., Path]
NOISE = (1.0, 1.01, 0.99)
SCHEMA = Path(__file__).parents[2] / "config" / "schema" / "results.schema.json"


@pytest.fixture(autouse=True)
def in_a_folder(in_empty_folder: Path) -> Path:
    return in_empty_folder


@pytest.fixture
def runs(write_run: WriteRun) -> Callable[..., list[str]]:
    """Writes suite folders with one run each, `slower` times as long: ``runs("base", 1.0)``."""

    def written(name: str, slower: float = 1.0, *, count: int = 3, minute: int = 0, **what: Any) -> list[str]:
        folders = [Path(f"{name}-{number}") for number in range(count)]
        for number, folder in enumerate(folders):
            seconds = 1.5 * slower * NOISE[number % 3]
            write_run(folder, "one", seconds=seconds, minute=minute + number, seed=minute + number, **what)
        return [str(folder) for folder in folders]

    return written


Runs = Callable[..., list[str]]


def results(folder: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads((Path(folder) / "results_one.json").read_text())
    return decoded


def floor(spread: float = 0.01, tested: dict[str, str] | None = None) -> NoiseFloor:
    names = (
        "generate.duration.mean",
        "generate.duration.p50",
        "generate.duration.p95",
        "generate.throughput",
    )
    noises = {name: Noise(spread=spread, freedom=9, scale=Scale.RATIO) for name in names}
    return NoiseFloor(
        metrics=noises,
        learned_at="2026-11-20T09:00:00+00:00",
        runs=10,
        suite="probe",
        scenario="one",
        tested=tested or {},
    )


def test_promoted_runs_are_copied_and_found(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "promote", *runs("base")]) == 0
    said = capsys.readouterr().out
    assert "main: probe/one: 3 runs, in baselines/main/probe/one" in said
    found = find_baseline("main", "probe", "one")
    assert len(found.runs) == 3 and all((run / "requests.jsonl").is_file() for run in found.runs)
    assert main(["baseline", "list"]) == 0
    assert "probe/one" in capsys.readouterr().out
    assert main(["baseline", "show", "main"]) == 0
    shown = capsys.readouterr().out
    assert "base-1 " in shown and "from base-0/one" in shown and "noise of equal builds: not learned" in shown


def test_a_later_promotion_takes_the_place_of_runs(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    main(["baseline", "promote", *runs("old")])
    assert main(["baseline", "promote", *runs("young", minute=10, count=1)]) == 0
    said = capsys.readouterr().out
    assert "1 run, in the place of 3" in said and "note: one run has no spread" in said
    place = Path("baselines/main/probe/one")
    assert [path.name for path in place.iterdir() if path.is_dir()] == [
        find_baseline("main", "probe", "one").runs[0].name
    ]


def test_a_promotion_that_breaks_off_leaves_the_baseline_as_it_was(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["baseline", "promote", *runs("old")])
    before = find_baseline("main", "probe", "one")
    from genload.commands.baseline import promotion

    really_copy, copied = promotion.shutil.copyfile, list[Path]()

    def full(source: Path, to: Path) -> None:
        copied.append(source)
        if len(copied) > 4:
            raise OSError(28, "No space left on device")
        really_copy(source, to)

    monkeypatch.setattr(promotion.shutil, "copyfile", full)
    assert main(["baseline", "promote", *runs("young", minute=10)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    after = find_baseline("main", "probe", "one")
    assert after == before and all((run / "run.json").is_file() for run in after.runs)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"time_scale": 0.02}, "is a rehearsal"),
        ({"ended": False}, "is not valid: the run has no end"),
    ],
)
def test_what_is_no_sound_run_in_earnest_is_refused(
    runs: Runs, capsys: pytest.CaptureFixture[str], what: dict[str, Any], said: str
) -> None:
    folders = runs("base", count=1, **what)
    assert main(["baseline", "promote", *folders]) == 2
    assert said in capsys.readouterr().err and not Path("baselines").exists()
    if "time_scale" in what:
        assert main(["baseline", "promote", *folders, "--rehearsal"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["promote", "base-0", "base-0"], "is named twice"),
        (["promote", "base-0", "--name", "../up"], "is no name of a baseline"),
        (["promote", "nowhere"], "there is no folder nowhere"),
        (["show", "main"], "there is no baseline 'main'"),
    ],
)
def test_what_cannot_be_promoted_or_shown_is_said_in_a_line(
    runs: Runs, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    runs("base", count=1)
    assert main(["baseline", *words]) == 2
    told = capsys.readouterr().err
    assert said in told and "→" in told and "Traceback" not in told


# ---- against a baseline


def test_three_slower_runs_are_a_regression_in_every_report(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["baseline", "promote", *runs("base")])
    new = runs("new", 1.3, minute=10)
    capsys.readouterr()
    assert main(["report", *new, "--pool", "--baseline", "main"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "against main: REGRESSION" in said and "3 runs against 3" in said
    assert "probe REGRESSION" in said
    into = Path("pooled-3-new-0")
    change = results(str(into))["change"]
    assert change["verdict"] == "regression" and change["baseline"] == "main"
    [mean] = [metric for metric in change["metrics"] if metric["metric"] == "generate.duration.mean"]
    assert mean["change"] == pytest.approx(0.3, abs=1e-6) and mean["low"] < 0.3 < mean["high"]
    jsonschema.validate(results(str(into)), json.loads(SCHEMA.read_text()))
    assert "❌ against main: REGRESSION" in (into / "summary.md").read_text().replace("\\", "")
    page = (into / "report.html").read_text()
    assert 'type="regression"' in (into / "junit.xml").read_text()
    # Among the first things said, before the table of scenarios.
    assert page.index("against main: REGRESSION") < page.index('<table class="scenarios">')
    assert json.loads((into / "summary.json").read_text())["scenarios"][0]["change"] == "regression"


def test_one_run_has_a_verdict_with_a_noise_floor_and_none_without(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["baseline", "promote", *runs("base", count=1)])
    [new] = runs("new", 1.3, count=1, minute=10)
    assert main(["report", new, "--baseline", "main"]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "against main: DESCRIPTIVE" in said
    assert "three runs a side: genload ab probe/one" in said and "--learn main" in said
    write_noise(Path("baselines/main/probe/one"), floor())
    assert main(["report", new, "--baseline", "main"]) == 1
    assert "noise of equal builds learned 2026-11-20" in " ".join(capsys.readouterr().out.split())


def test_a_floor_of_another_machine_does_not_enter(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    main(["baseline", "promote", *runs("base", count=1)])
    [new] = runs("new", 1.3, count=1, minute=10)
    found = find_baseline("main", "probe", "one")
    from genload.reporting.change import change_since

    other = baselines.Baseline(found.name, "probe", "one", found.runs, floor(tested={"gpu.model": "A100"}))
    change = change_since(other, [Path(new) / "one"], {"gpu.model": "H200"})
    assert (change.verdict, change.floor) == ("descriptive", "")
    assert "is of another machine" in change.needs
    assert change_since(other, [Path(new) / "one"], {"gpu.model": "A100"}).verdict == "regression"


def test_the_same_is_no_regression_and_other_seeds_are_named(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["baseline", "promote", *runs("base")])
    write_noise(Path("baselines/main/probe/one"), floor())
    new = runs("new", minute=10)
    assert main(["report", *new, "--pool", "--baseline", "main"]) in (0, 3)
    change = results("pooled-3-new-0")["change"]
    assert change["verdict"] != "regression"
    assert any(text.startswith("seed:") for text in change["differences"])


def test_a_baseline_may_be_any_folder_of_runs(runs: Runs) -> None:
    [base], [new] = runs("base", count=1), runs("new", count=1, minute=10)
    for folder in (base, f"{base}/one"):
        assert main(["report", new, "--baseline", folder]) == 3  # one run a side


def test_what_cannot_be_compared_never_passes(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    [scaled], [new] = runs("scaled", count=1, time_scale=0.02), runs("new", count=1, minute=10)
    assert main(["report", new, "--baseline", scaled]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "NOT COMPARABLE" in said and "another time scale" in said
    assert main(["report", new, "--baseline", new]) == 3
    assert "NOT COMPARABLE" in capsys.readouterr().out
    assert main(["report", new]) == 0


def test_a_report_compares_with_what_the_suite_names_unless_told_otherwise(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["baseline", "promote", *runs("base")])
    new = runs("new", 1.3, minute=10, baseline="main")
    assert main(["report", *new, "--pool"]) == 1
    assert "against main: REGRESSION" in capsys.readouterr().out
    assert main(["report", new[0], "--baseline", new[1]]) == 3  # one run a side
    assert results(new[0])["change"]["baseline"] == new[1]
    Path("baselines").rename("elsewhere")
    capsys.readouterr()
    assert main(["report", new[0]]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "against main: NOT COMPARABLE: there is no baseline 'main'" in said


@pytest.mark.parametrize("named", ["mian", "empty"])
def test_a_baseline_that_is_not_there_is_wrong_usage(
    runs: Runs, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    main(["baseline", "promote", *runs("base")])
    Path("empty").mkdir()
    [new] = runs("new", count=1, minute=10)
    assert main(["report", new, "--baseline", named]) == 2
    told = capsys.readouterr().err
    assert ("main" in told and "no baseline" in told) if named == "mian" else "has no run of one" in told


def test_a_baseline_without_a_scenario_ends_a_run_before_any_load(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["baseline", "promote", *runs("base")])
    words = ["run", "demo/spike", "--host", "http://127.0.0.1:9", "--baseline", "main"]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert "baseline main has no runs of demo/spike; it has probe/one" in told
    assert not Path("results").exists()
