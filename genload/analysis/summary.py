"""The numbers that reports show: of requests, phases, stages, series and the client itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isfinite

import numpy as np
from msgspec.structs import replace

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.evidence.means import Mean, MeanRatio
from genload.analysis.evidence.percentiles import percentile, percentiles
from genload.analysis.evidence.series import growth
from genload.analysis.health import ProcessHealth, UserSeconds
from genload.analysis.judged import (
    ClientSummary,
    PhaseSummary,
    SeriesSummary,
    ShortestDurations,
    StageSummary,
    StageTimes,
    Summary,
)
from genload.analysis.load import Load, PhaseTime
from genload.analysis.polled import bounds
from genload.analysis.series import SeriesStore
from genload.analysis.table import OUTCOMES, RequestTable
from genload.analysis.tallies import completions, rejections
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.labelled import unlabelled

DEGRADATION_PARTS = 6
"""First and last part that are compared: 10 of 60 minutes."""


def summary(table: RequestTable, rows: BoolArray, begin_s: float, end_s: float, *, left: int = 0) -> Summary:
    """The numbers of some requests; completions between the two times make the throughput."""
    attempted, ok = int(rows.sum()), rows & table.ok
    completed, limits = int(ok.sum()), bounds(table, "duration")
    length_s = end_s - begin_s
    done = len(completions(table, rows, begin_s, end_s))
    return Summary(
        total_requests=attempted,
        successful_requests=completed,
        failed_requests=attempted - completed,
        success_rate=100 * completed / attempted if attempted else None,
        error_rate=100 * (attempted - completed) / attempted if attempted else None,
        **_durations(table, rows, table.duration_s),
        throughput_per_minute=60 * done / length_s if length_s > 0 else None,
        unfinished_requests=int((rows & (table.outcome == OUTCOMES["unfinished"])).sum()),
        drained_requests=int((rows & table.drained).sum()),
        rejections=int(rejections(table, rows)),
        p95_of_successes=percentile(table.duration_s[ok], 95),
        left_requests=left,
        shortest=None if limits is None else ShortestDurations(**_durations(table, rows, limits[0])),
    )


def _durations(table: RequestTable, rows: BoolArray, column_s: FloatArray) -> dict[str, float | None]:
    """The statistics of some requests' durations, by the names of `Summary`."""
    good, ranked = column_s[rows & table.ok], np.where(table.ok[rows], column_s[rows], np.inf)
    reached = percentiles(ranked, (50, 95, 99)) if len(ranked) else [inf] * 3
    p50, p95, p99 = (value if isfinite(value) else None for value in reached)
    return {
        "avg_duration": float(good.mean()) if len(good) else None,
        "min_duration": float(good.min()) if len(good) else None,
        "max_duration": float(good.max()) if len(good) else None,
        "p50_duration": p50,
        "p95_duration": p95,
        "p99_duration": p99,
    }


def phase_summaries(
    table: RequestTable, left: RequestTable, load: Load, overall: Summary
) -> list[PhaseSummary]:
    """One for each phase that began: its requests are those that were to start in it.

    Args:
        left: the requests whose listeners left.
        overall: the numbers of all requests, which are those of a phase that has them all.
    """
    planned = {phase.name: phase.arrivals for phase in load.timeline.phases}
    return [
        PhaseSummary(
            name=phase.name,
            start_s=phase.start_s,
            end_s=phase.end_s,
            target_users=phase.users,
            summary=_of_phase(table, left, phase, overall),
            arrivals=planned.get(phase.name),
        )
        for phase in load.phases
    ]


def _of_phase(table: RequestTable, left: RequestTable, phase: PhaseTime, overall: Summary) -> Summary:
    begin_s, end_s = phase.start_s, phase.end_s
    gone, rows = int(left.where("phase", phase.name).sum()), table.where("phase", phase.name)
    if rows.all():
        numbers = replace(overall, left_requests=gone)
    else:
        numbers = summary(table, rows, begin_s, end_s, left=gone)
    # A completion belongs to the time in which it came, whichever phase its request began in.
    done = len(completions(table, np.ones(len(table), dtype=np.bool_), begin_s, end_s))
    numbers.throughput_per_minute = 60 * done / (end_s - begin_s) if end_s > begin_s else None
    return numbers


