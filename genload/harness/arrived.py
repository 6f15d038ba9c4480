"""How far an open load has come, for those who watch it."""

from __future__ import annotations

from dataclasses import dataclass

from genload.harness.gate_status import GateStatus
from genload.harness.live import LiveStats
from genload.settings.phases import Timeline


@dataclass(frozen=True, slots=True)
class Arrived:
    """The callers of an open load at one moment.

    Attributes:
        due: arrivals whose moment has come, of `planned` in the whole load.
        held_back: of those, the ones that have not started, because every user was busy.
        in_flight: requests under way; `users` is the most that there can be.
    """

    due: int
    planned: int
    held_back: int
    in_flight: int
    users: int

    def __str__(self) -> str:
        late = f", {self.held_back} late and not started" if self.held_back else ""
        return f"arrived {self.due} of {self.planned}{late}, in flight {self.in_flight} of {self.users}"


def arrived(
    timeline: Timeline, origin_s: float, at_s: float, users: GateStatus, live: LiveStats
) -> Arrived | None:
    """Those of a load that began at `origin_s` on the monotonic clock, at `at_s` on it; None of a load of
    users."""
    if timeline.arrivals is None:
        return None
    due, in_flight = timeline.due(at_s - origin_s), users.in_flight
    begun = live.total.attempted + in_flight
    return Arrived(due, timeline.arrivals, max(due - begun, 0), in_flight, timeline.max_users)
