"""What a metric is: one noun, which everything that names, counts, judges or shows a number reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from genload.settings.criteria.ast import Dimension

SUMMARY_STATS = ("mean", "min", "max", "p", "count")
SERIES_STATS = ("mean", "min", "max", "last", "growth", "slope", "p", "count")

_PER_SECOND = {
    Dimension.BYTES: Dimension.BYTE_RATE,
    Dimension.COUNT: Dimension.RATE,
    Dimension.RATIO: Dimension.RATE,
    Dimension.STATE: Dimension.RATE,
    Dimension.TIME: Dimension.RATIO,
}


class Together(StrEnum):
    """How the values of several machines make one."""

    SUM = "sum"
    MEAN = "mean"
    HIGHEST = "highest"
    LOWEST = "lowest"

    def of(self, values: Sequence[float]) -> float:
        """Of at least one value."""
        if self is Together.SUM:
            return sum(values)
        if self is Together.MEAN:
            return sum(values) / len(values)
        return max(values) if self is Together.HIGHEST else min(values)


class Failures(StrEnum):
    """Where failed requests stand in the order of a metric's values, from which percentiles are read."""

    LAST = "last"  # behind every success: infinitely slow
    LEFT_OUT = "left out"  # more of it is neither better nor worse, so that they have no place
    COUNTED = "counted"  # with the value that they carry: it was known before anything failed


class Better(StrEnum):
    """Which way a metric is better, when two builds are compared."""

    LOWER = "lower"
    HIGHER = "higher"
    EITHER = "either"  # neither: any change is one to be looked at


class Of(StrEnum):
    """Of which requests a metric is said."""

    ALL = "all"
    STREAMED = "streamed"  # whose answer a listener could begin with before it ended
    INSPECTED = "inspected"  # whose output was looked into
    HEARD = "heard"  # whose answer was listened to for words


class Tally(StrEnum):
    """What is counted of requests, for a metric that is itself a number."""

    ATTEMPTED = "attempted"
    COMPLETED = "completed"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    LEFT = "left"  # by their listeners: of all others nothing else is counted
    UNANSWERED = "unanswered"
    INVALID = "invalid"  # whose output was inspected, and is broken
    UNREADABLE = "unreadable"  # with an output that nothing here can look into
    REFUSALS = "refusals"
    CARRIED = "carried"  # requests that carry the metric's key
    TRUE = "true"  # … with the value 1

    @property
    def is_0_of_none(self) -> bool:
        """Whether it is 0 where nothing was attempted; how much of that went wrong is unknown."""
        return self in (Tally.ATTEMPTED, Tally.COMPLETED, Tally.LEFT)


@dataclass(frozen=True, slots=True)
class Metric:
    """One name that a criterion may judge.

    Attributes:
        name: dotted, without the statistic: ``generate.duration``, ``server.memory``.
        dimension: what its numbers are.
        stats: statistics it takes; empty for a metric that is itself a number (``generate.error_rate``).
        source: ``requests`` (records) or ``samples`` (monitors).
        help: one line for docs, schema and error messages.
        key: where a record carries it: ``duration``, ``stage.NAME``, or a name in its `numbers`; empty for
            what no single request has.
        failures, of: of a request's number.
        together: of a machine's number.
        counts, per: of a metric that is a count, or a share of one count in another.
        events: of a share: what is counted, in the plural (``valid outputs``).
        finding: of a share: what the others are, for the report's line on them (``outputs came in another
            format than was ordered``); empty: there is no line.
        measured_in: the base unit of a PLAIN number, in the plural (``watts``), for its name elsewhere.
        better: which way it is better.
        declared_by: ``genload``, or the wing file: ``services/orfeas.py``.
    """

    name: str
    dimension: Dimension
    stats: tuple[str, ...]
    source: Literal["requests", "samples"]
    help: str
    key: str = ""
    failures: Failures = Failures.LAST
    of: Of = Of.ALL
    together: Together = Together.SUM
    counts: Tally | None = None
    per: Tally | None = None
    events: str = ""
    finding: str = ""
    measured_in: str = ""
    declared_by: str = "genload"
    better: Better = Better.EITHER

    @property
    def short(self) -> str:
        """Its name without the operation, or the kind of machine."""
        return self.name.partition(".")[2]

    @property
    def is_series(self) -> bool:
        """Whether it has a value at each moment, and not of each request."""
        return self.stats == SERIES_STATS

    def unit(self, stat: str | None) -> Dimension:
        """What the number measures once a statistic is taken: the `growth` of anything is a RATIO, its
        `slope` is per second, the `mean` or `rate` of a STATE is the RATIO of time or requests with 1.
        """
        if stat == "count":
            return Dimension.COUNT
        if stat == "growth":
            return Dimension.RATIO
        if stat == "slope":
            return _PER_SECOND.get(self.dimension, Dimension.PLAIN)
        if self.dimension is Dimension.STATE and stat in ("mean", "rate"):
            return Dimension.RATIO
        return self.dimension


def request_number(
    name: str,
    dimension: Dimension,
    help: str,
    *,
    failures: Failures,
    of: Of = Of.ALL,
    key: str = "",
    better: Better | None = None,
) -> Metric:
    """A number that records carry, with the statistics of requests.

    Args:
        key: its name in the record's `numbers`; unless given the metric's own, with ``_s`` for seconds.
        better: unless given, of what ranks failures last the lower, and of anything else neither.
    """
    short = name.partition(".")[2]
    key = key or (f"{short}_s" if dimension is Dimension.TIME else short)
    better = better or (Better.LOWER if failures is Failures.LAST else Better.EITHER)
    return Metric(name, dimension, SUMMARY_STATS, "requests", help, key, failures, of, better=better)


def request_share(
    name: str,
    events: str,
    help: str,
    *,
    of: Of = Of.ALL,
    key: str = "",
    finding: str = "",
    better: Better = Better.HIGHER,
) -> Metric:
    """The share of requests that carry a 1 among those that carry a 1 or a 0.

    Args:
        events: what those with a 1 are, in the plural: ``valid outputs``.
        key: its name in the record's `numbers`; unless given the metric's own.
        finding: as for `Metric`.
    """
    return Metric(
        name,
        Dimension.RATIO,
        (),
        "requests",
        help,
        key or name.partition(".")[2],
        Failures.COUNTED,
        of,
        counts=Tally.TRUE,
        per=Tally.CARRIED,
        events=events,
        finding=finding,
        better=better,
    )


def request_count(
    name: str,
    help: str,
    counts: Tally,
    per: Tally | None = None,
    *,
    of: Of = Of.ALL,
    key: str = "",
    better: Better = Better.LOWER,
) -> Metric:
    """A count of requests, or its share in another; `key` is a number that those carry which count."""
    dimension = Dimension.COUNT if per is None else Dimension.RATIO
    return Metric(name, dimension, (), "requests", help, key, of=of, counts=counts, per=per, better=better)


def sampled(
    name: str,
    dimension: Dimension,
    help: str,
    together: Together = Together.SUM,
    better: Better = Better.EITHER,
    measured_in: str = "",
) -> Metric:
    """A number that monitors fill, tick by tick; `measured_in` as for `Metric`."""
    return Metric(
        name,
        dimension,
        SERIES_STATS,
        "samples",
        help,
        together=together,
        better=better,
        measured_in=measured_in,
    )