def stage_summaries(table: RequestTable, names: Iterable[str]) -> dict[str, StageSummary]:
    """Where the time of the completed requests went, by stage."""
    found = {}
    for name in names:
        column = table.numbers.get(f"stage.{name}")
        rows = None if column is None else table.ok & ~np.isnan(column)
        if column is None or rows is None or not rows.any():
            continue
        limits = bounds(table, f"stage.{name}")
        least, most = (None, None) if limits is None else (StageTimes(**_times(end[rows])) for end in limits)
        count = int(rows.sum())
        found[name] = StageSummary(count=count, **_times(column[rows]), shortest=least, longest=most)
    return found


def _times(values: FloatArray) -> dict[str, float]:
    """The statistics of one stage's seconds, of which there are some, by the names of `StageTimes`."""
    p50, p95 = percentiles(values, (50, 95))
    return {
        "mean": float(values.mean()),
        "p50": p50,
        "p95": p95,
        "max": float(values.max()),
    }


def series_summaries(store: SeriesStore, load: Load, catalogue: Catalogue) -> list[SeriesSummary]:
    """Every metric that was promised or came, over the load; not what there was nothing of to sample."""
    found = []
    for name in store.metrics:
        series, metric = store.find(name), catalogue.metrics.get(unlabelled(name)[0])
        if series is None or series.nothing_here:
            continue
        stretch = [(load.start_s, load.end_s)]
        part = series.cut(stretch)
        values = part.values
        there = bool(len(values))
        is_state = metric is not None and metric.dimension is Dimension.STATE
        found.append(
            SeriesSummary(
                metric=name,
                source=part.source,
                unit=metric.dimension.value if metric else "",
                count=len(values),
                coverage=series.spoken_share(stretch) if is_state else part.coverage,
                first=float(values[0]) if there else None,
                last=float(values[-1]) if there else None,
                mean=series.held(stretch).share if is_state else float(values.mean()) if there else None,
                min=float(values.min()) if there else None,
                max=float(values.max()) if there else None,
                growth=growth(values),
            )
        )
    return found


def client_summary(
    processes: Sequence[ProcessHealth], users: UserSeconds, table: RequestTable
) -> ClientSummary:
    """The load generator's own numbers; lags of all its processes together."""
    lags_ms = np.concatenate([process.lags_ms for process in processes]) if processes else np.array([])
    bounds = table.column("poll_bound_s")
    return ClientSummary(
        lag_p50_ms=percentile(lags_ms, 50),
        lag_p99_ms=percentile(lags_ms, 99),
        lag_max_ms=float(lags_ms.max()) if len(lags_ms) else None,
        cpu_max=max((process.cpu_max for process in processes), default=None),
        rss_max_bytes=max((process.rss_max_bytes for process in processes), default=None),
        user_seconds_target=users.target,
        user_seconds_worked=users.worked,
        user_seconds_asleep=users.asleep,
        poll_bound_p95_s=None if bounds is None else percentile(bounds[~np.isnan(bounds)], 95),
    )


def degradation(table: RequestTable, load: Load) -> dict[str, float | None]:
    """Mean seconds of the requests that began in the first and in the last sixth of the load, and the
    change in percent, with its one-sided 95 % bounds: a lower one above 0 shows that it became slower.

    Only successes have a duration; a part without one is None, and so is then the change. Too few requests
    for a bound leave it None.
    """
    length_s = load.duration_s / DEGRADATION_PARTS
    begun_first = (table.start_s >= load.start_s) & (table.start_s < load.start_s + length_s)
    begun_last = (table.start_s >= load.end_s - length_s) & (table.start_s < load.end_s)
    first, last = (Mean(table.duration_s[table.ok & rows]) for rows in (begun_first, begun_last))
    shortest, longest = bounds(table, "duration") or (table.duration_s, table.duration_s)
    # What is least of the last part was least beside the most of the first one, wherever the jobs ended.
    least = MeanRatio(Mean(shortest[table.ok & begun_last]), Mean(longest[table.ok & begun_first]))
    most = MeanRatio(Mean(longest[table.ok & begun_last]), Mean(shortest[table.ok & begun_first]))
    return {
        "first_mean": first.value,
        "last_mean": last.value,
        "change_percent": _percent_change(MeanRatio(last, first).value),
        "change_low_percent": _percent_change(least.bound("lower", 1.0).value),
        "change_high_percent": _percent_change(most.bound("upper", 1.0).value),
        "window_seconds": length_s,
    }


def _percent_change(ratio: float | None) -> float | None:
    return None if ratio is None else 100 * (ratio - 1)
