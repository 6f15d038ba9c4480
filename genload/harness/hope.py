"""Which `must` criterion can no longer hold, whatever happens in the rest of the load: bounds, not guesses.

Only counts and rates of requests can be known to be lost: what has been counted stays counted, and users
have only so much time left. Everything else (durations, samples, windows, labels) may still change, and
never ends a load.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import floor, inf

from genload.analysis.evaluate import Part, holds, parts, threshold_of
from genload.harness.live import LiveStats
from genload.harness.totals import Totals
from genload.settings.criteria.ast import Comparison, Relative, Subject
from genload.settings.phases import Phase, Timeline
from genload.settings.suite import Scenario

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
        operation: the logical requests that are judged.
    """

    def __init__(self, timeline: Timeline, operation: str, scenario: Scenario) -> None:
        self._timeline, self._operation = timeline, operation
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
            metric = self._metric(part.comparison, phases)
            if not phases or not metric:
                continue
            seen = reduce(Totals.merged, (live.phases.get(phase, Totals()) for phase in phases))
            still = self._still(phases, live, into_s, in_flight, cycle_s)
            bounds = bounds_of(metric, seen.attempted, seen.completed, still)
            if bounds is not None and not bounds.allow(part.comparison):
                return f"{name} can no longer hold: {text}, and it can become {_span(part, bounds)}"
        return ""

    def _metric(self, comparison: Comparison, phases: tuple[str, ...]) -> str:
        """The metric without its operation, a share of the attempts being a rate; empty where unknown."""
        metric, right = comparison.subject.metric.removeprefix(f"{self._operation}."), comparison.right
        if not isinstance(right, Relative):
            return metric
        if right.of.metric != f"{self._operation}.attempted" or self._phases(right.of) != phases:
            return ""
        return {"completed": "success_rate", "failed": "error_rate"}.get(metric, "")

    def _phases(self, subject: Subject) -> tuple[str, ...]:
        """The phases that a subject speaks of; none where no bounds are known."""
        operation, _, _ = subject.metric.partition(".")
        filters = dict(subject.filters)
        unknown = operation != self._operation or subject.stat is not None or subject.window is not None
        if unknown or len(filters) < len(subject.filters) or set(filters) - {"phase"}:
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


def bounds_of(metric: str, attempted: int, completed: int, still: float) -> Bounds | None:
    """What a count or rate can still become when at most `still` more requests are counted.

    >>> bounds_of("error_rate", 10, 8, 30)
    Bounds(low=0.05, high=0.8)
    """
    failed, most = attempted - completed, attempted + still
    if metric == "attempted":
        return Bounds(attempted, most)
    if metric == "completed":
        return Bounds(completed, completed + still)
    if metric == "failed":
        return Bounds(failed, failed + still)
    if metric not in ("error_rate", "success_rate"):
        return None
    if most == 0:
        return None  # a rate of nothing: the end says so
    if still == inf:
        return Bounds(0.0, 1.0)
    if metric == "error_rate":
        return Bounds(failed / most, (failed + still) / most)
    return Bounds(completed / most, (completed + still) / most)


def _span(part: Part, bounds: Bounds) -> str:
    low, high = (f"{bound:.4g}" for bound in (bounds.low, bounds.high))
    return f"{low} at best" if part.comparison.op in ("<", "<=") else f"{high} at best"
