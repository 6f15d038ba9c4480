"""One population of a run as whoever leads the run sees it: its plan, and its requests so far."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import inf
from pathlib import Path

from genload.harness.arrived import Arrived, arrived
from genload.harness.crew import CrewStatus
from genload.harness.gate_status import GateStatus
from genload.harness.live import LiveStats, followed
from genload.harness.plan import RunPlan
from genload.runlog.records import Users


class Side:
    """Of a run without populations there is one, which is the run.

    Args:
        plan: of the population alone.
        place: which of the plan's populations it is.
        samples_file: what the run's monitors write.
        watched: metrics of requests that somebody looks at, beside those that criteria name.
        hand_on: has those records added that wait to be; called before anybody looks.

    Attributes:
        name: the population's; "" of a run without any.
        timeline: of its load as far as it is known.
        metrics: those that its criteria name, and those that are watched, by name.
    """

    def __init__(
        self,
        plan: RunPlan,
        place: int,
        samples_file: Path,
        watched: Collection[str] = (),
        hand_on: Callable[[], None] = lambda: None,
    ) -> None:
        self.plan, self._place = plan, place
        self.name = plan.population
        self.timeline = plan.timeline
        self.metrics = followed(plan.scenario, plan.catalogue, watched)
        # A search decides by what it sees live, and close to a limit.
        is_search = plan.scenario.capacity is not None
        operation = plan.client_class.operation
        self.live = LiveStats(operation, samples_file, self.metrics, hand_on=hand_on, exact=is_search)

    def users(self, status: CrewStatus) -> GateStatus:
        """What its users do."""
        return status.each[self._place] if status.each else status.users

    def noted(self, status: CrewStatus, origin_s: float) -> Users:
        """For the record; its time is on the clock, as the load's beginning is."""
        users = self.users(status)
        return Users(
            t_s=status.at_s,
            target=self.timeline.target(status.at_s - origin_s),
            working=users.working,
            in_flight=users.in_flight,
            leaving=users.leaving,
            asleep_s=users.asleep_s,
            population=self.name,
        )

    def arrived(self, status: CrewStatus, origin_s: float) -> Arrived | None:
        """The callers of an open load that began at `origin_s` on the monotonic clock, inf: not yet; None of
        users, and before."""
        if origin_s == inf:
            return None
        return arrived(self.timeline, origin_s, status.at_s, self.users(status), self.live)
