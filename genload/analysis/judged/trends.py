"""What became of memory and of speed over the load, as reports render it."""

from __future__ import annotations

from typing import Literal

import msgspec

MATTERS = 0.01
"""A growth by a smaller share of the level is not worth a word, unless a criterion of the suite says so."""
SHORTEST_S = 600.0
"""A load watched for less cannot show that memory grows on and on."""

Kind = Literal["none", "step", "filling", "leak", "growing", "slight", "short", "falling"]
"""``none``: no change is shown. ``growing``: it grows, and the second half alone does not show how.
``slight``: it grows by less than matters. ``short``: it grows, and was watched too short to say more."""


class LevelChange(msgspec.Struct, kw_only=True):
    """Idle after the load against idle before it: medians of the samples without a request under way."""

    before: float | None
    after: float | None
    change: float | None  # share of `before`
    before_samples: int
    after_samples: int
    missing: str = ""  # why there is no comparison


class Incidents(msgspec.Struct, kw_only=True):
    """What else went on at the moments of a change, and at the others of the load; None: nobody watched."""

    begin_s: float  # since the run began
    end_s: float
    throttled: float | None  # share of the samples
    throttled_otherwise: float | None
    restarts: int | None
    errors: int
    error_share: float | None  # of the requests that ended then
    error_share_otherwise: float | None

    @property
    def coinciding(self) -> list[str]:
        """What was there at the moments of the change, and more often than at others."""
        more = {
            "throttling": (self.throttled, self.throttled_otherwise),
            "errors": (self.error_share, self.error_share_otherwise),
        }
        found = [name for name, (then, otherwise) in more.items() if then and then > (otherwise or 0.0)]
        return [*found, *(["a restart"] if self.restarts else [])]


class MemoryTrend(msgspec.Struct, kw_only=True):
    """One metric of memory: its level first, then its growth during the load. Bytes; growths are shares."""

    metric: str
    source: str
    level: LevelChange
    blocks: int
    kind: Kind | None = None
    growth: float | None = None
    growth_low: float | None = None  # one-sided 95 % bounds
    growth_high: float | None = None
    matters: float = MATTERS  # a growth below it is slight: the limit of the suite's own criterion, or 1 %
    slope: float | None = None  # bytes per second
    second_half_slope: float | None = None
    step_at_s: float | None = None  # since the load began
    step: float | None = None
    exhausted_after_s: float | None = None  # since the load's end, at the second half's slope
    limit: str = ""  # the metric that says when
    incidents: Incidents | None = None  # of a step, or of all growth
    missing: str = ""  # why nothing is said of the growth


class Trends(msgspec.Struct, kw_only=True):
    memory: list[MemoryTrend]
    slower: Incidents | None = (
        None  # the last part of the load, where it is shown to be slower than the first
    )
