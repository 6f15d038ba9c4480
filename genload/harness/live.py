"""The run as it looks right now: small running totals, never a list of requests.

Observed values only; evidence is computed once, at the end, from the records: a verdict that is peeked
at until it pleases is no verdict.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import exp, inf, log
from pathlib import Path

import msgspec

from genload.runlog.records import RequestRecord, Sample
from genload.settings.criteria.ast import Subject

_BUCKET_WIDTH = log(1.01)  # a percentile off the histogram is at most 1 % away from the exact one


@dataclass(slots=True)
class Totals:
    """Logical requests of one phase, warm-up left out."""

    attempted: int = 0
    completed: int = 0
    unfinished: int = 0
    rejections: int = 0
    sum_s: float = 0.0
    min_s: float = inf
    max_s: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, record: RequestRecord) -> None:
        self.attempted += 1
        self.rejections += int(record.numbers.get("rejections", 0))
        self.unfinished += record.outcome == "unfinished"
        if record.outcome == "ok":
            self.completed += 1
            latency_s = record.latency_s
            self.sum_s += latency_s
            self.min_s = min(self.min_s, latency_s)
            self.max_s = max(self.max_s, latency_s)
            self.buckets[round(log(max(latency_s, 1e-6)) / _BUCKET_WIDTH)] += 1

    def merged(self, other: Totals) -> Totals:
        return Totals(
            self.attempted + other.attempted,
            self.completed + other.completed,
            self.unfinished + other.unfinished,
            self.rejections + other.rejections,
            self.sum_s + other.sum_s,
            min(self.min_s, other.min_s),
            max(self.max_s, other.max_s),
            self.buckets + other.buckets,
        )

    def percentile(self, percent: float) -> float:
        """Over every attempt: failed ones rank as infinitely slow."""
        wanted = percent / 100 * self.attempted
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return exp(bucket * _BUCKET_WIDTH)
        return inf

    def number(self, name: str) -> float | None:
        """A metric that is itself a number."""
        failed = self.attempted - self.completed
        if name in ("error_rate", "success_rate"):
            part = failed if name == "error_rate" else self.completed
            return part / self.attempted if self.attempted else None
        counts = {"attempted": self.attempted, "completed": self.completed, "failed": failed}
        counts |= {"unfinished": self.unfinished, "rejections": self.rejections}
        value = counts.get(name)
        return None if value is None else float(value)

    def duration(self, stat: str, percentile: float | None) -> float | None:
        if stat == "p" and percentile is not None and self.attempted:
            return self.percentile(percentile)
        if not self.completed:
            return None
        stats = {
            "mean": self.sum_s / self.completed,
            "min": self.min_s,
            "max": self.max_s,
            "count": float(self.completed),
        }
        return stats.get(stat)


class LiveStats:
    """Totals by phase, errors by class, and the machines' newest samples."""

    def __init__(self, operation: str, samples_file: Path) -> None:
        self.operation = operation
        self.phases: dict[str, Totals] = {}
        self.errors: Counter[str] = Counter()
        self.warmups = 0
        self.fastest_s = inf
        """The shortest request so far, whatever became of it, warm-up too."""
        self._samples = _SampleTail(samples_file)

    def add(self, record: RequestRecord) -> None:
        if record.operation != self.operation:
            return
        if record.outcome != "unfinished":
            self.fastest_s = min(self.fastest_s, record.duration_s)
        if record.warmup:
            self.warmups += 1
            return
        self.phases.setdefault(record.phase, Totals()).add(record)
        if record.error_class:
            self.errors[record.error_class] += 1

    @property
    def total(self) -> Totals:
        result = Totals()
        for totals in self.phases.values():
            result = result.merged(totals)
        return result

    def lookup(self, subject: Subject) -> float | None:
        """The observed value of a criterion's subject so far; None where only the end can tell."""
        filters = dict(subject.filters)
        if subject.window is not None or set(filters) - {"phase"}:
            return None
        operation, _, metric = subject.metric.partition(".")
        if operation != self.operation:
            return self._samples.value(subject.metric, subject.stat) if not filters else None
        totals = self.phases.get(filters["phase"], Totals()) if filters else self.total
        if metric == "duration" and subject.stat is not None and not subject.ok_only:
            return totals.duration(subject.stat, subject.percentile)
        return totals.number(metric) if subject.stat is None else None

    def read_samples(self) -> None:
        self._samples.read()


class _SampleTail:
    """Follows samples.jsonl, which the sampler's process appends to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._decoder = msgspec.json.Decoder(Sample)
        self._last: dict[str, float] = {}
        self._sum: Counter[str] = Counter()
        self._count: Counter[str] = Counter()
        self._max: dict[str, float] = {}
        self._min: dict[str, float] = {}

    def read(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except OSError:  # not there yet, or deleted: the writer notices, and ends the run
            return
        whole, _, _ = text.rpartition(b"\n")
        self._offset += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            for metric, value in self._decoder.decode(line).values.items():
                self._last[metric] = value
                self._sum[metric] += value  # type: ignore[assignment]  # a Counter adds floats as well
                self._count[metric] += 1
                self._max[metric] = max(self._max.get(metric, value), value)
                self._min[metric] = min(self._min.get(metric, value), value)

    def value(self, metric: str, stat: str | None) -> float | None:
        if not self._count[metric]:
            return None
        stats = {"last": self._last[metric], "max": self._max[metric], "min": self._min[metric]}
        stats["mean"] = self._sum[metric] / self._count[metric]
        return stats.get(stat or "")
