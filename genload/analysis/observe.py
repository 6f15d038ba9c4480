"""From a criterion's subject to its estimate: which requests or samples, and which statistic of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

from genload.analysis.evidence import Absent, BoolArray, Estimate, Exact, FloatArray, Unbounded
from genload.analysis.evidence_means import Mean, MeanRatio
from genload.analysis.evidence_percentiles import Percentile
from genload.analysis.evidence_rates import Rate, Spread
from genload.analysis.evidence_series import Growth, State, Throughput, slope
from genload.analysis.load import Load
from genload.analysis.series import Series, SeriesStore
from genload.analysis.table import OUTCOMES, RequestTable
from genload.runlog.records import RunHeader
from genload.settings.catalogue import Catalogue, Metric, request_metrics
from genload.settings.criteria.ast import Dimension, Subject

LEAST_WITH_NUMBER = 0.95
"""Share of the successes that must carry a number before a statistic of it is judged."""

SEEN = "about the samples seen"


def catalogue_of(header: RunHeader) -> Catalogue:
    """What this run's criteria may name: the engine's metrics, and those that its wing files declared."""
    declared = tuple(_metric(m) for m in header.metrics)
    return Catalogue.of(request_metrics(header.operation, tuple(header.stages)) + declared)


def _metric(fields: Mapping[str, Any]) -> Metric:
    return Metric(
        name=fields["name"],
        dimension=Dimension(fields.get("dimension", "")),
        stats=tuple(fields.get("stats", ())),
        source=fields.get("source", "samples"),
        help=fields.get("help", ""),
    )


@dataclass(frozen=True)
class Measures:
    """Everything that a criterion can be measured on."""

    header: RunHeader
    catalogue: Catalogue
    table: RequestTable
    store: SeriesStore
    load: Load
    min_coverage: float

    def strata(self, label: str) -> tuple[str, ...]:
        """The values that ``each(label)`` runs through: the declared ones, and any other that occurred."""
        if label == "phase":
            return tuple(phase.name for phase in self.load.phases)
        return tuple(dict.fromkeys((*self.header.labels.get(label, ()), *self.table.values_of(label))))

    def unit(self, subject: Subject) -> Dimension:
        """The dimension of the subject's number."""
        metric = self.catalogue.metrics.get(subject.metric)
        dimension = metric.dimension if metric else Dimension.PLAIN
        if subject.stat == "count":
            return Dimension.COUNT
        if subject.stat in ("growth", "rate") or (dimension is Dimension.STATE and subject.stat == "mean"):
            return Dimension.RATIO
        if subject.stat == "slope":
            rates = {Dimension.BYTES: Dimension.BYTE_RATE, Dimension.COUNT: Dimension.RATE}
            return rates.get(dimension, Dimension.PLAIN)
        return dimension

    def of(self, subject: Subject) -> Estimate:
        """The subject's estimate; `Absent` with the reason where there is nothing to judge."""
        metric = self.catalogue.metrics.get(subject.metric)
        of_requests = subject.metric.startswith(f"{self.header.operation}.")
        if metric.source == "requests" if metric else of_requests:
            return RequestStatistics(self, subject).estimate()
        return self._of_samples(subject, metric)

    def ratio(self, top: Subject, below: Subject) -> Estimate:
        """One subject as a share of another."""
        first, second = self.of(top), self.of(below)
        missing = first.missing or second.missing
        if missing or first.value is None or second.value is None:
            return Absent(missing or "a value on both sides of the comparison")
        if isinstance(first, Mean) and isinstance(second, Mean):
            return MeanRatio(first, second)
        if second.value == 0 or not isfinite(second.value):
            return Absent(f"a finite {below.metric} other than 0 to compare with")
        share = first.value / second.value
        if first.exact and second.exact:
            return Exact(share, "a comparison of counts about this run")
        return Unbounded(share, "a ratio of means or of counts: no bound is computed for this one")

    def _of_samples(self, subject: Subject, metric: Metric | None) -> Estimate:
        series = self.store.find(subject.metric)
        if series is None:
            return Absent(f"a monitor that fills {subject.metric}: add one under `monitors`")
        if any(label != "phase" for label, _ in subject.filters):
            return Absent(f"another criterion: samples of {subject.metric} carry no label but the phase")
        phases = [value for _, value in subject.filters]
        part = series.cut(self.load.stretch(phases, subject.window))
        if not part.covers(self.min_coverage):
            came = f"{len(part.values)} of {part.expected} ticks came from {part.source}"
            return Absent(f"samples of {subject.metric}: {came}")
        is_state = metric is not None and metric.dimension is Dimension.STATE
        estimate = _series_estimate(part, subject, is_state=is_state)
        # Of a series that the engine knows a 0 means 0; what a suite picked from a page may be registered
        # there and never written.
        if metric is None and subject.stat != "count" and estimate.value == 0 and not series.values.any():
            return Unbounded(0.0, f"a series that moves: every sample of {subject.metric} in this run is 0")
        return estimate


