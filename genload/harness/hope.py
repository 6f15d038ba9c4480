"""Which `must` criterion can no longer hold, whatever happens in the rest of the load: bounds, not guesses.

Only counts and rates of requests can be known to be lost: what has been counted stays counted, and users
have only so much time left. Everything else (durations, samples, windows, labels) may still change, and
never ends a load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from math import floor, inf

from genload.harness.live import LiveStats
from genload.harness.totals import Totals
from genload.settings.criteria.ast import Comparison, Relative, Subject
from genload.settings.criteria.comparisons import Part, holds, parts, threshold_of
from genload.settings.metrics.metric import Metric, Tally
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Scenario

FASTER = 2.0
"""No request to come is taken to be more than twice as fast as the fastest seen."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number can still become."""

    low: float
    high: float

    def allow(self, comparison: Comparison) -> bool:
        """Whether some number between the bounds meets the comparison."""
        op, threshold = comparison.op, threshold_of(comparison)
        if op in ("<", "<="):
            return holds(op, self.low, threshold)
        if op in (">", ">="):
            return holds(op, self.high, threshold)
        if op == "==":
            return holds(">=", self.high, threshold) and holds("<=", self.low, threshold)
        return not (self.low == self.high and holds("==", self.low, threshold))


class Hope:
    """Looks for criteria of one scenario that are lost.

    Args:
        metrics: those that the criteria name, by name.
    """

    def __init__(self, timeline: Timeline, scenario: Scenario, metrics: Mapping[str, Metric]) -> None:
        self._timeline, self._metrics = timeline, metrics
        self._think_s = scenario.think.min_s if scenario.think else 0.0
        self._parts = [
            (name, criterion.holds, part)
            for name, criterion in scenario.criteria.items()
            if criterion.must
            for part in parts(criterion.expression, lambda each: ())
        ]

    def lost(self, live: LiveStats, into_s: float, in_flight: int) -> str:
        """The first criterion that cannot hold any more, with the reason; empty when there is none.

        Args:
            live: what has been counted so far.
            into_s: seconds since the load began.
            in_flight: requests under way.
        """
        cycle_s = live.fastest_s / FASTER + self._think_s if live.fastest_s < inf else 0.0
        for name, text, part in self._parts:
            phases = self._phases(part.comparison.subject)
            share = self._share(part.comparison, phases)
            if not phases or share is None:
                continue
            seen = reduce(Totals.merged, (live.phases.get(phase, Totals()) for phase in phases))
            still = self._still(phases, live, into_s, in_flight, cycle_s)
            bounds = bounds_of(*share, seen.attempted, seen.completed, still)
            if bounds is not None and not bounds.allow(part.comparison):
                return f"{name} can no longer hold: {text}, and it can become {_span(part, bounds)}"
        return ""

    def _share(self, comparison: Comparison, phases: tuple[str, ...]) -> tuple[Tally, Tally | None] | None:
        """What is counted, and in what it is a share; None where no bounds are known."""
        metric, right = self._metrics.get(comparison.subject.metric), comparison.right
        if metric is None or metric.counts is None:
            return None
        if not isinstance(right, Relative):
            return metric.counts, metric.per
        whole = self._metrics.get(right.of.metric)
        if metric.per or whole is None or whole.per or self._phases(right.of) != phases:
            return None
        return None if whole.counts is None else (metric.counts, whole.counts)

    def _phases(self, subject: Subject) -> tuple[str, ...]:
        """The phases that a subject speaks of; none where no bounds are known."""
        filters, whole = dict(subject.filters), subject.stat is None and subject.window is None
        if not whole or len(filters) < len(subject.filters) or set(filters) - {"phase"}:
            return ()
        names = tuple(phase.name for phase in self._timeline.phases)
        return tuple(name for name in names if filters.get("phase", name) == name)

    def _still(
        self, names: tuple[str, ...], live: LiveStats, into_s: float, in_flight: int, cycle_s: float
    ) -> float:
        """The most requests of these phases that have no record yet."""
        most = 0.0
        for index, phase in enumerate(self._timeline.phases):
            if phase.name in names:
                begun = live.phases.get(phase.name, Totals()).attempted
                most += self._still_in(phase, self._timeline.start_s(index), begun, into_s, cycle_s)
        planned = all(p.planned is not None for p in self._timeline.phases if p.name in names)
        return most if planned else most + in_flight

    def _still_in(self, phase: Phase, start_s: float, begun: int, into_s: float, cycle_s: float) -> float:
        if phase.planned is not None:
            return max(phase.planned - begun, 0)
        left_s = start_s + (phase.duration_s or inf) - into_s
        if left_s <= 0:
            return 0.0
        # One request at a time: a user with T seconds left starts at most T ÷ cycle more of them, rounded up.
        users = max(phase.users, phase.users_from or 0)
        user_s = users * min(left_s, phase.duration_s or inf)
        return floor(user_s / cycle_s) + users if cycle_s > 0 else inf


def bounds_of(
    counts: Tally, per: Tally | None, attempted: int, completed: int, still: float
) -> Bounds | None:
    """What a count, or its share, can still become when at most `still` more requests are counted.

    >>> bounds_of(Tally.FAILED, Tally.ATTEMPTED, 10, 8, 30)
    Bounds(low=0.05, high=0.8)
    """
    seen = {Tally.ATTEMPTED: attempted, Tally.COMPLETED: completed, Tally.FAILED: attempted - completed}
    if counts not in seen or per not in (None, Tally.ATTEMPTED):
        return None
    count, most = seen[counts], attempted + still
    if per is None:
        return Bounds(count, count + still)
    if most == 0:
        return None  # a rate of nothing: the end says so
    return Bounds(0.0, 1.0) if still == inf else Bounds(count / most, (count + still) / most)


def _span(part: Part, bounds: Bounds) -> str:
    low, high = (f"{bound:.4g}" for bound in (bounds.low, bounds.high))
    return f"{low} at best" if part.comparison.op in ("<", "<=") else f"{high} at best"
