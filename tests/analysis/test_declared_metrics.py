"""Numbers that a service's file declares: subjects like any other, and findings of every report."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from rich.console import Console

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict, JudgedSuite
from genload.console import verdict_view
from genload.extensions import load
from genload.settings.metrics.meshes import mesh_metrics

from .memory_log import MemoryLog, job, sound_run

Judge = Callable[..., CriterionVerdict]
FINDING = "3 of 9 outputs came in another format than was ordered (generate.format_honoured)"


def run(records: list[Any] | None = None) -> MemoryLog:
    """Nine meshes, three of them OBJ where STL was ordered, and one job that failed before there was any."""
    log = sound_run(meshes() if records is None else records)
    log.header.metrics = [to_builtins(metric) for metric in mesh_metrics("generate")]
    return log


def meshes() -> list[Any]:
    numbers = [
        {"faces": 100.0 * (n + 1), "watertight": 1.0, "format_honoured": float(n >= 3)} for n in range(9)
    ]
    made = [job(n, float(n), numbers=each) for n, each in enumerate(numbers)]
    return [*made, job(9, 9.0, outcome="failed", error_class="job_failed")]


@pytest.mark.parametrize(
    ("subject", "unit", "value"),
    [
        ("format_honoured", "ratio", 6 / 9),
        ("watertight", "ratio", 1.0),
        ("faces.mean", "count", 500.0),
        ("faces.min", "count", 100.0),
        ("faces.p95", "count", 900.0),  # the failed job has no place in the order
        ("faces.count", "count", 9.0),
        ("format_honoured{last(55s)}", "ratio", 4 / 4),
    ],
)
def test_each_is_a_subject(judge_one: Judge, subject: str, unit: str, value: float) -> None:
    verdict = judge_one(run(), f"generate.{subject} >= 0")
    assert (verdict.value, verdict.unit) == (pytest.approx(value), unit)


def test_a_share_is_judged_with_its_evidence(judge_one: Judge) -> None:
    verdict = judge_one(run(), "generate.format_honoured == 100%")
    assert (verdict.result, verdict.evidence) == ("fail", "proven")
    verdict = judge_one(run(), "generate.watertight >= 90%")
    assert (verdict.result, verdict.evidence) == ("pass", "unproven")
    assert "requests with watertight meshes only" in (verdict.needs or "")
    assert judge_one(run([job(0, 0.0)]), "generate.watertight >= 90%").needs == (
        "at least one request whose output was inspected"
    )


def test_every_report_says_that_a_format_was_not_honoured(tmp_path: Path) -> None:
    judged = judge_log(run())
    assert FINDING in judged.notices
    suite = JudgedSuite(suite="probe", runs=[judged], missing=[], exit_code=0)
    for report in ("results_json", "markdown", "junit"):
        texts = [path.read_text(encoding="utf-8") for path in load("reports", report).render(suite, tmp_path)]
        assert any(FINDING in text.replace("\\", "") for text in texts), report
    terminal = Console(file=StringIO(), width=200)
    terminal.print(verdict_view(judged))
    assert FINDING in terminal.file.getvalue()  # type: ignore[attr-defined]


def test_nothing_is_said_where_every_format_was_honoured() -> None:
    good = [job(n, float(n), numbers={"format_honoured": 1.0}) for n in range(9)]
    assert judge_log(run(good)).notices == judge_log(sound_run(good)).notices == []
