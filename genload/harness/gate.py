"""Who may start work now: users are held to the target here, not by starting and stopping them.

Every user of a process has an index; of all users of all processes, those with the lowest numbers may start
work, as many as the timeline's target says at this moment. A user told to stop finishes what it
has in flight and waits; told to go on again, it starts at once.

In an open schedule the users are hands: a free one takes the ticket of the arrival that is due next and
waits for its moment. With every hand busy an arrival starts late, and what it was late counts.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import takewhile
from math import inf

import gevent
import msgspec
from gevent.event import Event

from genload.harness.gate_status import GateStatus
from genload.harness.tickets import COLD, WARMUP, Share, Ticket, Tickets
from genload.settings.phases import Timeline

RAMP_STEP_S = 0.05  # how often waiting users are woken on a ramp, where the target changes all the time


class Stage(Enum):
    """What the run as a whole is doing."""

    WAITING = "waiting"  # for the service, or for the load to begin
    WARMUP = WARMUP
    COLD = COLD  # one request, after a time without any
    LOAD = "load"
    CLOSED = "closed"  # nobody may start any more


class Turn(msgspec.Struct, frozen=True):  # made in C: every request has one
    """Leave to start one request.

    Attributes:
        phase: in which it is, or was, to start; ``warmup`` or ``cold`` before the load.
        number: of the request in the run: no other has it, in any process; negative in the warm-up.
        intended_s: when an open schedule wanted it to start, on the gate's clock; None in a load of users.
    """

    phase: str
    warmup: bool
    number: int
    intended_s: float | None = None


class Gate:
    """One per process with users.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = Event()
        self._waker: gevent.Greenlet | None = None
        self._free: list[int] = []
        self._indices: set[int] = set()
        self._waiting: set[int] = set()
        self._in_flight: dict[int, float] = {}  # by user, the oldest first: when each was to start
        self._asleep: dict[int, float] = {}  # until when a user's sleep is counted already
        self.reset(Timeline(()), Share())

    def reset(
        self, timeline: Timeline, share: Share, warmup_jobs: int = 0, *, cold_start: bool = False
    ) -> None:
        """Prepare for a run: nobody may start yet."""
        self.timeline, self.share = timeline, share
        self.stage = Stage.WAITING
        self.origin_s = self.ended_s = inf
        self._asleep_s = 0.0
        self._tickets = Tickets(timeline, share, warmup_jobs, cold_start=cold_start)
        self._cold_start = cold_start
        self._held: dict[int, Ticket] = {}  # by the user that will use it
        self._phase = ""  # of the load, that holds these seconds of it
        self._since_s, self._until_s = inf, -inf
        self._open: int | None = 0  # so many users here may start in it; None: on a ramp the moment decides
        self._signal()

    # ---- what the run says

    def warm_up(self) -> None:
        self.stage = Stage.WARMUP
        self._signal()

    def warm(self) -> None:
        """No further request of the warm-up is needed."""
        self._tickets.end_warmup()

    def start_cold(self) -> None:
        self.stage = Stage.COLD
        self._signal()

    def begin(self, origin_s: float) -> None:
        """The load begins, or began, at `origin_s`."""
        self._tickets.end_before()
        self._held = {index: ticket for index, ticket in self._held.items() if ticket.number >= 0}
        self.origin_s, self.stage = origin_s, Stage.LOAD
        self._signal()
        self._waker = gevent.spawn(self._wake_at_changes)

    def change(self, timeline: Timeline) -> None:
        """Go by another timeline, which so far is the same as the one it has."""
        self.timeline = timeline
        self._since_s, self._until_s = inf, -inf
        self._tickets.change(timeline)
        if timeline.arrivals is not None:
            self._held = {
                index: self._tickets.of_number(ticket.number) if ticket.number >= 0 else ticket
                for index, ticket in self._held.items()
            }
        if self._waker is not None:
            self._waker.kill(block=False)
            self._waker = gevent.spawn(self._wake_at_changes)
        self._signal()

    def close(self) -> list[Turn]:
        """Nobody starts any more; who waits for a turn is sent away.

        Returns what of an open schedule was due by now, or by the load's end, and was never started. Closed
        again, there is nothing more to tell.
        """
        if self.stage is Stage.CLOSED:
            return []
        self.stage, self.ended_s = Stage.CLOSED, min(self._clock(), self.origin_s + self.timeline.duration_s)
        if self._waker is not None:
            self._waker.kill(block=False)
            self._waker = None
        self._signal()
        until_s = self.ended_s - self.origin_s  # −inf for a load that never began
        owed = [t for t in self._held.values() if t.due_s is not None and t.due_s <= until_s]
        owed += self._tickets.unclaimed(until_s)
        return [self._planned_turn(ticket) for ticket in sorted(owed, key=lambda ticket: ticket.number)]

    # ---- what users do

    def join(self) -> int:
        """A new user's index: the lowest free one."""
        index = heapq.heappop(self._free) if self._free else len(self._indices)
        self._indices.add(index)
        return index

    def leave(self, index: int) -> None:
        self._indices.discard(index)
        self._in_flight.pop(index, None)
        heapq.heappush(self._free, index)
        ticket = self._held.pop(index, None)
        if ticket is not None and self.stage is not Stage.CLOSED:
            self._tickets.give_back(index, ticket)
            self._signal()

    def reserve(self, index: int) -> int | None:
        """Wait until there is something for this user to do: the number of its next request, for the user to
        make its input by before the request's moment comes. None when nobody may start any more.
        """
        while self.stage is not Stage.CLOSED:
            ticket = self._held.get(index) or self._take(index)
            if ticket is not None:
                return ticket.number
            self._pause(index, None)
        return None

    def wait(self, index: int) -> bool:
        """Wait until this user may start work: True; False when nobody may any more."""
        while self.stage is not Stage.CLOSED:
            if self.allowed(index):
                return True
            self._pause(index, self._until_due_s(index))
        return False

    def allowed(self, index: int) -> bool:
        """Whether this user may start work now."""
        return self._turn(index, self._clock() - self.origin_s) is not None

    def start(self, index: int) -> Turn | None:
        """Take a turn if this user may start now; the request is in flight until `end`."""
        into_s = self._clock() - self.origin_s
        turn = self._turn(index, into_s)
        if turn is not None:
            due_s = self._held.pop(index).due_s
            self._in_flight[index] = into_s if due_s is None else due_s
        return turn

    def end(self, index: int) -> None:
        """This user's request has ended and is recorded."""
        self._in_flight.pop(index, None)
        if self.stage is not Stage.LOAD:  # before it, the next one may wait for that
            self._signal()

    @contextmanager
    def asleep(self, index: int) -> Iterator[None]:
        """This user sleeps because its request failed: what it sleeps of the time that it may work is not
        worked.
        """
        self._asleep[index] = self._clock()
        try:
            yield
        finally:
            self._count_sleep(index)
            del self._asleep[index]

    # ---- what is watched

    def target(self) -> int:
        """Users of all processes that may start work now."""
        return self.timeline.target(self._clock() - self.origin_s) if self.stage is Stage.LOAD else 0

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def working(self) -> int:
        """Users here that may start work, or would if the planned requests were not used up."""
        # Nothing here goes through all users: it is asked many times a second.
        may, joined = self._may(), len(self._indices) + len(self._free)
        return min(may, joined) - sum(1 for index in self._free if index < may)

    @property
    def leaving(self) -> int:
        """Requests in flight of users told to stop."""
        may = self._may()
        if may >= len(self._indices) + len(self._free):
            return 0
        return sum(1 for index in self._in_flight if index >= may)

    @property
    def asleep_s(self) -> float:
        """Seconds that users slept after failures since the load began, all together."""
        for index in self._asleep:
            self._count_sleep(index)
        return self._asleep_s

    @property
    def waiting(self) -> int:
        """Users here that wait for their turn, their inputs made; or for something to do."""
        return len(self._waiting)

    @property
    def earlier(self) -> int:
        """Requests in flight that began before the phase of this moment."""
        place = self.timeline.index_at(self._clock() - self.origin_s)
        if not place:  # nothing was before the first
            return 0
        since_s = self.timeline.start_s(place)
        return sum(1 for _ in takewhile(lambda start_s: start_s < since_s, self._in_flight.values()))

    @property
    def oldest_s(self) -> float:
        """When the oldest request was to start that has not ended, or of an open schedule not even begun;
        in seconds since the load began. inf: there is none.
        """
        under_way_s = next(iter(self._in_flight.values()), inf)
        if self.timeline.arrivals is None:
            return under_way_s
        held_s = (ticket.due_s for ticket in self._held.values() if ticket.due_s is not None)
        return min(under_way_s, self._tickets.next_due_s, *held_s)

    @property
    def warmed_up(self) -> bool:
        held = self._held.get(0)  # by the one user who warms up
        to_do = self._tickets.before_left + (held is not None and held.number < 0)
        for_later = self._cold_start and self.stage is not Stage.COLD
        return to_do <= for_later and not self._in_flight

    @property
    def used_up(self) -> bool:
        """Every counted request of this process has been started and has ended."""
        counts = self.stage is Stage.LOAD and self.timeline.iterations is not None
        return counts and not (self._tickets.left or self._held or self._in_flight)

    def status(self) -> GateStatus:
        """All of this at once."""
        return GateStatus(
            working=self.working,
            in_flight=self.in_flight,
            leaving=self.leaving,
            asleep_s=self.asleep_s,
            waiting=self.waiting,
            earlier=self.earlier,
            oldest_s=self.oldest_s,
            warmed_up=self.warmed_up,
            used_up=self.used_up,
        )

    # ----

    def _may(self) -> int:
        """How many users of this process may start work now: those of a lower index than that."""
        return self.share.count(self.target())

    def _count_sleep(self, index: int) -> None:
        """Of the load, and of a user that may work: one told to stop owes no work."""
        since_s, self._asleep[index] = self._asleep[index], self._clock()
        since_s = max(since_s, self.origin_s)
        until_s = min(self._asleep[index], self.ended_s, self.origin_s + self.timeline.duration_s)
        if since_s < until_s and self.share.number(index) < self.timeline.target(since_s - self.origin_s):
            self._asleep_s += until_s - since_s

    def _take(self, index: int) -> Ticket | None:
        """What this user, which holds no ticket, is to start next: from now on its own."""
        ticket = self._tickets.take(index)
        if ticket is not None:
            self._held[index] = ticket
        return ticket

    def _turn(self, index: int, into_s: float) -> Turn | None:
        """The turn that this user could take `into_s` seconds after the load began."""
        ticket = self._held.get(index) or self._take(index)
        if ticket is None:
            return None
        number, due_s = ticket.number, ticket.due_s
        if number < 0:
            alone = self.stage.value == ticket.phase and not self._in_flight
            return Turn(ticket.phase, True, number) if alone else None
        if self.stage is not Stage.LOAD:
            return None
        if due_s is not None:
            due = due_s <= into_s < self.timeline.duration_s
            return self._planned_turn(ticket) if due else None
        if not self._since_s <= into_s < self._until_s:
            self._enter_phase(into_s)
        may = self._open
        if index >= (self._may() if may is None else may):
            return None
        return Turn(self._phase, False, number)

    def _enter_phase(self, into_s: float) -> None:
        """Look up once what every request of a phase needs to know of it."""
        place = self.timeline.index_at(into_s)
        if place is None:
            self._open = 0
            return
        phase = self.timeline.phases[place]
        self._phase = phase.name
        self._open = self.share.count(phase.users) if phase.users_from is None else None
        self._since_s, self._until_s = self.timeline.start_s(place), self.timeline.ends_s[place]

    def _planned_turn(self, ticket: Ticket) -> Turn:
        return Turn(ticket.phase, False, ticket.number, self.origin_s + (ticket.due_s or 0.0))

    def _until_due_s(self, index: int) -> float | None:
        """How long until the moment of this user's arrival; None when the clock alone brings nothing."""
        ticket = self._held.get(index)
        if ticket is None or ticket.due_s is None or ticket.due_s == inf or self.stage is not Stage.LOAD:
            return None
        into_s = self._clock() - self.origin_s
        return None if into_s >= self.timeline.duration_s else max(ticket.due_s - into_s, 0.0)

    def _pause(self, index: int, timeout_s: float | None) -> None:
        """Until something changes, or for so long."""
        self._waiting.add(index)
        try:
            self._changed.wait(timeout_s)
        finally:
            self._waiting.discard(index)

    def _signal(self) -> None:
        changed, self._changed = self._changed, Event()
        changed.set()

    def _wake_at_changes(self) -> None:
        """Wake the waiting at every change of the target; `allowed` itself always asks the clock."""
        while True:
            now_s = self._clock() - self.origin_s
            pause_s = self.timeline.next_boundary_s(now_s) - now_s if now_s >= 0 else -now_s
            phase = self.timeline.phase_at(now_s)
            if phase is not None and phase.users_from is not None:
                pause_s = min(pause_s, RAMP_STEP_S)
            if pause_s == inf:
                return
            gevent.sleep(max(pause_s, 0.0))
            self._signal()
            if self._clock() - self.origin_s >= self.timeline.duration_s:
                return
