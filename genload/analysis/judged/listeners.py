"""What reports show of listeners who left before the end."""

from __future__ import annotations

import msgspec


class Fall(msgspec.Struct, kw_only=True):
    """How a number of the service, or of its machine, fell when everybody had left.

    `busy` is its level before, `rest` that before the load; it was down between `after_low` and `after_high`
    seconds later (its samples leave no more open), None: not while it was watched. `missing`: why nobody can
    say.
    """

    metric: str
    busy: float | None = None
    rest: float | None = None
    after_low: float | None = None
    after_high: float | None = None
    missing: str = ""


class Walkout(msgspec.Struct, kw_only=True):
    """One moment in which all listeners left, `at_s` seconds into the run.

    `answers` were cut off by it; by the median of whole ones the longest would have gone on for
    `would_go_on` seconds (None: no answer was whole). `noticed`: the service was at rest before half of that
    had passed; None: cannot be told, and `why` says so.
    """

    at_s: float
    answers: int
    would_go_on: float | None
    watched: float  # seconds
    falls: list[Fall]
    noticed: bool | None
    why: str = ""


class Stayed(msgspec.Struct, kw_only=True):
    """Those who stayed, in phases of one kind. Seconds, over every attempt."""

    requests: int
    p50_ttfa: float | None
    p95_ttfa: float | None
    p50_duration: float | None
    p95_duration: float | None


class Listeners(msgspec.Struct, kw_only=True):
    """`left` requests are in no other number. `stayed` is beside leavers, `alone` the same load without any;
    None where a run has no such phase."""

    left: int
    share: float  # that was to leave, 0..1
    stayed: Stayed | None
    alone: Stayed | None
    walkouts: list[Walkout]
