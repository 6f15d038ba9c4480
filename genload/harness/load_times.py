"""When the load of a run began, how far it is, and in which phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import inf

from genload.settings.phases import Timeline


class LoadTimes:
    """Of one load, which has not begun yet; on the clock that is passed in, in seconds.

    Attributes:
        timeline: of the load as far as it is known.
        origin_s: when it begins; inf while that is not known.
        phase: the phase that was noticed last; "" before the first.
    """

    def __init__(self, timeline: Timeline, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeline, self._clock = timeline, clock
        self._noted_s = -inf  # into the load: phases that began by then are noticed
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
        """inf if the load has not begun, or nobody knows when it will end."""
        if self.timeline.later is not None:
            return inf
        return max(self.timeline.duration_s - self.into_s, 0.0)

    @property
    def ended_s(self) -> float:
        """When it ended by its timeline, or now, if that comes first."""
        return min(self._clock(), self.origin_s + self.timeline.duration_s)

    def next_phases(self) -> Iterator[tuple[str, float]]:
        """Name and begin of each phase that began since this was asked last; none once the load is over."""
        since_s, into_s = self._noted_s, self.into_s
        if self.timeline.index_at(into_s) is None:
            return
        self._noted_s = into_s
        for index, phase in enumerate(self.timeline.phases):
            start_s = self.timeline.start_s(index)
            if since_s < start_s <= into_s and phase.name != self.phase:
                self.phase = phase.name
                yield self.phase, self.origin_s + start_s
