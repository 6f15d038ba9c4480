"""Who may start work now: users are held to the target here, not by starting and stopping them.

Every user of a process has an index; of all users of all processes, those with the lowest numbers may start
work, as many as the timeline's target says at this moment. A user told to stop finishes what it
has in flight and waits; told to go on again, it starts at once.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf

import gevent
from gevent.event import Event

from genload.settings.phases import Timeline

RAMP_STEP_S = 0.05  # how often waiting users are woken on a ramp, where the target changes all the time


class Stage(Enum):
    """What the run as a whole is doing."""

    WAITING = "waiting"  # for the service, or for the load to begin
    WARMUP = "warmup"
    LOAD = "load"
    CLOSED = "closed"  # nobody may start any more


@dataclass(frozen=True, slots=True)
class Turn:
    """Leave to start one request."""

    phase: str
    warmup: bool


@dataclass(frozen=True, slots=True)
class Share:
    """This process's part of the load: user i here is number ``i * of + rank`` of all."""

    rank: int = 0
    of: int = 1

    def number(self, index: int) -> int:
        return index * self.of + self.rank

    def count(self, total: int) -> int:
        """How many of `total` fall to this process."""
        return len(range(self.rank, total, self.of))


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
        self._in_flight: dict[int, bool] = {}  # index → warm-up
        self.reset(Timeline(()), Share())

    def reset(self, timeline: Timeline, share: Share, warmup_jobs: int = 0) -> None:
        """Prepare for a run: nobody may start yet."""
        self.timeline, self.share = timeline, share
        self.stage = Stage.WAITING
        self.origin_s = self.ended_s = inf
        self._budget: float = inf
        self._warmup_budget = warmup_jobs if share.rank == 0 else 0
        self._signal()

    # ---- what the conductor says

    def warm_up(self) -> None:
        self.stage = Stage.WARMUP
        self._signal()

    def begin(self, origin_s: float) -> None:
        """The load begins, or began, at `origin_s`."""
        iterations = self.timeline.iterations
        self._budget = inf if iterations is None else self.share.count(iterations)
        self.origin_s, self.stage = origin_s, Stage.LOAD
        self._signal()
        self._waker = gevent.spawn(self._wake_at_changes)

    def close(self) -> None:
        """Nobody starts any more; who waits for a turn is sent away."""
        self.stage, self.ended_s = Stage.CLOSED, min(self._clock(), self.origin_s + self.timeline.duration_s)
        if self._waker is not None:
            self._waker.kill(block=False)
            self._waker = None
        self._signal()

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

    def allowed(self, index: int) -> bool:
        """Whether this user may start work now."""
        if self.stage is Stage.WARMUP:
            return self.share.number(index) == 0 and self._warmup_budget > 0 and not self._in_flight
        return self.stage is Stage.LOAD and self._budget > 0 and self.share.number(index) < self.target()

    def wait(self, index: int) -> bool:
        """Wait until this user may start work: True; False when nobody may any more."""
        while self.stage is not Stage.CLOSED:
            if self.allowed(index):
                return True
            self._changed.wait()
        return False

    def start(self, index: int) -> Turn | None:
        """Take a turn if this user may start now; the request is in flight until `end`."""
        if not self.allowed(index):
            return None
        warmup = self.stage is Stage.WARMUP
        if warmup:
            self._warmup_budget -= 1
        else:
            self._budget -= 1
        self._in_flight[index] = warmup
        phase = None if warmup else self.timeline.phase_at(self._clock() - self.origin_s)
        return Turn("warmup" if phase is None else phase.name, warmup)

    def end(self, index: int) -> None:
        """This user's request has ended and is recorded."""
        self._in_flight.pop(index, None)
        if self.stage is Stage.WARMUP:
            self._signal()

    # ---- what is watched

    def target(self) -> int:
        """Users of all processes that may start work now."""
        return self.timeline.target(self._clock() - self.origin_s) if self.stage is Stage.LOAD else 0

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def working(self) -> int:
        """Users here that may start work, or would if the counted iterations were not used up."""
        target = self.target()
        return sum(1 for index in self._indices if self.share.number(index) < target)

    @property
    def leaving(self) -> int:
        """Requests in flight of users told to stop."""
        target = self.target()
        return sum(1 for index in self._in_flight if self.share.number(index) >= target)

    @property
    def warmed_up(self) -> bool:
        return self._warmup_budget <= 0 and not self._in_flight

    @property
    def used_up(self) -> bool:
        """Every counted iteration of this process has been started and has ended."""
        return self.stage is Stage.LOAD and self._budget <= 0 and not self._in_flight

    # ----

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
