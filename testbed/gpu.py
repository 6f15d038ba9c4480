"""A GPU as a queueing model: slots, service times, contention, memory. Pure: time is an argument.

Time advances only through `Gpu.advance`, so the same code runs on the event loop and, in tests, on a
simulated clock with known answers. Starts and ends lie at their exact modelled times however late the
caller looks; nothing drifts with the caller's own lag.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass
from enum import Enum

from .options import WhenFull

GIB = 2**30
WEIGHTS_BYTES = 6 * GIB  # the model itself
JOB_BYTES = 4 * GIB  # what ORFEAS asks its GPU manager for, a job
CARD_BYTES = 24 * GIB


class ServiceTime:
    """Seeded lognormal service times: never negative, and skewed to the right as real ones are.

    For a mean m and a relative standard deviation c: σ² = ln(1 + c²), μ = ln m − σ²/2.

    Args:
        mean_s: seconds; 0 makes every job instantaneous.
        spread: standard deviation ÷ mean.
    """

    def __init__(self, mean_s: float, spread: float, seed: int) -> None:
        self._mean_s = mean_s
        self._sigma = math.sqrt(math.log1p(spread**2))
        self._random = random.Random(f"service time {seed}")

    def draw_s(self) -> float:
        if self._mean_s == 0:
            return 0.0
        return self._random.lognormvariate(math.log(self._mean_s) - self._sigma**2 / 2, self._sigma)


class Change(Enum):
    STARTED = "started"
    FINISHED = "finished"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Event:
    """One job's change, at its exact modelled time in seconds of the caller's clock."""

    change: Change
    job_id: str
    at_s: float


@dataclass(slots=True)
class _Work:
    job_id: str
    service_s: float  # alone on the GPU
    remaining_s: float  # of it


class Gpu:
    """`slots` jobs run at once; each further running job slows every one of them by `contention`.

    With n jobs running, each progresses at 1 / (1 + contention · (n − 1)) seconds of its service time a
    second: contention 0 is perfect parallelism, 1 is one GPU shared out (processor sharing).
    """

    def __init__(self, *, slots: int, when_full: WhenFull, contention: float = 0.0) -> None:
        self._slots = slots
        self._when_full = when_full
        self._contention = contention
        self._clock_s = 0.0
        self._running: dict[str, _Work] = {}
        self._waiting: deque[_Work] = deque()
        self.leaked_bytes = 0  # what jobs left behind

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def allocated_bytes(self) -> int:
        """The model, what the running jobs hold, and what ended ones left behind."""
        return WEIGHTS_BYTES + JOB_BYTES * len(self._running) + self.leaked_bytes

    @property
    def reserved_bytes(self) -> int:
        """What the caching allocator holds. Its high-water mark is reached while warming up, which fills
        every slot, and nothing is ever given back: constant unless jobs leave something behind."""
        return WEIGHTS_BYTES + JOB_BYTES * self._slots + self.leaked_bytes

    @property
    def total_bytes(self) -> int:
        """A card of 24 GiB, or of what the slots need if that is more."""
        return max(CARD_BYTES, self.reserved_bytes)

    def offer(self, job_id: str, service_s: float, now_s: float) -> list[Event]:
        """Bring a job of `service_s` seconds; the changes up to now, its own start or refusal last."""
        events = self.advance(now_s)
        work = _Work(job_id, service_s, service_s)
        if len(self._running) < self._slots:
            events.append(self._start(work))
        elif self._when_full is WhenFull.QUEUE:
            self._waiting.append(work)
        else:
            events.append(Event(Change.REFUSED, job_id, self._clock_s))
        return events

    def advance(self, now_s: float) -> list[Event]:
        """Let time pass until `now_s`; what changed, in order. A time already past changes nothing."""
        events: list[Event] = []
        while (next_s := self.next_change_s()) is not None and next_s <= now_s:
            self._progress(next_s)
            done = min(self._running.values(), key=lambda work: work.remaining_s)
            del self._running[done.job_id]
            events.append(Event(Change.FINISHED, done.job_id, next_s))
            if self._waiting:
                events.append(self._start(self._waiting.popleft()))
        self._progress(max(now_s, self._clock_s))
        return events

    def next_change_s(self) -> float | None:
        """When the next running job will be done if no other comes; None when none runs."""
        if not self._running:
            return None
        return self._clock_s + min(work.remaining_s for work in self._running.values()) / self._speed

    def share_done(self, job_id: str) -> float:
        """How much of a running job's work is done, 0..1; 0 for one that waits."""
        work = self._running.get(job_id)
        return 1 - work.remaining_s / work.service_s if work is not None and work.service_s else 0.0

    @property
    def _speed(self) -> float:
        return 1 / (1 + self._contention * (len(self._running) - 1))

    def _start(self, work: _Work) -> Event:
        self._running[work.job_id] = work
        return Event(Change.STARTED, work.job_id, self._clock_s)

    def _progress(self, to_s: float) -> None:
        """Move the clock; nothing may change on the way."""
        if self._running:
            worked_s = (to_s - self._clock_s) * self._speed
            for work in self._running.values():
                work.remaining_s = max(0.0, work.remaining_s - worked_s)
        self._clock_s = to_s
