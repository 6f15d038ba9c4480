"""Running totals of requests: what a live view needs, in a few hundred bytes a phase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import reduce
from math import exp, inf, log

from genload.analysis.table import CONNECTION_ERRORS
from genload.errors import CANNOT_INSPECT
from genload.runlog.records import RequestRecord

_BUCKET_WIDTH = log(1.01)  # a percentile off the histogram is at most 1 % away from the exact one
_LEAST = 1e-6  # whatever is smaller is as good as 0
_LEAST_BUCKET = round(log(_LEAST) / _BUCKET_WIDTH)


@dataclass(slots=True)
class Spread:
    """One number of those requests that have it and succeeded."""

    count: int = 0
    sum: float = 0.0
    min: float = inf
    max: float = -inf
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        self.count += 1
        self.sum += value
        self.min = min(self.min, value)
        self.max = max(self.max, value)
        self.buckets[round(log(max(value, _LEAST)) / _BUCKET_WIDTH)] += 1

    def merged(self, other: Spread) -> Spread:
        return Spread(
            self.count + other.count,
            self.sum + other.sum,
            min(self.min, other.min),
            max(self.max, other.max),
            self.buckets + other.buckets,
        )

    def percentile(self, percent: float, failed: int) -> float:
        """With `failed` requests that rank as infinitely slow."""
        wanted = percent / 100 * (self.count + failed)
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                middle = exp(bucket * _BUCKET_WIDTH) if bucket > _LEAST_BUCKET else 0.0
                return min(max(middle, self.min), self.max)  # it may lie outside of what was seen
        return inf

    def statistic(self, stat: str, percentile: float | None, failed: int) -> float | None:
        if stat == "p" and percentile is not None and self.count + failed:
            return self.percentile(percentile, failed)
        if not self.count:
            return None
        stats = {"mean": self.sum / self.count, "min": self.min, "max": self.max, "count": float(self.count)}
        return stats.get(stat)


@dataclass(slots=True)
class Totals:
    """Logical requests of one phase, warm-up left out."""

    attempted: int = 0
    completed: int = 0
    unfinished: int = 0
    rejections: int = 0
    connection_errors: int = 0
    inspected: int = 0
    valid: int = 0
    cannot_inspect: int = 0
    spreads: dict[str, Spread] = field(default_factory=dict)

    def add(self, record: RequestRecord, numbers: Collection[str] = ()) -> None:
        """Count a record, with the duration and these numbers of it."""
        self.attempted += 1
        self.rejections += int(record.numbers.get("rejections", 0))
        self.inspected += "valid" in record.numbers
        self.valid += int(record.numbers.get("valid", 0))
        self.cannot_inspect += CANNOT_INSPECT in record.numbers
        self.unfinished += record.outcome == "unfinished"
        self.connection_errors += record.outcome != "ok" and record.error_class in CONNECTION_ERRORS
        if record.outcome == "ok":
            self.completed += 1
            self.spreads.setdefault("duration", Spread()).add(record.latency_s)
            for name in numbers:
                value = _value(record, name)
                if value is not None:
                    self.spreads.setdefault(name, Spread()).add(value)

    def merged(self, other: Totals) -> Totals:
        names = dict.fromkeys((*self.spreads, *other.spreads))
        pairs = {
            name: [each.spreads[name] for each in (self, other) if name in each.spreads] for name in names
        }
        return Totals(
            self.attempted + other.attempted,
            self.completed + other.completed,
            self.unfinished + other.unfinished,
            self.rejections + other.rejections,
            self.connection_errors + other.connection_errors,
            self.inspected + other.inspected,
            self.valid + other.valid,
            self.cannot_inspect + other.cannot_inspect,
            {name: reduce(Spread.merged, found) for name, found in pairs.items()},
        )

    def number(self, name: str) -> float | None:
        """A metric that is itself a number."""
        failed = self.attempted - self.completed
        if name in ("error_rate", "success_rate"):
            part = failed if name == "error_rate" else self.completed
            return part / self.attempted if self.attempted else None
        if name == "valid_rate":
            return self.valid / self.inspected if self.inspected else None
        counts = {"attempted": self.attempted, "completed": self.completed}
        if self.attempted:  # where nothing was attempted, it is not known how much of it went wrong
            counts |= {"failed": failed, "unfinished": self.unfinished, "rejections": self.rejections}
            counts |= {"connection_errors": self.connection_errors, CANNOT_INSPECT: self.cannot_inspect}
        value = counts.get(name)
        return None if value is None else float(value)

    def statistic(self, name: str, stat: str, percentile: float | None) -> float | None:
        """A statistic of a metric: percentiles over every attempt, the others over successes. None while no
        request has the number: it may not apply.
        """
        spread = self.spreads.get(name)
        if spread is None and name != "duration":
            return None
        return (spread or Spread()).statistic(stat, percentile, self.attempted - self.completed)


def _value(record: RequestRecord, name: str) -> float | None:
    """A metric's number, as a table of the records finds it."""
    if name.startswith("stage."):
        return record.stages.get(name.removeprefix("stage."))
    return record.numbers.get(name, record.numbers.get(f"{name}_s"))
