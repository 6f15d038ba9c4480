"""The base class of the files in shapes/, each of which says how many users work at which time.

A file in shapes/ defines one subclass, which has only two parts: the parameters of the shape (`Settings`) and
its phases (`timeline`).
"""

from __future__ import annotations

import sys
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import gevent

from genload.settings.phases import Timeline
from genload.settings.wing_models import ShapeSettings

if TYPE_CHECKING or "locust" in sys.modules:
    from locust import LoadTestShape
else:
    # Elsewhere (`genload run`, `genload list`) a shape is asked for its settings and its timeline alone; to
    # import locust would take a second there, and patch the process.
    LoadTestShape = object

TICK_S = 1.0  # Locust calls tick() once a second


class PhasedShape(LoadTestShape):
    """Locust's `LoadTestShape`, made from the phases of a `Timeline`.

    `tick` never returns fewer users than before. The reason: a user that Locust has told to stop counts as
    running until its job has ended, so that after 20 → 2 → 20 users only 2 would be left for the rest of the
    phase. How many users may *start* work is controlled by the gate of the harness instead, exactly and
    without delay (docs/decisions/0004-gate.md).

    Args:
        settings: an object of the subclass's own `Settings`.
        ahead_s: how long before a phase begins `tick` asks for its users; the gate holds them back until the
            phase begins.
        clock, sleep: a clock in monotonic seconds, and a function that waits; tests pass their own.
    """

    abstract: ClassVar[bool] = True
    Settings: ClassVar[type[ShapeSettings]] = ShapeSettings

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Locust makes an object of every shape that is not abstract and that it finds in a locustfile, also
        # of imported ones. Our shapes are chosen by --scenario, and need settings.
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
        """The phases for these settings. It depends on the settings alone: it is called without an object,
        too."""

    def reset_time(self) -> None:
        """The load begins now."""
        self.begin(self._clock())

    def begin(self, origin_s: float) -> None:
        """The load begins at `origin_s` on the clock, which may be in the past."""
        self.origin_s = origin_s
        self._largest = 0

    def elapsed_s(self) -> float:
        """Seconds since the load began."""
        return self._clock() - self.origin_s

    def tick(self) -> tuple[int, float] | None:
        """(users, spawn rate); None if the load is over.

        If the next phase begins in less than a tick, this method waits for its beginning: otherwise that
        phase would begin up to a second late.
        """
        seen_s = self.elapsed_s() + self.ahead_s
        # Also before the wait, because the load may be over after it.
        self._largest = max(self._largest, self.phases.target(seen_s))
        to_boundary_s = self.phases.next_boundary_s(seen_s) - seen_s
        if to_boundary_s < TICK_S:
            self._sleep(to_boundary_s)
            seen_s = max(self.elapsed_s() + self.ahead_s, seen_s + to_boundary_s)
        if seen_s - self.ahead_s >= self.phases.duration_s:
            return None
        self._largest = max(self._largest, self.phases.target(seen_s))
        # With a rate of all users in one second, Locust starts them in its first step.
        return self._largest, float(max(self._largest, 1))
