"""What chance in a run's schedule did to its latencies: a control variate.

Callers who come at random come in clusters, and a run that drew more of them than usual has more slow
requests. Of the service nothing is known beforehand; of the schedule everything, for genload drew it. So
queues are simulated: of this run's own arrivals, and of other schedules that might have been drawn. With y,
whether a request took longer than a threshold, the share m of simulated ones that did in its place, and its
mean p over the other schedules, the share of slow requests is estimated by the mean of

    y − (m − p)

The expectation of m is p, so that of the difference is y's own, whatever the service is like in truth; how
close the simulated queue is to it decides only how much less than y the difference scatters (Lavenberg and
Welch, A Perspective on the Use of Control Variables to Increase the Efficiency of Monte Carlo Simulations,
Management Science 27, 1981, with a coefficient of 1: that of a queue which is like the service).

The simulated queue has c slots, first come first served. A request's work is what passed from when it came,
or the c-th latest of the ends before it, to its end; c is the number with which that work depends least on
how many were in flight when it came. Each simulated request draws its work from all of these.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.settings.arrivals import Stage

IntArray = npt.NDArray[np.int64]

FEWEST = 500
MOST = 50_000
"""Requests of a run below which its spells are too few, and above which it has others to show it."""
MOST_SLOTS = 32
OWN = 32
OTHERS = 150
"""Simulated runs of this schedule, and of others: so many that p is known ten times as well as y."""
_REQUESTS = 1_500_000  # of all other schedules together
_HEARD = 3000  # requests by which c is found


@dataclass(frozen=True)
class Chance:
    """The schedule of a run, and others.

    Args:
        start_s, end_s: of each request, in the order of the (intended) starts, since the load began.
        worked: those whose times are those of the service's work.
        stages: of the load, one after the other; its callers came at random.
    """

    start_s: FloatArray
    end_s: FloatArray
    worked: BoolArray
    stages: Sequence[Stage]

    @property
    def is_known(self) -> bool:
        """Whether there is enough to simulate, and not too much."""
        return len(self.start_s) <= MOST and int(self.worked.sum()) >= FEWEST

    @cached_property
    def _service(self) -> tuple[int, FloatArray]:
        """The number of slots, and the works."""
        latest = _latest_ends(self.end_s, min(MOST_SLOTS, len(self.end_s)))
        found = np.arange(len(self.start_s)) - np.searchsorted(np.sort(self.end_s), self.start_s, "right")
        works = np.maximum(self.end_s[:, None] - np.maximum(self.start_s[:, None], latest), 0.0)
        heard = np.flatnonzero(self.worked)[:_HEARD]
        least = [_alike(works[heard, place], found[heard]) for place in range(works.shape[1])]
        slots = int(np.argmin(least)) + 1
        return slots, works[self.worked, slots - 1]

    @cached_property
    def _begins_s(self) -> FloatArray:
        return np.cumsum([0.0, *(stage.duration_s for stage in self.stages)])

    def _stage_of(self, at_s: FloatArray) -> IntArray:
        places = np.searchsorted(self._begins_s, at_s, side="right") - 1
        return np.clip(places, 0, len(self.stages) - 1).astype(np.int64)

    @cached_property
    def _own(self) -> npt.NDArray[np.float32]:
        """Times of `OWN` simulated runs of this schedule."""
        rng = np.random.default_rng(0)
        starts = np.repeat(self.start_s[:, None], OWN, axis=1)
        return self._times(starts, rng)

    @cached_property
    def _others(self) -> tuple[npt.NDArray[np.float32], IntArray]:
        """Times of simulated runs of other schedules, and the stage of each; −1 after the end of the load."""
        rng = np.random.default_rng(1)
        reached = np.cumsum([0.0, *(stage.expected for stage in self.stages)])
        most = ceil(reached[-1] + 6 * sqrt(reached[-1]) + 10)
        points = np.cumsum(rng.exponential(size=(most, max(2, min(OTHERS, _REQUESTS // most)))), axis=0)
        places = np.searchsorted(reached, points, side="right") - 1
        starts = np.full(points.shape, self._begins_s[-1])
        for place, stage in enumerate(self.stages):
            there = places == place
            after_s = np.minimum(stage.after_s(points[there] - reached[place]), stage.duration_s)
            starts[there] = self._begins_s[place] + after_s
        ended = (places >= len(self.stages)) | (starts > self.start_s[-1])
        return self._times(starts, rng), np.where(ended, -1, places)

    def _times(self, starts: FloatArray, rng: np.random.Generator) -> npt.NDArray[np.float32]:
        slots, works = self._service
        return queue_times(starts, works[rng.integers(len(works), size=starts.shape)], slots)

    def luck(self, rows: IntArray, threshold_s: float) -> tuple[FloatArray, float]:
        """m − p of these requests, and the standard error of p.

        Args:
            rows: some of the requests; p is of the same stages.
        """
        own = (self._own[rows] > threshold_s).mean(axis=1)
        times, places = self._others
        weights = np.bincount(self._stage_of(self.start_s[rows]), minlength=len(self.stages)) / len(rows)
        of_each = np.zeros(times.shape[1])
        for place, weight in enumerate(weights):
            if weight:
                there = places == place
                slow = ((times > threshold_s) & there).sum(axis=0)
                of_each += weight * slow / np.maximum(there.sum(axis=0), 1)
        return own - of_each.mean(), float(of_each.std(ddof=1)) / sqrt(len(of_each))


def queue_times(starts: FloatArray, works: FloatArray, slots: int) -> npt.NDArray[np.float32]:
    """Seconds from start to end of requests in the order of their starts, a simulated run a column."""
    times = np.empty(starts.shape, dtype=np.float32)
    free, every = np.zeros((starts.shape[1], slots)), np.arange(starts.shape[1])
    for number, (start, work) in enumerate(zip(starts, works, strict=True)):
        slot = free.argmin(axis=1) if slots > 1 else 0
        free[every, slot] = np.maximum(start, free[every, slot]) + work
        times[number] = free[every, slot] - start
    return times


def _latest_ends(end_s: FloatArray, most: int) -> FloatArray:
    """Of each request the latest, second latest, … of the ends of those before it."""
    found = np.empty((len(end_s), most))
    negated = [np.inf] * most  # in order: the first is the latest
    for number, ended_s in enumerate(end_s.tolist()):
        found[number] = negated
        insort(negated, -ended_s)
        negated.pop()
    return -found


def _alike(works: FloatArray, found: IntArray) -> float:
    """How much a request's work tells of how many were in flight when it came: |correlation|."""
    if works.std() <= 1e-3 * works.mean() or found.std() == 0:
        return 0.0
    return abs(float(np.corrcoef(works, found)[0, 1]))