def _series_estimate(part: Series, subject: Subject, *, is_state: bool) -> Estimate:
    values, stat = part.values, subject.stat
    if stat == "p" and subject.percentile is not None:
        return Percentile(values, subject.percentile, noun="samples")
    makers: dict[str | None, Callable[[], Estimate]] = {
        "mean": lambda: State(values, part.expected) if is_state else Mean(values, noun="samples"),
        "min": lambda: Exact(float(values.min()), SEEN),
        "max": lambda: Exact(float(values.max()), SEEN),
        "last": lambda: Exact(float(values[-1]), SEEN),
        "count": lambda: Exact(float(len(values)), SEEN),
        "growth": lambda: Growth(values),
        "slope": lambda: Unbounded(slope(part.times_s, values), "growth instead: a slope has no bound here"),
    }
    maker = makers.get(stat)
    estimate = maker() if maker else Absent(f"a statistic that {subject.metric} has, instead of {stat}")
    if estimate.value is None:
        return Absent(f"two samples of {subject.metric} that are above 0 and apart in time")
    return estimate


@dataclass(frozen=True)
class RequestStatistics:
    """The statistics of the requests that one subject selects."""

    measures: Measures
    subject: Subject

    def estimate(self) -> Estimate:
        operation, _, name = self.subject.metric.partition(".")
        if operation != self.measures.header.operation:
            return Absent(f"requests named {operation}: this scenario makes {self.measures.header.operation}")
        return self._number(name) if self.subject.stat is None else self._statistic(name, self.subject.stat)

    def rows(self) -> BoolArray:
        """The requests of the subject's filters and window."""
        table = self.measures.table
        rows = np.ones(len(table), dtype=np.bool_)
        for label, value in self.subject.filters:
            rows &= table.where(label, value)
        if self.subject.window is not None:
            begin, end = self.measures.load.part(self.subject.window)
            rows &= (table.start_s >= begin) & (table.start_s < end)
        return rows

    def _number(self, name: str) -> Estimate:
        table, rows = self.measures.table, self.rows()
        makers: dict[str, Callable[[], Estimate]] = {
            "error_rate": lambda: self._rate(~table.ok[rows], "failures"),
            "success_rate": lambda: self._rate(table.ok[rows], "successes"),
            "attempted": lambda: Exact(float(rows.sum())),
            "completed": lambda: Exact(float((rows & table.ok).sum())),
            "failed": lambda: Exact(float((rows & ~table.ok).sum())),
            "unfinished": lambda: Exact(float((rows & (table.outcome == OUTCOMES["unfinished"])).sum())),
            "rejections": lambda: Exact(rejections(table, rows)),
            "throughput": self._throughput,
        }
        if name not in makers:
            return Absent(f"a statistic of {self.subject.metric}, such as mean or p95")
        return makers[name]()

    def _rate(self, events: BoolArray, noun: str) -> Estimate:
        return Rate(Spread(events), noun) if len(events) else self._nothing("attempted")

    def _nothing(self, what: str) -> Absent:
        chosen = [f"{label}={value}" for label, value in self.subject.filters]
        window = self.subject.window
        chosen += [f"{window.side}({window.length.text})"] if window else []
        return Absent(f"at least one request {what}" + (f" in {', '.join(chosen)}" if chosen else ""))

    def _throughput(self) -> Estimate:
        """Completions inside the time that phase and window name ÷ its length, whenever they were started."""
        filters = self.subject.filters
        phases = [value for label, value in filters if label == "phase"]
        stretches = self.measures.load.stretch(phases, self.subject.window)
        if not stretches:
            return self._nothing("completed")
        # The phase of a request is where it began; a completion belongs to the time in which it came.
        others = tuple((label, value) for label, value in filters if label != "phase")
        subject = Subject(self.subject.metric, filters=others)
        rows = RequestStatistics(self.measures, subject).rows()
        begin, end = stretches[0][0], stretches[-1][1]
        ends_s = completions(self.measures.table, rows, begin, end)
        return Throughput(ends_s, begin, end) if end > begin else self._nothing("completed")

    def _statistic(self, name: str, stat: str) -> Estimate:
        table, rows = self.measures.table, self.rows()
        column = table.column(name)
        good = rows & table.ok
        if column is None or not good.any():
            if stat == "p" and column is not None and rows.any() and not self.subject.ok_only:
                return self._percentile(column, rows)
            return Exact(0.0) if stat == "count" else self._nothing(f"completed, with a {name}")
        there = good & ~np.isnan(column)
        if there.sum() < LEAST_WITH_NUMBER * good.sum():
            return Absent(f"{name} in every request: {there.sum()} of {good.sum()} have it")
        if stat == "p":
            return self._percentile(column, there if self.subject.ok_only else there | (rows & ~table.ok))
        values, left_out = column[there], int((rows & ~table.ok).sum())
        about = "about this run's successes"
        makers: dict[str, Callable[[], Estimate]] = {
            "mean": lambda: Mean(values, left_out=left_out),
            "min": lambda: Exact(float(values.min()), about),
            "max": lambda: Exact(float(values.max()), about),
            "count": lambda: Exact(float(len(values)), about),
        }
        return makers[stat]() if stat in makers else Absent(f"a statistic that {name} has, instead of {stat}")

    def _percentile(self, column: FloatArray, rows: BoolArray) -> Estimate:
        values = np.where(self.measures.table.ok[rows], column[rows], inf)
        level = self.subject.percentile
        return Percentile(values, 50.0 if level is None else level)


def rejections(table: RequestTable, rows: BoolArray) -> float:
    """Refusals met by these requests, retried or final."""
    column = table.column("rejections")
    return 0.0 if column is None else float(np.nansum(column[rows]))


def completions(table: RequestTable, rows: BoolArray, begin_s: float, end_s: float) -> FloatArray:
    """When those of the requests that succeeded ended, inside [begin, end]."""
    ends_s = table.end_s[rows & table.ok]
    return ends_s[(ends_s >= begin_s) & (ends_s <= end_s)]
