"""How reports show times that polls leave open: as the range in which they lie."""

from __future__ import annotations

from typing import Literal

from genload.analysis.judged import CriterionVerdict, JudgedRun, StageSummary, Summary
from genload.human import human
from genload.reporting.wording import human_percentile

RANGES = "ranges: what polls leave open of when jobs ended"
_OPEN_FROM = 0.01
"""Share of a number from which on it is shown as a range."""

_DASH = "–"


def human_range(value: float | None, low: float | None, high: float | None, unit: str) -> str:
    """A number that polls leave open, as ``1.47–1.87 s``; as `human` where that is 1 % of it or less.

    Args:
        low, high: the least and the greatest that it can be; None: nothing is open.
    """
    if value is None or low is None or high is None or high - low <= _OPEN_FROM * abs(value):
        return human(value, unit)
    least, most = human(low, unit), human(high, unit)
    number, space, name = least.rpartition(" ")
    if space and name == most.rpartition(" ")[2]:
        return f"{number}{_DASH}{most}"
    return f"{least} {_DASH} {most}"


def observed(criterion: CriterionVerdict) -> str:
    """What was observed of a criterion's subject."""
    return human_range(criterion.value, criterion.low, criterion.high, criterion.unit)


def mean_range(summary: Summary) -> str:
    """The mean duration."""
    low = None if summary.shortest is None else summary.shortest.avg_duration
    return human_range(summary.avg_duration, low, summary.avg_duration, "s")


def p95_range(summary: Summary) -> str:
    """p95 of the durations of every attempt."""
    low = None if summary.shortest is None else summary.shortest.p95_duration
    if low is None:
        return human_percentile(summary.p95_duration, summary)
    return human_range(summary.p95_duration, low, summary.p95_duration, "s")


def stage_range(stage: StageSummary, statistic: Literal["mean", "p50", "p95", "max"]) -> str:
    """One statistic of a stage's time."""
    value = getattr(stage, statistic)
    low, high = (getattr(limit or stage, statistic) for limit in (stage.shortest, stage.longest))
    return human_range(value, low, high, "s")


def has_ranges(run: JudgedRun) -> bool:
    """Whether any of a run's own times is shown as a range."""
    shown = [mean_range(run.overall), p95_range(run.overall)]
    shown += [stage_range(stage, "mean") for stage in run.stages.values()]
    return any(_DASH in text and text != _DASH for text in shown)
