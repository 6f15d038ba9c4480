"""Computes the verdict from a run directory, and from nothing else: the answer is the same a year later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from genload.analysis import summary as summaries
from genload.analysis.carried import uninspected_notices
from genload.analysis.contract import expected_families, family_findings
from genload.analysis.health import arrivals
from genload.analysis.intake import warmup_notices
from genload.analysis.judged import JudgedRun
from genload.analysis.log import Log
from genload.analysis.monitors import monitor_summaries, silent_notices, uptime
from genload.analysis.populations import parts_of
from genload.analysis.read_run import ReadRun
from genload.analysis.retries import retries
from genload.analysis.shares import share_notices
from genload.analysis.tested import tested
from genload.analysis.trends import trends
from genload.analysis.words import words_notices
from genload.runlog.reader import open_run
from genload.runlog.records import (
    Interrupted,
    RunHeader,
)
from genload.settings.criteria.criterion import Criterion

CriteriaOf = Callable[[RunHeader], Mapping[str, Criterion] | None]
"""Other criteria for a run, or for one population of one, by its header; None: its own."""


def _its_own(header: RunHeader) -> None:
    """None."""


def judge(
    folder: Path, *, criteria: Mapping[str, Criterion] | None = None, strict: bool | None = None
) -> JudgedRun:
    """Judge a run in which one kind of users was at work.

    Args:
        folder: its run directory.
        criteria: criteria by name, to be used instead of those of the run.
        strict: as in `judge_all`, as the errors are.
    """
    [judged] = judge_all(folder, criteria=lambda header: criteria, strict=strict)
    return judged


def judge_all(
    folder: Path, *, criteria: CriteriaOf = _its_own, strict: bool | None = None
) -> list[JudgedRun]:
    """Judge a run: each of its populations in their order, or itself where it has none.

    Args:
        folder: its run directory.
        criteria: for each of them criteria by name, to be used instead of its own; None: its own.
        strict: True: only exact or proven evidence can pass; None: as it was when the run was started.

    Raises:
        RunDirectoryError: there is no run that can be read.
    """
    parts = parts_of(open_run(folder))
    return [judge_log(part, criteria=criteria(part.header), strict=strict) for part in parts]


def judge_log(
    log: Log, *, criteria: Mapping[str, Criterion] | None = None, strict: bool | None = None
) -> JudgedRun:
    """Judge a run that is open for reading; see `judge` for the arguments and errors."""
    return judge_read(ReadRun.of(log, criteria), strict=strict)


def judge_read(run: ReadRun, *, strict: bool | None = None) -> JudgedRun:
    """Judge a run that was read."""
    suite, scenario, header = run.suite, run.scenario, run.header
    strict = header.strict if strict is None else strict
    table, load = run.intake.measured, run.load
    verdict = run.verdict(strict=strict)
    begin_s, end_s = (load.start_s, load.end_s) if load else (0.0, 0.0)
    everything = np.ones(len(table), dtype=np.bool_)
    overall = summaries.summary(table, everything, begin_s, end_s, left=len(run.intake.left))
    warmup = run.intake.warmup
    identity, unknown = tested(suite, run.events, run.samples, header.monitors)
    monitors = monitor_summaries(run.plans, run.samples, load) if load else []
    return JudgedRun(
        suite=suite.name,
        scenario=header.scenario,
        population=header.population,
        purpose=scenario.purpose,
        operation=header.operation,
        start_time=_wall_time(header.started_at, begin_s),
        end_time=_wall_time(header.started_at, end_s),
        duration_s=end_s - begin_s,
        time_scale=header.time_scale,
        rehearsal=header.rehearsal,
        strict=strict,
        interrupted=next((event.by for event in run.events if isinstance(event, Interrupted)), None),
        seed=header.seed,
        overall=overall,
        warmup=summaries.summary(warmup, np.ones(len(warmup), dtype=np.bool_), 0.0, 0.0),
        phases=summaries.phase_summaries(table, run.intake.left, load, overall) if load else [],
        stages=summaries.stage_summaries(table, header.stages),
        errors=run.intake.errors,
        retries=retries(table),
        series=summaries.series_summaries(run.store, load, run.catalogue) if load else [],
        client=summaries.client_summary(run.processes, run.users, table),
        verdict=verdict,
        notices=[
            *run.told(),
            *warmup_notices(run.intake, scenario.warmup),
            *unknown,
            *silent_notices(monitors),
            *run.store.doubts(),
            *run.restarts(),
            *uninspected_notices(run.intake.remarks),
            *share_notices(run.catalogue, table),
            *words_notices(table),
            *run.problems,
        ],
        asked_for=header.asked_for,
        identity=identity,
        monitors=monitors,
        uptime=uptime(run.store, load, run.samples, table) if load else None,
        requested=header.requested,
        effective=header.suite,
        versions=header.versions,
        failure_pause_s=scenario.failure_pause_s or 0.0,
        arrivals=arrivals(table, load, suite.validity.lag_floor_s) if load else None,
        speech=run.speech(),
        listeners=run.listeners(),
        cold_starts=run.measures.cold_starts() if run.measures else [],
        contract=family_findings(expected_families(suite), run.samples),
        reconciliation=run.reconciliation(),
        degradation=run.degradation,
        trends=trends(run.course, run.degradation) if run.course else None,
        efficiency=run.efficiency(),
        capacity=run.capacity,
        recorded=run.recorded,
    )


def _wall_time(started_at: str, after_s: float) -> str:
    """UTC, ISO 8601, to the millisecond; empty when the run does not say when it began."""
    if not started_at:
        return ""
    return (datetime.fromisoformat(started_at) + timedelta(seconds=after_s)).isoformat(
        timespec="milliseconds"
    )
