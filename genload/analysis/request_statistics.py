"""The statistics of requests: which of them a subject selects, and the estimate they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from genload.analysis.carried import Carried, carried, inspection
from genload.analysis.evidence import Absent, BoolArray, Estimate, Exact, FloatArray, Unbounded
from genload.analysis.evidence_means import Mean
from genload.analysis.evidence_percentiles import Percentile
from genload.analysis.evidence_rates import Rate, Spread
from genload.analysis.evidence_sampled import SampledPercentile
from genload.analysis.evidence_series import Throughput
from genload.analysis.evidence_slope import Slope
from genload.analysis.load import Load
from genload.analysis.table import CONNECTION_ERRORS, OUTCOMES, RequestTable
from genload.settings.criteria.ast import Subject


@dataclass(frozen=True)
class RequestStatistics:
    """The statistics of the requests that one subject selects."""

    operation: str
    table: RequestTable
    load: Load
    subject: Subject

    def estimate(self) -> Estimate:
        """The subject's estimate; `Absent` with the reason where there is nothing to judge."""
        operation, _, name = self.subject.metric.partition(".")
        if operation != self.operation:
            return Absent(f"requests named {operation}: this scenario makes {self.operation}")
        return self._number(name) if self.subject.stat is None else self._statistic(name, self.subject.stat)

    def rows(self) -> BoolArray:
        """The requests of the subject's filters and window."""
        rows = np.ones(len(self.table), dtype=np.bool_)
        for label, value in self.subject.filters:
            rows &= self.table.where(label, value)
        if self.subject.window is not None:
            begin, end = self.load.part(self.subject.window)
            rows &= (self.table.start_s >= begin) & (self.table.start_s < end)
        return rows

    def _number(self, name: str) -> Estimate:
        table, rows = self.table, self.rows()
        makers: dict[str, Callable[[], Estimate]] = {
            "error_rate": lambda: self._rate(~table.ok[rows], "failures"),
            "success_rate": lambda: self._rate(table.ok[rows], "successes"),
            "attempted": lambda: Exact(float(rows.sum())),
            "completed": lambda: Exact(float((rows & table.ok).sum())),
            "failed": lambda: self._count(rows, ~table.ok),
            "unfinished": lambda: self._count(rows, table.outcome == OUTCOMES["unfinished"]),
            "connection_errors": lambda: self._count(rows, table.failed_with(CONNECTION_ERRORS)),
            "rejections": lambda: (
                Exact(rejections(table, rows)) if rows.any() else self._nothing("attempted")
            ),
            "valid_rate": lambda: self._valid_rate(rows),
            "cannot_inspect": lambda: self._count(rows, inspection(table, rows).unreadable),
            "per_character": lambda: self._per_character(rows),
            "throughput": self._throughput,
            "audio_throughput": self._audio_throughput,
        }
        if name not in makers:
            return Absent(f"a statistic of {self.subject.metric}, such as mean or p95")
        return makers[name]()

    def _rate(self, events: BoolArray, noun: str) -> Estimate:
        return Rate(Spread(events), noun) if len(events) else self._nothing("attempted")

    def _count(self, rows: BoolArray, which: BoolArray) -> Estimate:
        """How many went wrong in some way: where nothing was attempted, that is not 0 but unknown."""
        return Exact(float((rows & which).sum())) if rows.any() else self._nothing("attempted")

    def _rejections(self, rows: BoolArray) -> Estimate:
        return Exact(rejections(self.table, rows)) if rows.any() else self._nothing("attempted")

    def _valid_rate(self, rows: BoolArray) -> Estimate:
        seen = inspection(self.table, rows)
        if not seen.inspected.any():
            return self._nothing("whose output was inspected")
        return Rate(Spread(seen.valid[seen.inspected]), "valid outputs", sampled=seen.words)

    def _nothing(self, what: str) -> Absent:
        chosen = [f"{label}={value}" for label, value in self.subject.filters]
        window = self.subject.window
        chosen += [f"{window.side}({window.length.text})"] if window else []
        return Absent(f"at least one request {what}" + (f" in {', '.join(chosen)}" if chosen else ""))

    def _throughput(self) -> Estimate:
        """Completions inside the time that phase and window name ÷ its length, whenever they were started."""
        stretch = self._stretch()
        if stretch is None:
            return self._nothing("completed")
        return Throughput(self.table.end_s[self._completed(*stretch)], *stretch)

    def _audio_throughput(self) -> Estimate:
        """Seconds of audio that these completions brought ÷ the length of the time."""
        stretch = self._stretch()
        if stretch is None:
            return self._nothing("completed, with an audio_duration")
        completed = self._completed(*stretch)
        audio = carried(self.table, completed, "audio_duration")
        if audio.missing or not audio.there.any():
            return (
                Absent(audio.missing) if audio.missing else self._nothing("completed, with an audio_duration")
            )
        # Those without one count like the mean of the others: few lack it, or it is a random sample.
        weights = audio.values[audio.there] * (completed.sum() / audio.there.sum())
        return Throughput(self.table.end_s[audio.there], *stretch, weights=weights, sampled=audio.sampled)

    def _stretch(self) -> tuple[float, float] | None:
        """The time that phase and window name; None where nothing of these labels was started at all."""
        phases = [value for label, value in self.subject.filters if label == "phase"]
        stretches = self.load.stretch(phases, self.subject.window)
        if not stretches or not self._whenever().any():
            return None
        begin, end = stretches[0][0], stretches[-1][1]
        return (begin, end) if end > begin else None

    def _whenever(self) -> BoolArray:
        """The requests of the subject's labels, in whatever phase and window."""
        # The phase of a request is where it began; a completion belongs to the time in which it came.
        labels = tuple((label, value) for label, value in self.subject.filters if label != "phase")
        return replace(self, subject=Subject(self.subject.metric, filters=labels)).rows()

    def _completed(self, begin_s: float, end_s: float) -> BoolArray:
        return completed_within(self.table, self._whenever(), begin_s, end_s)

    def _per_character(self, rows: BoolArray) -> Estimate:
        table = self.table
        lengths = carried(table, rows, "characters")
        pairs = lengths.there & table.ok
        if not pairs.any():
            return self._nothing("completed, with characters")
        return Slope(lengths.values[pairs], table.duration_s[pairs], left_out=int((rows & ~table.ok).sum()))

    def _statistic(self, name: str, stat: str) -> Estimate:
        rows = self.rows()
        number = carried(self.table, rows, name)
        if number.missing:
            return Absent(number.missing)
        if not number.there.any() and not (stat == "p" and self._all_failed(number, rows)):
            return Exact(0.0) if stat == "count" else self._nothing(f"completed, with a {name}")
        if stat == "p":
            return self._percentile(number, rows)
        return self._of_values(number, name, stat)

    def _of_values(self, number: Carried, name: str, stat: str) -> Estimate:
        values, left_out = number.values[number.there], int(number.ranked_last.sum())
        about = "about this run's successes"
        whole = "validate: all: only a sample of the answers was inspected"

        def extreme(value: float) -> Estimate:
            return Unbounded(value, whole) if number.sample else Exact(value, about)

        makers: dict[str, Callable[[], Estimate]] = {
            "mean": lambda: Mean(values, left_out=left_out, sampled=number.sampled),
            "min": lambda: extreme(float(values.min())),
            "max": lambda: extreme(float(values.max())),
            "count": lambda: Exact(float(len(values)), about),
        }
        return makers[stat]() if stat in makers else Absent(f"a statistic that {name} has, instead of {stat}")

    def _all_failed(self, number: Carried, rows: BoolArray) -> bool:
        """Whether there are requests, and nothing else than infinitely slow ones."""
        return (
            bool(number.ranked_last.any()) and not self.subject.ok_only and not (rows & self.table.ok).any()
        )

    def _percentile(self, number: Carried, rows: BoolArray) -> Estimate:
        level = 50.0 if self.subject.percentile is None else self.subject.percentile
        last = np.zeros_like(rows) if self.subject.ok_only else number.ranked_last
        values = np.where(last, inf, number.values)
        chosen = number.there | last
        if number.sample is None:
            return Percentile(values[chosen], level)
        if not last.any():
            return Percentile(values[chosen], level, sampled=number.sampled)
        inspected = chosen & number.sample.inspected
        # In the population: every attempt; the order of the columns is that of their start.
        return SampledPercentile(
            values[rows], inspected[rows], (last & ~inspected)[rows], level, sampled=number.sampled
        )


def rejections(table: RequestTable, rows: BoolArray) -> float:
    """Refusals met by these requests, retried or final."""
    column = table.column("rejections")
    return 0.0 if column is None else float(np.nansum(column[rows]))


def completed_within(table: RequestTable, rows: BoolArray, begin_s: float, end_s: float) -> BoolArray:
    """Those of the requests that succeeded and ended inside [begin, end], whenever they began."""
    return rows & table.ok & (table.end_s >= begin_s) & (table.end_s <= end_s)


def completions(table: RequestTable, rows: BoolArray, begin_s: float, end_s: float) -> FloatArray:
    """When those of the requests that succeeded ended, inside [begin, end]."""
    return table.end_s[completed_within(table, rows, begin_s, end_s)]
