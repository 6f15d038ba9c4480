"""summary.json: a whole suite in one small file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genload.analysis.judged import JudgedRun, JudgedSuite
from genload.extensions import load
from genload.settings.suite import Suite

report = load("reports", "suite_json")
MakeSuite = Callable[..., JudgedSuite]
Kinds = dict[str, Callable[[], JudgedRun]]


def written(suite: JudgedSuite, folder: Path) -> dict[str, Any]:
    [path] = report.render(suite, folder)
    assert path == folder / "summary.json"
    decoded: dict[str, Any] = json.loads(path.read_text())
    return decoded


def test_it_names_what_failed_among_the_criteria_that_must_hold(
    tmp_path: Path, make_suite: MakeSuite, kinds: Kinds
) -> None:
    summary = written(
        make_suite(kinds["passed"](), kinds["failed"](), missing=("peak",), exit_code=1), tmp_path
    )
    assert (summary["overall"], summary["exit_code"], summary["missing"]) == (False, 1, ["peak"])
    baseline, spike = summary["scenarios"]
    assert (baseline["result"], baseline["failed_criteria"], baseline["avg_duration"]) == ("pass", [], 82.1)
    assert spike["failed_criteria"] == ["spike_error_rate_ok"]  # gpu_memory_stable is reported only


def test_overall_is_true_when_everything_held(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    assert written(make_suite(kinds["passed"]()), tmp_path)["overall"] is True


def test_a_scaled_run_says_so_first(tmp_path: Path, make_suite: MakeSuite, kinds: Kinds) -> None:
    assert next(iter(written(make_suite(kinds["scaled"]()), tmp_path))) == "rehearsal_note"


def test_a_suite_writes_it_unless_told_otherwise() -> None:
    assert "suite_json" in Suite.model_fields["reports"].default
