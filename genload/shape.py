"""The base of every load shape: phases on a clock, in the form Locust asks for.

A shapes/ file defines one subclass with its parameters (`Settings`) and its `timeline`; nothing else.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import gevent
from locust import LoadTestShape

from genload.settings.phases import Timeline
from genload.settings.wing_models import ShapeSettings

TICK_S = 1.0  # Locust calls tick() once a second


class PhasedShape(LoadTestShape):
    """A `LoadTestShape` over a `Timeline`.

    `tick` never takes users away again: it returns the largest target so far. A user told to stop by
    Locust counts as running until its job has ended, so that 20 → 2 → 20 would leave 2 users for the rest
    of the phase. Who may *start* work is held to the target by the gate of the harness instead, exactly and
    at once (docs/decisions/0004-gate.md).

    Args:
        settings: the subclass's own `Settings`.
        ahead_s: how long before a boundary its users are asked for, where something else holds them
        until then.
        clock, sleep: monotonic seconds, and how to wait; tests pass their own.
    """

    abstract: ClassVar[bool] = True
    Settings: ClassVar[type[ShapeSettings]] = ShapeSettings

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Locust instantiates every non-abstract shape it finds in a locustfile's namespace, imported ones
        # too; ours are chosen by --scenario and take settings.
        cls.abstract = True

    def __init__(
        self,
        settings: ShapeSettings,
        *,
        ahead_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self.settings = settings
        self.phases = self.timeline(settings)
        self.ahead_s = ahead_s
        self._clock, self._sleep = clock, sleep
        self.reset_time()

    @classmethod
    @abstractmethod
    def timeline(cls, settings: Any) -> Timeline:
        """The phases that these settings describe; pure, called without an instance too."""

    def reset_time(self) -> None:
        """The load begins now."""
        self.begin(self._clock())

    def begin(self, origin_s: float) -> None:
        """The load begins, or began, at `origin_s` on the clock."""
        self.origin_s = origin_s
        self._largest = 0

    def elapsed_s(self) -> float:
        """Seconds since the load began."""
        return self._clock() - self.origin_s

    def tick(self) -> tuple[int, float] | None:
        """(users, spawn rate), or None when the load has ended by the clock.

        A boundary less than a tick away is waited for: otherwise the phase after it would begin up to
        a second late.
        """
        seen_s = self.elapsed_s() + self.ahead_s
        # Before the wait, too: it may last until the load is over.
        self._largest = max(self._largest, self.phases.target(seen_s))
        to_boundary_s = self.phases.next_boundary_s(seen_s) - seen_s
        if to_boundary_s < TICK_S:
            self._sleep(to_boundary_s)
            seen_s = max(self.elapsed_s() + self.ahead_s, seen_s + to_boundary_s)
        if seen_s - self.ahead_s >= self.phases.duration_s:
            return None
        self._largest = max(self._largest, self.phases.target(seen_s))
        # A rate of as many users a second as there are: all of them in Locust's first spawning step.
        return self._largest, float(max(self._largest, 1))
