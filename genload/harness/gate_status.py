"""What the users of one process do, or those of several, at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import msgspec


class GateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the users at a gate do; or those at the gates of several processes.

    Attributes:
        working: users that may start work, or could if the planned requests were not used up.
        in_flight: requests that have started and not ended.
        leaving: those of them whose users may not start another one.
        asleep_s: seconds that users slept after failures since the load began, all together.
        waiting: users that wait for their turn, with their inputs made; or for something to do.
        earlier: requests in flight that began before the phase of this moment.
        oldest_s: when the oldest request was to start that has not ended, in seconds since the load began.
        warmed_up: the requests of the warm-up have ended, in a cold start the one of that.
        used_up: all counted requests have started and ended.
    """

    working: int = 0
    in_flight: int = 0
    leaving: int = 0
    asleep_s: float = 0.0
    waiting: int = 0
    earlier: int = 0
    oldest_s: float = inf
    warmed_up: bool = False
    used_up: bool = False

    @classmethod
    def together(cls, statuses: Iterable[GateStatus]) -> GateStatus:
        """Of several gates; those of none have nothing left to do."""
        each = list(statuses)
        return cls(
            working=sum(one.working for one in each),
            in_flight=sum(one.in_flight for one in each),
            leaving=sum(one.leaving for one in each),
            asleep_s=sum(one.asleep_s for one in each),
            waiting=sum(one.waiting for one in each),
            earlier=sum(one.earlier for one in each),
            oldest_s=min((one.oldest_s for one in each), default=inf),
            warmed_up=all(one.warmed_up for one in each),
            used_up=all(one.used_up for one in each),
        )
