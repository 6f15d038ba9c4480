"""The values of one number: a few hundred bytes for a live view, or all of them where a decision needs it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import copysign, exp, inf, log

from genload.analysis.ranks import rank

_BUCKET_WIDTH = log(1.01)  # a percentile off the histogram is at most 1 % away from the exact one
_LEAST = 1e-6  # whatever is nearer to 0 is as good as 0


@dataclass(slots=True)
class Spread:
    """Some values; those of requests that rank last are told when a percentile is asked for.

    Attributes:
        kept: the values themselves, where percentiles are to be exact; None: not kept.
    """

    count: int = 0
    sum: float = 0.0
    min: float = inf
    max: float = -inf
    buckets: Counter[int] = field(default_factory=Counter)
    kept: array[float] | None = None

    def add(self, values: Sequence[float]) -> None:
        """Add some; many at a time are added in a fraction of the time."""
        if values:
            self.count += len(values)
            self.sum += sum(values)
            self.min = min(self.min, *values)
            self.max = max(self.max, *values)
            self.buckets.update([_bucket(value) for value in values])
            if self.kept is not None:
                self.kept.extend(values)

    def merged(self, other: Spread) -> Spread:
        """Both together; of these no values are kept."""
        return Spread(
            self.count + other.count,
            self.sum + other.sum,
            min(self.min, other.min),
            max(self.max, other.max),
            self.buckets + other.buckets,
        )

    def percentile(self, level: float, last: int) -> float:
        """With `last` more values that are infinite; of at least one value."""
        wanted, seen = rank(self.count + last, level), 0
        if self.kept is not None:
            return sorted(self.kept)[wanted - 1] if wanted <= self.count else inf
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return min(max(_middle(bucket), self.min), self.max)  # it may lie outside of what was seen
        return inf

    def at_most(self, bounds: Sequence[float]) -> list[int]:
        """How many values are at most each of some rising bounds; a value within 1 % of one may be on
        either side of it."""
        rising = sorted(self.buckets)
        counts = [0, *accumulate(map(self.buckets.__getitem__, rising))]
        return [counts[bisect_right(rising, _bucket(bound))] for bound in bounds]

    def statistic(self, stat: str | None) -> float | None:
        """``mean``, ``min``, ``max`` or ``count``; None for another, or without values."""
        if stat == "count":
            return float(self.count)
        if not self.count:
            return None
        return {"mean": self.sum / self.count, "min": self.min, "max": self.max}.get(stat or "")


def _bucket(value: float) -> int:
    """0 about zero; positive and negative values in rising order on either side of it."""
    size = abs(value)
    if size < _LEAST:
        return 0
    number = 1 + round(log(size / _LEAST) / _BUCKET_WIDTH)
    return number if value > 0 else -number


def _middle(bucket: int) -> float:
    if bucket == 0:
        return 0.0
    return copysign(_LEAST * exp((abs(bucket) - 1) * _BUCKET_WIDTH), bucket)
