"""How every report tells what has changed since a baseline."""

from __future__ import annotations

from genload.analysis.judged import Change, MetricChange
from genload.human import change_size, count_of, with_sign

_WORDS = {
    "regression": "REGRESSION",
    "no_regression": "no regression",
    "inconclusive": "INCONCLUSIVE",
    "descriptive": "DESCRIPTIVE",
    "not_comparable": "NOT COMPARABLE",
}


def change_word(change: Change) -> str:
    """Its verdict in a word."""
    return _WORDS[change.verdict]


def change_words(change: Change) -> str:
    """The verdict in a sentence: against what, and what came out."""
    sides = f"{count_of(change.new_runs, 'run')} against {change.base_runs}"
    noise = f", noise of equal builds learned {change.floor[:10]}" if change.floor else ""
    return f"against {change.baseline}: {change_word(change)}: {change.summary} ({sides}{noise})"


def change_in_short(change: Change) -> str:
    """What moved most of what its verdict is about: ``duration.mean +34.9 %``; empty where nothing did."""
    moved = [metric for metric in telling(change) if metric.change is not None]
    if not moved:
        return ""
    most = max(moved, key=lambda metric: abs(metric.change or 0.0))
    return f"{most.metric.partition('.')[2]} {_signed(most.change or 0.0, most)}"


def telling(change: Change) -> list[MetricChange]:
    """The metrics that a verdict is about: those that got worse, or those that cannot be told; none where
    nothing is worse."""
    for result in ("regression", "inconclusive"):
        if change.verdict == result:
            return [metric for metric in change.metrics if metric.result == result]
    return change.metrics if change.verdict == "descriptive" else []


def moved_words(metric: MetricChange) -> str:
    """By how much, with its bounds: ``+12 % (95 %: +8 to +16 %)``; empty where nothing is known."""
    if metric.change is None:
        return ""
    if metric.low is None or metric.high is None:
        return _signed(metric.change, metric)
    bounds = f"{_signed(metric.low, metric)} to {_signed(metric.high, metric)}"
    return f"{_signed(metric.change, metric)} (95 %: {bounds})"


def _signed(value: float, metric: MetricChange) -> str:
    unit = metric.unit if metric.is_difference else "ratio"
    return with_sign(value, change_size(value, unit, in_points=metric.in_points))
