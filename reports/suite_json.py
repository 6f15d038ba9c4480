"""``summary.json``: the suite in one small file, for scripts; each scenario's details are in its own."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType

from genload.analysis.judged import Answer, JudgedRun, JudgedSuite, Reason, RunResult
from genload.errors import ExitCode
from genload.reporting import write_text
from genload.reporting.wording import rehearsal_note, utc

FORMAT = 1


class ScenarioSummary(msgspec.Struct, kw_only=True):
    """One scenario; names and units as in its results file, criteria those that must hold."""

    scenario: str
    identity: dict[str, str]
    result: RunResult
    valid: bool
    exit_code: int
    failed_criteria: list[str]
    inconclusive_criteria: list[str]
    reasons: list[Reason]
    start_time: str
    end_time: str
    duration_seconds: float
    total_requests: int
    successful_requests: int
    error_rate: float | None
    avg_duration: float | None
    p95_duration: float | None
    throughput_per_minute: float | None
    seed: int
    change: str | UnsetType = UNSET
    """Where it was compared with a baseline: the verdict on that."""


class SuiteSummary(msgspec.Struct, kw_only=True):
    """The whole suite; `overall` is true for exit code 0 only."""

    rehearsal_note: str | UnsetType = UNSET
    suite: str
    overall: bool
    exit_code: int
    scenarios: list[ScenarioSummary]
    missing: list[str]
    checklist: list[Answer] | UnsetType = UNSET
    """Where the suite has one: each question with its answer."""
    format: int


def render(suite: JudgedSuite, folder: Path) -> list[Path]:
    """Write summary.json."""
    text = msgspec.json.format(msgspec.json.encode(summary(suite)), indent=2).decode()
    return [write_text(folder / "summary.json", text + "\n")]


def summary(suite: JudgedSuite) -> SuiteSummary:
    """The document of one judged suite."""
    notes = [note for run in suite.runs if (note := rehearsal_note(run))]
    return SuiteSummary(
        rehearsal_note=notes[0] if notes else UNSET,
        suite=suite.suite,
        overall=suite.exit_code == ExitCode.PASSED,
        exit_code=suite.exit_code,
        scenarios=[_scenario(run) for run in suite.runs],
        missing=suite.missing,
        checklist=suite.checklist or UNSET,
        format=FORMAT,
    )


def _scenario(run: JudgedRun) -> ScenarioSummary:
    verdict, numbers = run.verdict, run.overall
    return ScenarioSummary(
        scenario=run.name,
        identity=run.identity,
        result=verdict.result,
        valid=verdict.valid,
        exit_code=verdict.exit_code,
        failed_criteria=[c.name for c in verdict.criteria if c.must and c.result == "fail"],
        inconclusive_criteria=[c.name for c in verdict.criteria if c.must and c.result == "inconclusive"],
        reasons=verdict.reasons,
        start_time=utc(run.start_time),
        end_time=utc(run.end_time),
        duration_seconds=run.duration_s,
        total_requests=numbers.total_requests,
        successful_requests=numbers.successful_requests,
        error_rate=numbers.error_rate,
        avg_duration=numbers.avg_duration,
        p95_duration=numbers.p95_duration,
        throughput_per_minute=numbers.throughput_per_minute,
        seed=run.seed,
        change=UNSET if run.change is None else run.change.verdict,
    )
