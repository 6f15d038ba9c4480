"""What a criterion is once it has been read: a small tree of frozen nodes.

The text form and its grammar are in `parse`; whether the names in it exist is checked in `validate`.
Every number here is in the base unit of its dimension (seconds, bytes, 1/second, a share of 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Dimension(StrEnum):
    """What a number measures: decides how it is written, compared and scaled in time."""

    TIME = "s"
    BYTES = "bytes"
    RATIO = "ratio"  # a share of 1; written in percent
    COUNT = "count"
    RATE = "1/s"
    BYTE_RATE = "bytes/s"
    STATE = "state"  # 0 or 1
    PLAIN = ""  # watts, degrees: no conversion


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its dimension and the text it was written as (``90s``, ``1/3``, ``5%``)."""

    value: float
    dimension: Dimension
    text: str


@dataclass(frozen=True, slots=True)
class Window:
    """``first(10min)`` or ``last(10min)`` of the load, by the time at which a request started."""

    side: Literal["first", "last"]
    length: Quantity


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: ``generate.duration.p95{phase=spike}``.

    Attributes:
        metric: dotted name without the statistic (``generate.duration``, ``generate.stage.queue``,
            ``gpu.memory_used``).
        stat: ``mean min max p50 p95 p99 p rate count last growth slope``; None for a metric that
            is itself a number (``generate.error_rate``, ``generate.attempted``).
        percentile: 0..100 for ``p…`` statistics, else None. ``p95`` is stored as stat "p", percentile 95.
        filters: (label, value) pairs, in the order written.
        window: part of the load, or None for all of it.
        ok_only: True for ``ok.generate.duration.p95``: successes only.
    """

    metric: str
    stat: str | None = None
    percentile: float | None = None
    filters: tuple[tuple[str, str], ...] = ()
    window: Window | None = None
    ok_only: bool = False


@dataclass(frozen=True, slots=True)
class Relative:
    """``120% of generate.duration.mean{phase=baseline}``: `factor` 1.2 times another subject."""

    factor: float
    of: Subject
    text: str


Operator = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True, slots=True)
class Comparison:
    subject: Subject
    op: Operator
    right: Quantity | Relative


@dataclass(frozen=True, slots=True)
class Interval:
    """``subject in low..high``, both ends included."""

    subject: Subject
    low: Quantity
    high: Quantity


@dataclass(frozen=True, slots=True)
class Conjunction:
    """``a and b and …``: holds when every part holds."""

    parts: tuple[Comparison | Interval, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """``each(voice): …``: holds when the body holds for every value of the label."""

    label: str
    body: Comparison | Interval | Conjunction


Expression = Comparison | Interval | Conjunction | Each
