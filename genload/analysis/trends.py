"""What became of memory and of speed over the load, and what else happened at the moments of a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.growth import MIN_BLOCKS, GrowthTrend, blocks_of, called
from genload.analysis.judged.trends import (
    MATTERS,
    Incidents,
    LevelChange,
    MemoryTrend,
    Trends,
)
from genload.analysis.load import Load
from genload.analysis.reconciliation import PROCESSES
from genload.analysis.series import Series, SeriesStore
from genload.analysis.table import RequestTable
from genload.settings.criteria.ast import Expression, Quantity
from genload.settings.criteria.comparisons import parts
from genload.settings.metrics.machines import MEMORY, MIN_IDLE

FORESEEN = 10.0
"""What was watched says nothing of a time farther away than so many times its own length."""


@dataclass(frozen=True)
class Course:
    """One run from before its load until after it."""

    load: Load
    warmup: RequestTable
    table: RequestTable
    store: SeriesStore
    min_coverage: float
    seed: int
    growth_limits: Mapping[str, float] = field(default_factory=dict)  # by metric, of the suite's criteria

    @property
    def drained_s(self) -> float:
        """When the last request had ended."""
        return max(self.load.end_s, float(self.table.end_s.max()) if len(self.table) else 0.0)

    def idle_before(self, series: Series) -> FloatArray:
        """The samples before the load, while no request was under way."""
        before = series.times_s < self.load.start_s
        for begin_s, end_s in zip(self.warmup.start_s, self.warmup.end_s, strict=True):
            before &= (series.times_s < begin_s) | (series.times_s > end_s)
        return series.values[before]

    def level(self, series: Series) -> LevelChange:
        """What a series is after the drain against what it was before the load, once warm: the model that
        the warm-up loads is no leak.
        """
        warm_s = float(self.warmup.end_s.max()) if len(self.warmup) else -np.inf
        before = (series.times_s > warm_s) & (series.times_s < self.load.start_s)
        return level_change(series.values[before], series.values[series.times_s > self.drained_s])

    def incidents(self, begin_s: float, end_s: float) -> Incidents:
        """Throttling, restarts and errors between two times, and in the rest of the load."""
        throttled = self._of_load("gpu.throttled")
        then = otherwise = None
        if throttled is not None and len(throttled.values):
            inside = (throttled.times_s >= begin_s) & (throttled.times_s <= end_s)
            then, otherwise = _mean(throttled.values, inside), _mean(throttled.values, ~inside)
        ended = (self.table.end_s >= begin_s) & (self.table.end_s <= end_s)
        failed = (~self.table.ok).astype(np.float64)
        return Incidents(
            begin_s=begin_s,
            end_s=end_s,
            throttled=then,
            throttled_otherwise=otherwise,
            restarts=self.restarts(begin_s, end_s),
            errors=int(failed[ended].sum()),
            error_share=_mean(failed, ended),
            error_share_otherwise=_mean(failed, ~ended),
        )

    def restarts(self, begin_s: float, end_s: float) -> int | None:
        """Those of the service that its page showed between two times; None where nobody watched."""
        series = self.store.find("server.restarts")
        if series is None or not len(series.values):
            return None
        rises = np.maximum(np.diff(series.values, prepend=series.values[:1]), 0.0)
        inside = (series.times_s >= begin_s) & (series.times_s <= end_s)
        return round(float(rises[inside].sum()))

    def _of_load(self, metric: str) -> Series | None:
        series = self.store.find(metric)
        return None if series is None else series.cut([(self.load.start_s, self.load.end_s)])


def restart_notices(course: Course) -> Iterator[str]:
    """A sentence on restarts of the service under load: what its counters say is then not all."""
    count = course.restarts(course.load.start_s, course.drained_s)
    if count:
        times = "once" if count == 1 else f"{count} times"
        series = course.store.find("server.restarts")
        shows = "its processes show" if series and series.source == PROCESSES else "its page shows"
        yield (
            f"the service restarted {times} during the load, as {shows}: what its counters counted "
            "between the last look at them and a restart is lost"
        )


def _mean(values: FloatArray, which: BoolArray) -> float | None:
    return float(values[which].mean()) if which.any() else None


def growth_limits(expressions: Iterable[Expression]) -> dict[str, float]:
    """By metric, the smallest growth that a criterion of the suite does not allow."""
    limits: dict[str, float] = {}
    for part in (part for expression in expressions for part in parts(expression, lambda _: ((),))):
        comparison = part.comparison
        subject, right = comparison.subject, comparison.right
        if subject.stat == "growth" and comparison.op in ("<", "<=") and isinstance(right, Quantity):
            limits[subject.metric] = min(right.value, limits.get(subject.metric, right.value))
    return limits


def trends(course: Course, degradation: Mapping[str, float | None] | None) -> Trends | None:
    """The trends of what was watched; None where no memory was, and nothing became slower."""
    memory = [found for name in MEMORY if (found := memory_trend(course, name))]
    slower = None
    if degradation and (degradation.get("change_low_percent") or 0.0) > 0:
        length_s = degradation["window_seconds"] or 0.0
        slower = course.incidents(course.load.end_s - length_s, course.drained_s)
    return Trends(memory=memory, slower=slower) if memory or slower else None


def memory_trend(course: Course, metric: str) -> MemoryTrend | None:
    """The trend of one metric; None where no sample of it came."""
    series = course.store.find(metric)
    if series is None or not len(series.values):
        return None
    level = course.level(series)
    part = series.cut([(course.load.start_s, course.load.end_s)])
    blocks = blocks_of(part.times_s, part.values, course.table.end_s[course.table.ok])
    found = MemoryTrend(metric=metric, source=series.source, level=level, blocks=len(blocks))
    if not part.covers(course.min_coverage):
        found.missing = f"{len(part.values)} of {part.expected} samples came"
    elif len(blocks) < MIN_BLOCKS:
        found.missing = (
            f"at least {MIN_BLOCKS} blocks of completed jobs with a sample in each are needed, "
            f"and there are {len(blocks)}"
        )
    else:
        _tell_growth(found, course, GrowthTrend(blocks, course.seed))
    return found


def level_change(before: FloatArray, after: FloatArray) -> LevelChange:
    """The medians of two idle times; from fewer than MIN_IDLE samples on a side there is no comparison."""
    sides = {"before": before, "after": after}
    few = [f"{len(values)} {name} the load" for name, values in sides.items() if len(values) < MIN_IDLE]
    levels = [float(np.median(values)) if len(values) >= MIN_IDLE else None for values in sides.values()]
    first, last = levels
    return LevelChange(
        before=first,
        after=last,
        change=(last - first) / first if first and last is not None else None,
        before_samples=len(before),
        after_samples=len(after),
        missing=f"at least {MIN_IDLE} idle samples are needed; {', '.join(few)}" if few else "",
    )


def _tell_growth(found: MemoryTrend, course: Course, trend: GrowthTrend) -> None:
    found.matters = course.growth_limits.get(found.metric, MATTERS)
    found.kind = called(trend, found.matters, course.load.duration_s)
    found.growth = trend.growth
    found.growth_low, found.growth_high = trend.limits
    found.slope, found.second_half_slope = trend.slope, trend.second_half
    blocks, load = trend.blocks, course.load
    if trend.step is not None and found.kind == "step":
        before, after = float(blocks.times_s[trend.step - 1]), float(blocks.times_s[trend.step])
        found.step_at_s = after - load.start_s
        found.step = trend.step_bytes
        # What brought a step about came just before it: the time of one block is added.
        found.incidents = course.incidents(before - (after - before), after)
    if found.kind in ("leak", "growing"):
        limit, left = room(course.store, found)
        left_s = left / trend.second_half if left is not None and trend.second_half > 0 else None
        if left_s is not None and left_s <= FORESEEN * load.duration_s:
            found.limit, found.exhausted_after_s = limit, left_s
    if found.kind in ("leak", "growing", "short", "filling", "falling"):
        found.incidents = course.incidents(load.start_s, load.end_s)


def room(store: SeriesStore, found: MemoryTrend) -> tuple[str, float | None]:
    """What is left at the last sample, and the metric that says so; the host's only from the same monitor,
    because the service may run on another host than the load generator."""
    name = "gpu.memory_free" if found.metric.startswith("gpu.") else "host.memory_available"
    series = store.find(name)
    if series is not None and len(series.values) and series.source == found.source:
        return name, float(series.values[-1])
    total, used = store.find("gpu.memory_total"), store.find("gpu.memory_used")
    if name == "gpu.memory_free" and total is not None and used is not None and len(total.values):
        return total.metric, float(total.values[-1] - used.values[-1])
    return "", None
