"""The first answer after a run's start, and after a time without a request, against those of the load."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite

import numpy as np

from genload.analysis.evidence.estimate import Absent, BoolArray, Estimate, Exact, FloatArray
from genload.analysis.evidence.percentiles import percentile
from genload.analysis.judged.cold import ColdStart
from genload.analysis.table import RequestTable

COLD = "cold"
"""The phase of the request behind an idle time, which is a warm-up in all else."""


def cold_starts(before: RequestTable, table: RequestTable) -> list[ColdStart]:
    """The run's first request, and the one after an idle time, as far as there are any.

    Args:
        before: the requests before the load.
        table: those of the load.
    """
    places = np.flatnonzero(before.where("phase", COLD))
    found = [_cold_start(before, 0, None, table)] if len(before) and 0 not in places else []
    for place in places:
        ended_s = before.end_s[:place]
        idle_s = float(before.start_s[place] - (ended_s.max() if len(ended_s) else 0.0))
        found.append(_cold_start(before, int(place), idle_s, table))
    return found


def cold_number(found: Sequence[ColdStart], *, first_audio: bool) -> Estimate:
    """The duration, or the first audio, of the last of them; infinite where it failed."""
    if not found:
        return Absent("a request before the load: `idle` or `warmup` of the scenario")
    cold = found[-1]
    value = cold.ttfa if first_audio else cold.duration
    if cold.error_class:
        return Exact(inf, f"one request, which failed: {cold.error_class}")
    words = "the run's first request" if cold.idle is None else "one request"
    return Absent("a first audio that is known") if value is None else Exact(value, words)


def _cold_start(before: RequestTable, place: int, idle_s: float | None, table: RequestTable) -> ColdStart:
    rows = _alike(before, place, table)
    good = bool(before.ok[place])
    codes, names = before.error_class
    ttfa_s = before.column("ttfa_s")
    first_s = None if ttfa_s is None or np.isnan(ttfa_s[place]) else float(ttfa_s[place])
    duration_s = float(before.duration_s[place]) if good else None
    warm_s = _percentile(table, rows, table.duration_s, 50)
    return ColdStart(
        after="start" if idle_s is None else "idle",
        idle=idle_s,
        duration=duration_s,
        ttfa=first_s if good else None,
        error_class=names[codes[place]],
        warm_requests=int(rows.sum()),
        warm_p50=warm_s,
        warm_p95=_percentile(table, rows, table.duration_s, 95),
        warm_p50_ttfa=_percentile(table, rows, table.column("ttfa_s"), 50),
        times_slower=duration_s / warm_s if duration_s is not None and warm_s else None,
    )


def _alike(before: RequestTable, place: int, table: RequestTable) -> BoolArray:
    """Those of the load whose text is as long; of texts without classes, and of jobs, all."""
    codes, values = before.labels.get("length", (None, ()))
    length = "" if codes is None else values[codes[place]]
    return table.where("length", length) if length else np.ones(len(table), dtype=np.bool_)


def _percentile(
    table: RequestTable, rows: BoolArray, values: FloatArray | None, level: float
) -> float | None:
    if values is None:
        return None
    there = rows & (~table.ok | ~np.isnan(values))
    found = percentile(np.where(table.ok, values, inf)[there], level)
    return found if found is not None and isfinite(found) else None
