"""What was tested stands in the first lines of every report, harmless."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from genload import console
from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.extensions import load

MakeRun = Callable[..., JudgedRun]
MakeSuite = Callable[..., JudgedSuite]

FACTS = {"model": "kokoro", "image": "sha256:9f2c"}
LINE = "tested: model kokoro · image sha256:9f2c"


def markdown(suite: JudgedSuite, folder: Path) -> list[str]:
    (file,) = load("reports", "markdown").render(suite, folder)
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line]


def test_every_report_begins_with_it(make_run: MakeRun, make_suite: MakeSuite, tmp_path: Path) -> None:
    run = make_run(identity=FACTS)
    results = load("reports", "results_json")
    assert list(json.loads(results.encode(results.results(run))).items())[1] == ("identity", FACTS)
    assert load("reports", "suite_json").summary(make_suite(run)).scenarios[0].identity == FACTS
    (junit,) = load("reports", "junit").render(make_suite(run), tmp_path)
    assert '<property name="tested.model" value="kokoro" />' in junit.read_text(encoding="utf-8")
    output = io.StringIO()
    Console(file=output, width=100, color_system=None).print(console.verdict_view(run))
    assert output.getvalue().splitlines()[1].strip() == LINE


def test_the_summary_says_it_once_for_all_scenarios_or_for_each_its_own(
    make_run: MakeRun, make_suite: MakeSuite, tmp_path: Path
) -> None:
    same = markdown(make_suite(make_run("a", identity=FACTS), make_run("b", identity=FACTS)), tmp_path)
    assert same[1] == LINE
    assert same.count(LINE) == 1
    other = markdown(make_suite(make_run("a", identity=FACTS), make_run("b")), tmp_path)
    assert other[1] != LINE
    assert other[[line.startswith("## a") for line in other].index(True) + 1] == LINE
    assert other.count(LINE) == 1


def test_a_hostile_name_does_no_harm(
    make_run: MakeRun, make_suite: MakeSuite, hostile_text: str, tmp_path: Path
) -> None:
    lines = markdown(make_suite(make_run(identity={"model": hostile_text})), tmp_path)
    assert "<script>" not in lines[1]
    assert "\x1b" not in lines[1]
