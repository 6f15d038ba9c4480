"""What becomes of each criterion: judged by the code that judges runs, on the requests of a simulated one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genload.analysis.evaluate import Judgement, judge_expression
from genload.analysis.intake import take_in
from genload.analysis.load import load_of
from genload.analysis.observe import Measures
from genload.analysis.plan.simulation import Course, Request
from genload.analysis.series import SeriesStore
from genload.runlog.records import (
    FORMAT_VERSION,
    LEFT,
    Event,
    LoadEnded,
    LoadStarted,
    PhaseStarted,
    RequestRecord,
    RunHeader,
)
from genload.runlog.rows import rows_of
from genload.settings.criteria.ast import Expression, Relative, Subject
from genload.settings.criteria.comparisons import parts
from genload.settings.criteria.criterion import Criterion
from genload.settings.goodput import Limit
from genload.settings.metrics.capacity import CAPACITY_METRICS
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.metric import Metric, Tally
from genload.settings.phases import Timeline

_KEYS = ("duration", "start_delay_s")
_TALLIES = (Tally.ATTEMPTED, Tally.COMPLETED, Tally.FAILED, Tally.UNFINISHED, Tally.LEFT)
_GOOD = ("goodput", "goodput_throughput")
_SURE = ("exact", "proven")


class Outlook(StrEnum):
    """What may be expected of a criterion."""

    CANNOT = "cannot hold"
    UNLIKELY = "will probably not hold"
    UNPROVEN = "will probably hold, and cannot be proven with these requests"
    LIKELY = "will probably hold"
    SILENT = "the plan says nothing about it"


@dataclass(frozen=True, slots=True)
class CriterionOutlook:
    """One criterion, and what a plan says of it.

    Attributes:
        judgement: of the simulated run that stands for the others.
        holds_in, runs: in how many of the simulated runs it held.
        changes: what would change the outlook, each on its own.
    """

    name: str
    criterion: Criterion
    outlook: Outlook
    judgement: Judgement
    holds_in: int = 0
    runs: int = 0
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judge:
    """Judges criteria on simulated loads of one scenario.

    Args:
        operation: what its records are called by: ``generate``, ``speech``.
        labels: the values of its requests' labels.
        goodput: what makes a request a good one.
    """

    catalogue: Catalogue
    operation: str
    labels: dict[str, tuple[str, ...]]
    goodput: Mapping[str, Limit]
    min_coverage: float

    def measures(self, timeline: Timeline, course: Course) -> Measures:
        """A simulated load as what criteria are measured on."""
        records = take_in([rows_of([*self._records(course)])], self.operation)
        # Not what was expected of a schedule: a plan has no time to simulate others for each of its runs.
        phases = [{**phase.recorded(), "rates_per_s": None} for phase in timeline.phases]
        starts = [(phase.name, timeline.start_s(index)) for index, phase in enumerate(timeline.phases)]
        begun = [PhaseStarted(t_s=at_s, phase=name) for name, at_s in starts]
        events: list[Event] = [LoadStarted(t_s=0.0), *begun, LoadEnded(t_s=course.end_s)]
        load = load_of(events, phases, course.end_s)
        assert load is not None  # noqa: S101  it has just been said that it began
        header = RunHeader(
            format=FORMAT_VERSION,
            suite={"goodput": {name: limit.holds for name, limit in self._limits().items()}},
            requested={},
            scenario="",
            phases=phases,
            operation=self.operation,
            stages=[],
            labels={name: list(values) for name, values in self.labels.items()},
        )
        store = SeriesStore([], [], (load.start_s, load.end_s))
        return Measures(
            header, self.catalogue, records.measured, store, load, self.min_coverage, left=records.left
        )

    def is_silent(self, expression: Expression) -> bool:
        """Whether it is about something that no simulated request has."""
        return not all(self._knows(self.catalogue.metrics.get(each.metric)) for each in _subjects(expression))

    def _knows(self, metric: Metric | None) -> bool:
        if metric is None or metric.source != "requests":
            return False
        if metric in CAPACITY_METRICS:  # a scenario that has them is a search
            return True
        if metric.counts is not None:
            return not metric.key and metric.counts in _TALLIES
        if metric.short in _GOOD:
            return bool(self._limits())
        return metric.key in _KEYS or metric.is_series or metric.short == "throughput"

    def _limits(self) -> Mapping[str, Limit]:
        """Of a good request; none where one of them is of what no simulated request has."""
        keys = {self.catalogue.metrics[f"{self.operation}.{name}"].key for name in self.goodput}
        return self.goodput if keys <= set(_KEYS) else {}

    def _records(self, course: Course) -> Iterator[RequestRecord]:
        for number, request in enumerate(course.requests):
            yield RequestRecord(
                source="plan",
                n=number,
                name=self.operation,
                operation=self.operation,
                user=request.user,
                phase=request.phase,
                intended_s=request.due_s,
                start_s=request.start_s,
                duration_s=request.end_s - request.start_s,
                outcome=LEFT if request.left else "failed" if request.error_class else "ok",
                drained=request.end_s > course.end_s,
                error_class=request.error_class,
                labels=self._labels(number, request),
            )

    def _labels(self, number: int, request: Request) -> dict[str, str]:
        """Each label's values in turn; together they come in every combination."""
        found = {}
        for name, values in self.labels.items():
            if values:
                number, which = divmod(number, len(values))
                found[name] = values[which]
        if "listener" in found:
            found["listener"] = "leaves" if request.leaves else "stays"
        return found


def outlook(
    name: str, criterion: Criterion, judge: Judge, runs: Sequence[Measures], edges: Sequence[Measures]
) -> CriterionOutlook:
    """What to expect of a criterion.

    Args:
        runs: of simulated loads, as likely as each other.
        edges: of the most extreme ones: it cannot hold only where it holds in none of these, either.
    """
    expression = criterion.expression
    judged = [judge_expression(expression, measures) for measures in runs]
    if judge.is_silent(expression) and not _fails(judged):
        return CriterionOutlook(name, criterion, Outlook.SILENT, judged[0])
    passes = [judgement for judgement in judged if judgement.result == "pass"]
    if 2 * len(passes) > len(judged):
        sure = [judgement for judgement in passes if judgement.evidence in _SURE]
        found = Outlook.LIKELY if 2 * len(sure) > len(passes) else Outlook.UNPROVEN
        return CriterionOutlook(name, criterion, found, passes[0], len(passes), len(judged))
    at_edges = [judge_expression(expression, measures) for measures in edges]
    never = not passes and all(judgement.result != "pass" for judgement in at_edges)
    typical = next(judgement for judgement in judged if judgement.result != "pass")
    found = Outlook.CANNOT if never else Outlook.UNLIKELY
    return CriterionOutlook(name, criterion, found, typical, len(passes), len(judged))


def _fails(judged: Iterable[Judgement]) -> bool:
    """Whether it failed in every one."""
    return all(judgement.result == "fail" for judgement in judged)


def _subjects(expression: Expression) -> Iterator[Subject]:
    for part in parts(expression, lambda _: ((),)):
        yield part.comparison.subject
        if isinstance(part.comparison.right, Relative):
            yield part.comparison.right.of
