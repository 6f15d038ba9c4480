"""A run that was read: all that was recorded, and what follows from it for whoever judges or compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import ValidationError

from genload.analysis import summary as summaries
from genload.analysis.capacity.answer import as_estimate, capacity_of, level_reason
from genload.analysis.efficiency import efficiency
from genload.analysis.evidence.percentiles import percentile
from genload.analysis.health import UserSeconds, phase_starts, processes, user_seconds
from genload.analysis.judged import CriterionVerdict, Reason, Verdict
from genload.analysis.judged.capacity import Capacity
from genload.analysis.judged.efficiency import Efficiency
from genload.analysis.judged.listeners import Listeners
from genload.analysis.judged.speech import SpeechSummary
from genload.analysis.ledger import Ledger
from genload.analysis.listeners import listeners
from genload.analysis.log import Log
from genload.analysis.monitors import broken_monitors
from genload.analysis.observe import Measures, catalogue_of
from genload.analysis.reading import read, recorded
from genload.analysis.reconciliation import Comparison, reconcile
from genload.analysis.speech_summary import is_speech, speech_summary
from genload.analysis.trends import Course, growth_limits, restart_notices
from genload.analysis.validity import Measurement, is_blame, reasons, smallest_time_threshold_s
from genload.analysis.verdict import judged_criteria, judged_criterion, overall_result, run_exit_code
from genload.errors import RunDirectoryError
from genload.runlog.records import (
    Notice,
    RunHeader,
)
from genload.settings.criteria.ast import Expression, Relative
from genload.settings.criteria.comparisons import parts
from genload.settings.criteria.criterion import Criterion
from genload.settings.scenario import Scenario
from genload.settings.suite import Suite


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
            search, self.scenario, criteria, measures, self.events, self.suite.validity, judged_criterion
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


def _settings(header: RunHeader) -> tuple[Suite, Scenario]:
    try:
        suite = Suite.model_validate(header.suite)
        return suite, suite.scenarios[header.scenario]
    except (ValidationError, KeyError) as error:
        raise RunDirectoryError(
            f"the settings in run.json cannot be read: {error}",
            remedy="judge it with the version of genload that wrote it (`versions` in run.json)",
        ) from error
