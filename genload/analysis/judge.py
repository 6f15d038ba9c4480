"""Computes the verdict from a run directory, and from nothing else: the answer is the same a year later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from genload.analysis import summary as summaries
from genload.analysis.capacity.answer import as_estimate, capacity_of, level_reason
from genload.analysis.carried import uninspected_notices
from genload.analysis.contract import expected_families, family_findings
from genload.analysis.efficiency import efficiency
from genload.analysis.evaluate import judge_expression
from genload.analysis.evidence.percentiles import percentile
from genload.analysis.health import UserSeconds, arrivals, phase_starts, processes, user_seconds
from genload.analysis.intake import warmup_notices
from genload.analysis.judged import CriterionVerdict, JudgedRun, Reason, RunResult, Verdict
from genload.analysis.judged.capacity import Capacity
from genload.analysis.judged.efficiency import Efficiency
from genload.analysis.judged.listeners import Listeners
from genload.analysis.judged.speech import SpeechSummary
from genload.analysis.ledger import Ledger
from genload.analysis.listeners import listeners
from genload.analysis.monitors import broken_monitors, monitor_summaries, silent_notices, uptime
from genload.analysis.observe import Measures, catalogue_of
from genload.analysis.populations import parts_of
from genload.analysis.reading import Log, read, recorded
from genload.analysis.reconciliation import Comparison, reconcile
from genload.analysis.retries import retries
from genload.analysis.shares import share_notices
from genload.analysis.speech_summary import is_speech, speech_summary
from genload.analysis.tested import tested
from genload.analysis.trends import Course, growth_limits, restart_notices, trends
from genload.analysis.validity import Measurement, is_blame, reasons, smallest_time_threshold_s
from genload.analysis.words import words_notices
from genload.errors import ExitCode, RunDirectoryError
from genload.runlog.reader import open_run
from genload.runlog.records import (
    GIVEN_UP,
    NOT_READY,
    Event,
    Interrupted,
    Notice,
    RunHeader,
)
from genload.settings.criteria.ast import Expression, Relative
from genload.settings.criteria.comparisons import parts
from genload.settings.criteria.criterion import Criterion
from genload.settings.suite import Scenario, Suite

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
        overall=summaries.summary(table, everything, begin_s, end_s, left=len(run.intake.left)),
        warmup=summaries.summary(warmup, np.ones(len(warmup), dtype=np.bool_), 0.0, 0.0),
        phases=summaries.phase_summaries(table, run.intake.left, load) if load else [],
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


def _settings(header: RunHeader) -> tuple[Suite, Scenario]:
    try:
        suite = Suite.model_validate(header.suite)
        return suite, suite.scenarios[header.scenario]
    except (ValidationError, KeyError) as error:
        raise RunDirectoryError(
            f"the settings in run.json cannot be read: {error}",
            remedy="judge it with the version of genload that wrote it (`versions` in run.json)",
        ) from error


def _wall_time(started_at: str, after_s: float) -> str:
    """UTC, ISO 8601, to the millisecond; empty when the run does not say when it began."""
    if not started_at:
        return ""
    return (datetime.fromisoformat(started_at) + timedelta(seconds=after_s)).isoformat(
        timespec="milliseconds"
    )


@dataclass(init=False)
class ReadRun:
    """All that was read from a run, and what follows from it."""

    @classmethod
    def of(cls, log: Log, criteria: Mapping[str, Criterion] | None = None) -> ReadRun:
        """Read a run; `criteria` instead of its own.

        Raises:
            RunDirectoryError: its settings cannot be read.
        """
        suite, scenario = _settings(log.header)
        return cls(log, suite, scenario, scenario.criteria if criteria is None else criteria)

    def __init__(self, log: Log, suite: Suite, scenario: Scenario, criteria: Mapping[str, Criterion]) -> None:
        header = log.header
        self.suite, self.scenario, self.criteria = suite, scenario, criteria
        self.catalogue = catalogue_of(header)
        reading = read(log)
        self.intake, self.events, self.load = reading.intake, reading.events, reading.load
        self.samples, self.plans, self.store = reading.samples, reading.plans, reading.store
        self.recorded = recorded(log, reading)
        self.broken_monitors = broken_monitors(self.samples)
        self.missing_records = log.missing_records()
        self.problems = log.problems
        self.header = header
        self.processes = processes(self.events, self.load, suite.validity.max_cpu) if self.load else []
        self.users = user_seconds(self.events, self.load) if self.load else UserSeconds()

    @property
    def expressions(self) -> list[Expression]:
        return [criterion.expression for criterion in self.criteria.values()]

    @property
    def own_criteria(self) -> dict[str, Criterion]:
        """Those that are said of the whole run: what a search holds a level to is said of levels alone."""
        held = () if self.scenario.capacity is None else self.scenario.capacity.holds
        return {name: criterion for name, criterion in self.criteria.items() if name not in held}

    @property
    def judges_windows(self) -> bool:
        """Whether a criterion compares parts of the load with each other, such as its first 10 minutes."""
        everything = [part for expression in self.expressions for part in parts(expression, lambda _: ((),))]
        subjects = [part.comparison.subject for part in everything]
        subjects += [p.comparison.right.of for p in everything if isinstance(p.comparison.right, Relative)]
        return any(subject.window is not None for subject in subjects)

    def verdict(self, *, strict: bool) -> Verdict:
        why_not = self.reasons()
        judged = self.judged_criteria()
        attempted = len(self.intake.measured)
        result = overall_result(judged, attempted=attempted, observe=self.scenario.observe)
        return Verdict(
            result=result,
            valid=not why_not,
            reasons=why_not,
            criteria=judged,
            exit_code=run_exit_code(self.events, why_not, judged, result, strict=strict),
        )

    def told(self) -> list[str]:
        """The notices that were recorded during the run, in their order."""
        notices = (event for event in self.events if isinstance(event, Notice))
        return [notice.text for notice in notices if not is_blame(notice)]  # is_blame: a reason already

    def restarts(self) -> list[str]:
        """Sentences about restarts of the service."""
        return list(restart_notices(self.course)) if self.course else []

    def reconciliation(self) -> list[Comparison]:
        """What the client counted against what the service did, as far as the suite maps it."""
        if not any(metric for _, metric in self.suite.reconcile):
            return []
        tables = [self.intake.warmup, self.intake.measured, self.intake.left]
        ledger = Ledger.of(tables, self.events)
        return reconcile(self.suite.reconcile, ledger, self.store.find)

    def reasons(self) -> list[Reason]:
        table = self.intake.measured
        if self.capacity is not None:
            return self.reasons_of_search(self.capacity)
        measurement = Measurement(
            events=self.events,
            load=self.load,
            missing_records=self.missing_records,
            errors=self.intake.errors,
            broken_monitors=self.broken_monitors,
            processes=self.processes,
            users=self.users,
            starts=phase_starts(table, self.load) if self.load else [],
            median_s=percentile(table.duration_s[table.ok], 50),
            smallest_threshold_s=smallest_time_threshold_s(self.expressions),
            pause_asked_for=self.scenario.failure_pause_s is not None,
        )
        return reasons(measurement, self.suite.validity)

    def reasons_of_search(self, found: Capacity) -> list[Reason]:
        """Of a search, what is wrong with a level is wrong with it alone, unless it ended the search."""
        measurement = Measurement(
            events=self.events,
            load=None,
            missing_records=self.missing_records,
            errors=self.intake.errors,
            broken_monitors=self.broken_monitors,
            processes=[],
            users=UserSeconds(),
            starts=[],
            median_s=None,
            smallest_threshold_s=None,
            pause_asked_for=True,
        )
        of_run = [reason for reason in reasons(measurement, self.suite.validity) if reason.code != "no_load"]
        return of_run if of_run or found.end != "invalid" else [level_reason(found)]

    def judged_criteria(self) -> list[CriterionVerdict]:
        measures = self.measures
        if measures is not None and self.capacity is not None:
            measures = replace(measures, highest_level=as_estimate(self.capacity))
        return judged_criteria(self.own_criteria, measures)

    @cached_property
    def capacity(self) -> Capacity | None:
        """What a search found; None of any other load, and of one that never began."""
        search, measures = self.scenario.capacity, self.measures
        if search is None or measures is None:
            return None
        criteria = {**self.scenario.criteria, **self.criteria}
        return capacity_of(
            search, self.scenario, criteria, measures, self.events, self.suite.validity, _judged
        )

    def speech(self) -> SpeechSummary | None:
        """What listeners would have noticed; None if the outputs are not audio."""
        measures = self.measures
        return speech_summary(measures, self.intake.gaps) if measures and is_speech(measures) else None

    def listeners(self) -> Listeners | None:
        """Those who left, and those who stayed; None where nobody was to leave."""
        return listeners(self.measures.of_left(), self.scenario) if self.measures else None

    @cached_property
    def degradation(self) -> dict[str, float | None] | None:
        """The durations at the beginning and at the end; None if no criterion compares parts of the load."""
        return (
            summaries.degradation(self.intake.measured, self.load)
            if self.load and self.judges_windows
            else None
        )

    def efficiency(self) -> Efficiency | None:
        """What an output cost; None if no GPU was watched and none has a price, or several populations had
        it at the same time: nobody knows whose its energy was."""
        if self.header.population:
            return None
        watched = [
            process
            for monitor in self.suite.monitors.values()
            if monitor.kind == "gpu"
            for process in getattr(monitor, "processes", ())
        ]
        return efficiency(self.course, self.suite.gpu_hour_cost, watched) if self.course else None

    @cached_property
    def course(self) -> Course | None:
        """The run with the time before and after its load; None if the load never began."""
        if self.load is None:
            return None
        return Course(
            load=self.load,
            warmup=self.intake.warmup,
            table=self.intake.measured,
            store=self.store,
            min_coverage=self.suite.validity.min_coverage,
            seed=self.header.seed,
            growth_limits=growth_limits(self.expressions),
        )

    @cached_property
    def measures(self) -> Measures | None:
        """The data for the criteria; None if the load never began."""
        if self.load is None:
            return None
        return Measures(
            header=self.header,
            catalogue=self.catalogue,
            table=self.intake.measured,
            left=self.intake.left,
            warmup=self.intake.warmup,
            store=self.store,
            load=self.load,
            in_flight_gauge=self.suite.reconcile.in_flight,
            min_coverage=self.suite.validity.min_coverage,
        )


def judged_criteria(criteria: Mapping[str, Criterion], measures: Measures | None) -> list[CriterionVerdict]:
    """Each criterion on the data; without a load none is judged."""
    if measures is None:
        return [_unjudged(name, criterion) for name, criterion in criteria.items()]
    return [_judged(name, criterion, measures) for name, criterion in criteria.items()]


def _judged(name: str, criterion: Criterion, measures: Measures) -> CriterionVerdict:
    judgement = judge_expression(criterion.expression, measures)
    return CriterionVerdict(
        name=name,
        expression=criterion.holds,
        must=criterion.must,
        value=judgement.value,
        unit=judgement.unit,
        result=judgement.result,
        evidence=judgement.evidence,
        low=judgement.low,
        high=judgement.high,
        op=judgement.op,
        threshold=judgement.threshold,
        bound=judgement.bound,
        assumption=judgement.assumption,
        needs=judgement.needs,
        successes=judgement.successes,
        misses=list(judgement.misses),
    )


def _unjudged(name: str, criterion: Criterion) -> CriterionVerdict:
    return CriterionVerdict(
        name=name,
        expression=criterion.holds,
        must=criterion.must,
        value=None,
        unit="",
        result="inconclusive",
        evidence=None,
        bound=None,
        assumption=None,
        needs="a load: it never began in this run",
    )


def overall_result(criteria: Iterable[CriterionVerdict], *, attempted: int, observe: bool) -> RunResult:
    """The result of a run, from its `must` criteria: "fail" if one of them fails, else "inconclusive" if one
    of them has no data.

    A run without a single request never passes, nor does a run without a `must` criterion.
    """
    results = {criterion.result for criterion in criteria if criterion.must}
    if "fail" in results:
        return "fail"
    if "inconclusive" in results or attempted == 0:
        return "inconclusive"
    if results:
        return "pass"
    return "observed" if observe else "no criteria"


def run_exit_code(
    events: Iterable[Event],
    why_not: Sequence[Reason],
    criteria: Iterable[CriterionVerdict],
    result: RunResult,
    *,
    strict: bool,
) -> int:
    """The exit code of a run: 130 if it was interrupted, 4 if the service was never ready or was given up, 3
    if the measurement is not valid; else by the result.

    A measurement that is not valid says nothing about the service. Therefore it cannot be a failure either.
    """
    seen = list(events)
    if any(isinstance(event, Interrupted) for event in seen):
        return ExitCode.INTERRUPTED
    if any(isinstance(event, Notice) and event.code in (NOT_READY, GIVEN_UP) for event in seen):
        return ExitCode.UNAVAILABLE
    if why_not or result in ("inconclusive", "no criteria"):
        return ExitCode.INVALID
    if result == "fail":
        return ExitCode.FAILED
    unsure = any(c.must and c.evidence not in ("exact", "proven") for c in criteria)
    return ExitCode.INVALID if strict and unsure else ExitCode.PASSED
