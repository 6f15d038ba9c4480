"""What one run says of each metric: one number, however many requests it had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite, sqrt

import numpy as np

from genload.analysis.comparison.brackets import Bracket
from genload.analysis.evidence.between import Between
from genload.analysis.evidence.estimate import Estimate
from genload.analysis.evidence.rates import Rate
from genload.analysis.evidence.series import Throughput
from genload.analysis.judged.capacity import Capacity
from genload.analysis.read_run import ReadRun
from genload.analysis.table import RequestTable
from genload.settings.criteria.ast import Dimension, Subject
from genload.settings.criteria.write import subject_text
from genload.settings.metrics.metric import Better, Metric


@dataclass(frozen=True, slots=True)
class RunValue:
    """One metric of one run.

    Attributes:
        metric: as a criterion would name it.
        unit: a `Dimension`.
        in_points: it is a share, whose change is told in points.
        value: in base units; None where the run does not have it, or it is infinite.
        missing: why.
        requests: of a share of requests, of how many.
        grain: of a rate of completions, its standard deviation from counting whole ones, as a share of it.
        bracket: of a search for how much the service holds: its interval.
    """

    metric: str
    unit: Dimension
    better: Better
    in_points: bool
    value: float | None
    missing: str = ""
    requests: int | None = None
    grain: float | None = None
    bracket: Bracket | None = None


def values_of(run: ReadRun, subjects: Iterable[Subject]) -> Iterator[RunValue]:
    """The run's numbers; nothing of a run whose load never began. Of a search it is what that found."""
    if run.measures is None:
        return
    if run.capacity is not None and run.scenario.capacity is not None:
        yield _found(run.scenario.capacity.metric, run.capacity)
        return
    # What polls leave open is the same for both builds.
    measures = replace(run.measures, observed_only=True)
    for subject in subjects:
        metric = run.catalogue.metrics.get(subject.metric)
        value = _value(subject, metric, measures.unit(subject), estimate := measures.of(subject))
        yield replace(value, grain=_grain(estimate, measures.table))


def _found(metric: str, found: Capacity) -> RunValue:
    bracket = Bracket.of(found)
    return RunValue(
        metric=metric,
        unit=Dimension(found.unit),
        better=Better.HIGHER,
        in_points=False,
        value=None if bracket is None else bracket.least,
        missing="" if bracket is not None else "a level that was measured soundly",
        bracket=bracket,
    )


def errors_by_class(run: ReadRun) -> dict[str, int]:
    """How many requests failed with each class of errors that occurred; nothing of a search."""
    if run.capacity is not None:
        return {}
    table = run.intake.measured
    codes, names = table.error_class
    counts = np.bincount(codes[~table.ok], minlength=len(names))
    return {name: count for name, count in zip(names, counts.tolist(), strict=True) if count}


def error_shares(
    operation: str, counts: Mapping[str, int], classes: Iterable[str], requests: int
) -> Iterator[RunValue]:
    """The share of requests that failed with each of the classes, 0 for what did not occur."""
    for name in classes:
        metric = subject_text(Subject(f"{operation}.error_rate", filters=(("error_class", name),)))
        share = counts.get(name, 0) / requests if requests else None
        yield RunValue(metric, Dimension.RATIO, Better.LOWER, True, share, requests=requests)


def _value(subject: Subject, metric: Metric | None, unit: Dimension, estimate: Estimate) -> RunValue:
    value, missing = estimate.value, estimate.missing
    seen = estimate.observed if isinstance(estimate, Between) else estimate
    if value is not None and not missing and not isfinite(value):
        missing = "failed requests reach this percentile, which is infinite then"
    return RunValue(
        metric=subject_text(subject),
        unit=unit,
        better=metric.better if metric else Better.EITHER,
        in_points=_in_points(subject, metric, unit),
        value=None if missing else value,
        missing=missing,
        requests=seen.spread.trials if isinstance(seen, Rate) else None,
    )


def _grain(estimate: Estimate, table: RequestTable) -> float | None:
    """Each request in flight at the end is somewhere between its start and its end, whereof chance alone
    decides: none or one of it is counted where a part of it is done. The variance of that is 1/12.
    """
    if not isinstance(estimate, Throughput) or not len(estimate.ends_s):
        return None
    cut = int(((table.start_s < estimate.to_s) & (table.end_s > estimate.to_s)).sum())
    return sqrt(max(cut, 1) / 12) / len(estimate.ends_s)


def _in_points(subject: Subject, metric: Metric | None, unit: Dimension) -> bool:
    """Whether it is a share of requests or of time, or a growth, which may be below 0."""
    of_time = metric is not None and metric.dimension is Dimension.STATE
    return of_time or (unit is Dimension.RATIO and subject.stat in (None, "rate", "growth"))
