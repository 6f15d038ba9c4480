"""How a run went until now: a moment every second, for the charts of a page that may be opened late."""

from __future__ import annotations

from collections import deque

import gevent
import msgspec

from genload.harness.asked_for import users_asked_for
from genload.harness.crew import CrewStatus
from genload.harness.run import Run
from genload.harness.side import Side
from genload.settings.criteria.ast import Subject

EVERY_S = 1.0
MOST = 3600
"""Moments that are kept: an hour, of which the oldest go first."""


class SideMoment(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of one population; the fields are those of a moment."""

    target: int
    working: int
    in_flight: int
    completed: int
    failed: int
    left: int
    mean_s: float | None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What was known at one time.

    Attributes:
        number: counted from 0, so that a page asks for what it does not have.
        t_s: since the run began.
        completed, failed, left: requests so far; the last by their listeners, and in no other number.
        mean_s: of the requests that ended since the moment before; None without one.
        machines: the newest value of each metric, base units.
        sides: of several populations, the same of each by its name.
    """

    number: int
    t_s: float
    target: int
    working: int
    in_flight: int
    completed: int
    failed: int
    left: int
    mean_s: float | None
    machines: dict[str, float]
    sides: dict[str, SideMoment] = {}


class History:
    """Takes a moment every second for as long as a run goes on."""

    def __init__(self, run: Run, every_s: float = EVERY_S) -> None:
        self._run, self._every_s = run, every_s
        self._moments: deque[Moment] = deque(maxlen=MOST)
        self._number = 0
        self._ended: dict[str, tuple[int, float]] = {}  # by side: requests so far, and their seconds
        self._taking = gevent.spawn(self._take_moments)

    def stop(self) -> None:
        """The run has ended; its last moment is taken."""
        self._taking.kill()
        self._take()

    def since(self, number: int) -> list[Moment]:
        """The moments from this number on."""
        return [moment for moment in self._moments if moment.number >= number]

    def _take_moments(self) -> None:
        while True:
            self._take()
            gevent.sleep(self._every_s)

    def _take(self) -> None:
        run, status = self._run, self._run.crew.status()
        sides = {side.name: self._of_side(side, status) for side in run.sides}
        each = list(sides.values())
        moment = Moment(
            number=self._number,
            t_s=run.journal.now_s(),
            target=sum(side.target for side in each),
            working=sum(side.working for side in each),
            in_flight=sum(side.in_flight for side in each),
            completed=sum(side.completed for side in each),
            failed=sum(side.failed for side in each),
            left=sum(side.left for side in each),
            mean_s=each[0].mean_s if len(each) == 1 else None,
            machines=dict(run.live.newest),
            sides=sides if len(each) > 1 else {},
        )
        self._number += 1
        self._moments.append(moment)

    def _of_side(self, side: Side, status: CrewStatus) -> SideMoment:
        users, total = side.users(status), side.live.total
        return SideMoment(
            target=users_asked_for(self._run, side),
            working=users.working,
            in_flight=users.in_flight,
            completed=total.completed,
            failed=total.failed,
            left=total.left,
            mean_s=self._mean_since(side),
        )

    def _mean_since(self, side: Side) -> float | None:
        """The mean duration of those that were added to the totals since the last time."""
        live = side.live
        duration = f"{live.operation}.duration"
        count, mean_s = (live.lookup(Subject(duration, stat)) for stat in ("count", "mean"))
        if count is None or mean_s is None:
            return None
        ended, sum_s = int(count), count * mean_s
        before, before_s = self._ended.get(side.name, (0, 0.0))
        added, added_s = ended - before, sum_s - before_s
        self._ended[side.name] = ended, sum_s
        return added_s / added if added > 0 else None
