"""A comparison in words and cells, the same on the terminal, in Markdown, JUnit and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genload.analysis.comparison import (
    Basis,
    Bracket,
    ComparedSuite,
    Comparison,
    MetricShift,
    RunFacts,
    Verdict,
    amount,
    held,
)
from genload.human import count_of, human, with_sign
from genload.reporting.tables import Table
from genload.reporting.wording import utc

VERDICTS: dict[Verdict, str] = {
    "regression": "REGRESSION",
    "no_regression": "NO REGRESSION",
    "inconclusive": "INCONCLUSIVE",
    "descriptive": "DESCRIPTIVE",
}
RESULTS: dict[Verdict, str] = {
    "regression": "worse",
    "no_regression": "no worse",
    "inconclusive": "open",
    "descriptive": "not judged",
}
HEADS = ("metric", "BASE", "NEW", "change", "95 % bounds", "allowed", "result")

_BASIS = {
    Basis.SPREAD: "the spread of the runs of each side (Welch's t)",
    Basis.ROUNDS: "the differences within the rounds, which go together (paired t)",
    Basis.FLOOR: "the noise floor and the spread of these runs, pooled (t)",
    Basis.COUNTS: "the number of requests (Agresti and Caffo)",
    Basis.WHOLE: "whole completions, of which the end of a run cuts some off",
}
_SEARCHES = (
    "Each run is a search, which says how much a build holds at least and at most, and chose its own "
    "load: nothing else of it is compared. A build holds less for certain where all of its runs lie below "
    "all of the other's, by more than is allowed: of equal builds with three runs a side, in one of twenty "
    "comparisons at most."
)


def rehearsal_note(comparison: Comparison) -> str:
    """What comes first of a comparison of rehearsals; empty for real runs."""
    if comparison.rehearsal:
        return "REHEARSAL: these times are not those of a real service"
    if comparison.time_scale != 1:
        return f"SCALED: all times × {comparison.time_scale:g}"
    return ""


def sides(comparison: Comparison) -> str:
    """How many runs of each side, and how they came."""
    return (
        f"BASE {_runs(comparison.base)} · NEW {_runs(comparison.new)}"
        f"{' · in rounds' if comparison.rounds else ''}"
    )


def _runs(side: Sequence[RunFacts]) -> str:
    requests = sum(run.requests for run in side)
    began = utc(side[0].started_at)
    return (
        f"{count_of(len(side), 'run')}, {count_of(requests, 'request')}{f', from {began}' if began else ''}"
    )


def differences(comparison: Comparison) -> Table:
    """What is not the same in all runs, what had to be allowed first."""
    rows: list[Sequence[str]] = [
        (each.what, ", ".join(each.base), ", ".join(each.new), f"{each.kind}{_leave(each.kind.needs_leave)}")
        for each in comparison.differences
    ]
    return Table(("what differs", "BASE", "NEW", "kind"), rows)


def _leave(needed: bool) -> str:
    return " (allowed)" if needed else ""


def judged(comparison: Comparison) -> Table:
    """The metrics that the verdict rests on."""
    return Table(HEADS, [row(metric) for metric in comparison.judged])


def shown(comparison: Comparison) -> Table:
    """All others."""
    others = [metric for metric in comparison.metrics if metric.result is None]
    return Table(HEADS[:5], [row(metric)[:5] for metric in others])


def reasons(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Each judged metric with why its result is what it is."""
    for metric in comparison.judged:
        yield metric.metric, metric.reason


def row(metric: MetricShift) -> Sequence[str]:
    """A line of a table with `HEADS`."""
    shift, unit = metric.shift, "ratio" if metric.in_points else metric.unit
    return (
        metric.metric,
        _value(metric.base_value, metric.base_brackets, unit),
        _value(metric.new_value, metric.new_brackets, unit),
        "–" if shift is None else signed(shift.value, metric),
        bounds(metric),
        "–" if metric.tolerance is None else allowed(metric.tolerance, metric),
        RESULTS[metric.result] if metric.result else "",
    )


def _value(value: float | None, brackets: Sequence[Bracket], unit: str) -> str:
    return held(brackets, unit) if brackets else human(value, unit)


def bounds(metric: MetricShift) -> str:
    """``+7.9 … +12.5 %``."""
    shift = metric.shift
    if shift is None or shift.low is None or shift.high is None:
        return "–"
    low, high = signed(shift.low, metric), signed(shift.high, metric)
    number, _, unit = low.partition(" ")
    return f"{number if high.endswith(f' {unit}') else low} … {high}"


def allowed(tolerance: float, metric: MetricShift) -> str:
    """By how much a metric may be worse."""
    sign = {"lower": "+", "higher": "−"}.get(metric.better, "±")
    return sign + amount(tolerance, metric)


def signed(size: float, metric: MetricShift) -> str:
    """A change: ``+10.2 %``, ``−1.5 points``, ``+12 MiB``."""
    return with_sign(size, amount(size, metric))


def how(comparison: Comparison) -> Iterator[str]:
    """How the bounds come about, and what the verdict means."""
    used = dict.fromkeys(m.shift.basis for m in comparison.judged if m.shift is not None)
    if any(metric.base_brackets for metric in comparison.judged):
        yield _SEARCHES
        return
    told = [_BASIS[basis] for basis in used if basis in _BASIS]
    if told:
        yield f"Bounds come from {'; '.join(told)}. Each is a one-sided 95 % bound. The run is the unit."
    yield (
        "A metric is worse where that is certain (p < 5 %, adjusted by Holm for all that are judged) and by "
        "more than is allowed; no worse where its bound is within what is allowed; else it is open."
    )


def suite_words(suite: ComparedSuite) -> str:
    """The verdict of all scenarios."""
    return VERDICTS[suite.verdict]


def uncompared_words(suite: ComparedSuite) -> str:
    """Scenarios that only one side has; empty without any."""
    told = ", ".join(f"{each.scenario} (only {each.side})" for each in suite.uncompared)
    return f"not compared: {told}" if told else ""
