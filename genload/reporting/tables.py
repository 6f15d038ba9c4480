"""What reports show as tables, as plain text: whoever renders one escapes its cells.

A table without rows is left out by its renderer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from genload.analysis.judged import AnswerState, JudgedRun, JudgedSuite, Summary
from genload.analysis.judged.capacity import Capacity, LevelResult
from genload.analysis.judged.speech import SpeechNumbers
from genload.human import human
from genload.reporting.capacity_wording import level_name
from genload.reporting.change_wording import moved_words
from genload.reporting.request_wording import (
    STATISTICS,
    mean_range,
    own_words,
    p95_range,
    stage_range,
    stalls,
    strata,
    valid,
)
from genload.reporting.wording import utc


class Table(NamedTuple):
    """Attributes:
    rows: one cell for each of `heads`; the first is a name, the others are numbers.
    code: which columns are somebody's identifiers, to be shown as they stand.
    words: which columns are sentences.
    """

    heads: Sequence[str]
    rows: list[Sequence[str]]
    code: frozenset[int] = frozenset()
    words: frozenset[int] = frozenset()


_NUMBERS = ("failed", "error rate", "mean", "p95", "throughput")


def scenario_numbers(run: JudgedRun) -> dict[str, str]:
    """The numbers of a whole scenario, by their heads."""
    numbers = dict(zip(_NUMBERS, _numbers(run.overall), strict=True))
    return {"requests": str(run.overall.total_requests), **numbers, "load": human(run.duration_s, "s")}


def pooled(run: JudgedRun) -> Table:
    """A row for each of the runs that were judged as one."""
    heads = ("run", "began", "seed", "requests", "failed", "mean", "p95", "load", "criteria proven alone")
    rows: list[Sequence[str]] = [
        (
            one.run,
            utc(one.start_time),
            str(one.seed),
            str(one.requests),
            str(one.failed),
            human(one.avg_duration, "s"),
            human(one.p95_duration, "s"),
            human(one.duration_s, "s"),
            f"{one.proven} of {len(run.verdict.criteria)}",
        )
        for one in run.pooled
    ]
    return Table(heads, rows)


def changes(run: JudgedRun) -> Table:
    """A row for each metric that the comparison with a baseline rests on."""
    found = [] if run.change is None else run.change.metrics
    rows: list[Sequence[str]] = [
        (
            metric.metric,
            human(metric.base, "ratio" if metric.in_points else metric.unit),
            human(metric.new, "ratio" if metric.in_points else metric.unit),
            moved_words(metric) or "–",
            metric.reason,
        )
        for metric in found
    ]
    return Table(("metric", "baseline", "now", "change", "which is"), rows, frozenset({0}), frozenset({4}))


_STATES: dict[AnswerState, str] = {"ticked": "✓", "open": "open", "not applicable": "n/a"}


def checklists(suite: JudgedSuite) -> list[tuple[str, Table]]:
    """A table for each heading of the suite's checklist."""
    found: dict[str, list[Sequence[str]]] = {}
    for answer in suite.checklist:
        found.setdefault(answer.heading, []).append((answer.question, _STATES[answer.state], answer.reason))
    return [
        (heading, Table(("question", "answer", "from the data"), rows)) for heading, rows in found.items()
    ]


def phases(run: JudgedRun) -> Table:
    """A row for each of several phases."""
    shown = run.phases if len(run.phases) > 1 and run.capacity is None else []
    rows = [(p.name, str(p.target_users), str(p.summary.total_requests), *_numbers(p.summary)) for p in shown]
    return Table(("phase", "users", "requests", *_NUMBERS), [*rows])


def levels(run: JudgedRun) -> Table:
    """A row for each level of a search for a capacity, in the order in which they were measured."""
    return Table((), []) if run.capacity is None else levels_of(run.capacity)


def levels_of(found: Capacity) -> Table:
    """The same of what a search found."""
    rows = [
        (
            level_name(found, level),
            outcome(level),
            str(level.total_requests),
            *_level_numbers(level),
            *(human(criterion.value, criterion.unit) for criterion in level.criteria),
        )
        for level in found.levels
    ]
    heads = ("level", "outcome", "requests", "throughput", "p95", "error rate", *found.holds)
    return Table(heads, [*rows])


def outcome(level: LevelResult) -> str:
    """What became of a level."""
    return f"{level.outcome}, proven" if level.proven else level.outcome


def _level_numbers(level: LevelResult) -> Sequence[str]:
    per_minute = level.throughput_per_minute
    return (
        "–" if per_minute is None else f"{human(per_minute, '')}/min",
        "∞" if level.p95_duration is None and level.total_requests else human(level.p95_duration, "s"),
        human(None if level.error_rate is None else level.error_rate / 100, "ratio"),
    )


def stages(run: JudgedRun) -> Table:
    """A row for each stage, over the requests that completed."""
    rows = [(name, *(stage_range(stage, each) for each in STATISTICS)) for name, stage in run.stages.items()]
    return Table(("stage", *STATISTICS), [*rows])


def speech(run: JudgedRun) -> Table:
    """All requests, then a row for each value of the labels that tell some of them apart."""
    times = ("TTFA p50", "p95", "duration p50", "p95", "RTF")
    heads = ("speech", "requests", "failed", "error rate", *times, "stalls", "valid", "own words")
    listened = run.speech is not None and run.speech.words is not None
    shown = len(heads) if listened else len(heads) - 1
    rows = [_stratum(*each)[:shown] for each in strata(run.speech)] if run.speech is not None else []
    return Table(heads[:shown], [*rows])


def machines(run: JudgedRun) -> Table:
    """A row for each series of a machine."""
    rows = [
        (
            s.metric,
            *(human(value, s.unit) for value in (s.first, s.last, s.max)),
            human(s.growth, "ratio"),
            human(s.coverage, "ratio"),
            s.source,
        )
        for s in run.series
    ]
    return Table(
        ("metric", "first", "last", "max", "growth", "coverage", "source"), [*rows], code=frozenset({6})
    )


def _numbers(summary: Summary) -> Sequence[str]:
    """Cells for `_NUMBERS`."""
    per_minute = summary.throughput_per_minute
    return (
        str(summary.failed_requests),
        human(None if summary.error_rate is None else summary.error_rate / 100, "ratio"),
        mean_range(summary),
        p95_range(summary),
        "–" if per_minute is None else f"{human(per_minute, '')}/min",
    )


def _stratum(name: str, numbers: SpeechNumbers) -> Sequence[str]:
    times_s = (numbers.p50_ttfa, numbers.p95_ttfa, numbers.p50_duration, numbers.p95_duration)
    return (
        name,
        str(numbers.total_requests),
        str(numbers.failed_requests),
        human(None if numbers.error_rate is None else numbers.error_rate / 100, "ratio"),
        *(human(value, "s") for value in times_s),
        human(numbers.avg_rtf, ""),
        stalls(numbers),
        valid(numbers),
        own_words(numbers),
    )
