"""When the load of a run began, how far it is, and in which phase."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from genload.settings.phases import Timeline


class LoadTimes:
    """Of one load, which has not begun yet; on the clock that is passed in, in seconds.

    Attributes:
        origin_s: when it begins; inf while that is not known.
        phase: the phase that was noticed last; "" before the first.
    """

    def __init__(self, timeline: Timeline, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeline, self._clock = timeline, clock
        self.origin_s = inf
        self.phase = ""

    @property
    def begun(self) -> bool:
        return self.origin_s < inf

    @property
    def into_s(self) -> float:
        """Since the load began; -inf before."""
        return self._clock() - self.origin_s

    @property
    def remaining_s(self) -> float:
        """inf if the load has not begun, or ends after a number of requests."""
        return max(self._timeline.duration_s - self.into_s, 0.0)

    @property
    def ended_s(self) -> float:
        """When it ended by its timeline, or now, if that comes first."""
        return min(self._clock(), self.origin_s + self._timeline.duration_s)

    def next_phase(self) -> tuple[str, float] | None:
        """Name and begin of a phase that has begun since this was asked last; None when there is none."""
        index = self._timeline.index_at(self.into_s)
        if index is None or self._timeline.phases[index].name == self.phase:
            return None
        self.phase = self._timeline.phases[index].name
        return self.phase, self.origin_s + self._timeline.start_s(index)
