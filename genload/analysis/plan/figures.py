"""What a simulated load comes to, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.plan.simulation import Course
from genload.runlog.error_classes import NOT_STARTED


@dataclass(frozen=True, slots=True)
class Figures:
    """What one simulated load came to.

    Attributes:
        warmup_s: the requests before the load, one after the other.
        load_s: from the first moment at which a request may start to the last.
        waited_s: from there until nothing was in flight any more.
        attempted, completed: requests; what is not completed has failed. Those left are in neither.
        left: requests whose listeners left in the middle of the answer.
        drained: of `completed`, those that ended after the load.
        timed_out, not_started: of those that failed: the user gave up waiting; an open schedule had no user
            free for it.
        utilisation: share of the slots' time, until nothing was in flight any more, that was worked.
        queue_mean_s, queue_max_s: how long requests waited for a slot.
        queue_most: the most that waited at once.
        disk_bytes, memory_bytes: of the records; of genload's largest process.
    """

    warmup_s: float
    load_s: float
    waited_s: float
    attempted: int
    completed: int
    drained: int
    timed_out: int
    not_started: int
    utilisation: float
    queue_mean_s: float
    queue_max_s: float
    queue_most: int
    left: int
    disk_bytes: float
    memory_bytes: float

    @property
    def duration_s(self) -> float:
        """Of warm-up, load and waiting."""
        return self.warmup_s + self.load_s + self.waited_s

    @property
    def failed(self) -> int:
        return self.attempted - self.completed


@dataclass(frozen=True, slots=True)
class Weights:
    """What requests, users and ticks weigh, in bytes: measured on the testbed, rounded up.

    Attributes:
        record: on the disk: a request with the calls that it makes.
        user: in the memory of a process with users, while it waits for an answer.
    """

    record: float
    user: float
    sample: float = 450.0
    second: float = 300.0
    process: float = 60e6
    judging: float = 100e6
    judged: float = 350.0

    def disk(self, requests: int, intervals_s: list[float], seconds: float) -> float:
        """A run directory of so many requests, with monitors that sample at these intervals."""
        ticks = sum(seconds / interval_s for interval_s in intervals_s)
        return self.record * requests + self.sample * ticks + self.second * seconds

    def memory(self, requests: int, users: int) -> float:
        """The larger of the process with the users and the one that judges."""
        return max(self.process + self.user * users, self.judging + self.judged * requests)


JOB = Weights(record=1600.0, user=80e3)
SPEECH = Weights(record=900.0, user=25e3)


def figures(
    course: Course, slots: int, warmup_s: float, users: int, weights: Weights, intervals_s: list[float]
) -> Figures:
    """The figures of a simulated load.

    Args:
        users: the most that there are at once.
        intervals_s: of the suite's monitors.
    """
    requests = course.requests
    started = [each for each in requests if each.error_class != NOT_STARTED]
    start = np.array([each.start_s for each in started])
    end = np.array([each.end_s for each in started])
    begun = np.array([each.begun_s for each in started])
    freed = np.array([each.freed_s for each in started])
    until_s = course.last_end_s
    worked_s = np.clip(np.minimum(freed, until_s) - begun, 0, None).sum()
    served = np.minimum(begun, end)
    waits = served - start
    completed = [each for each in requests if each.completed]
    left = sum(each.left for each in requests)
    return Figures(
        warmup_s=warmup_s,
        load_s=course.end_s,
        waited_s=until_s - course.end_s,
        attempted=len(requests) - left,
        completed=len(completed),
        drained=sum(each.end_s > course.end_s for each in completed),
        timed_out=sum(each.error_class == "timeout" for each in requests),
        not_started=len(requests) - len(started),
        utilisation=float(worked_s / (until_s * slots)) if until_s else 0.0,
        queue_mean_s=float(waits.mean()) if len(waits) else 0.0,
        queue_max_s=float(waits.max()) if len(waits) else 0.0,
        queue_most=_most_at_once(start, served),
        left=left,
        disk_bytes=weights.disk(len(requests), intervals_s, warmup_s + until_s),
        memory_bytes=weights.memory(len(requests), users),
    )


def _most_at_once(begin: FloatArray, end: FloatArray) -> int:
    """How many half-open stretches lie over each other at most."""
    some = end > begin
    begin, end = np.sort(begin[some]), np.sort(end[some])
    inside = np.arange(1, len(begin) + 1) - np.searchsorted(end, begin, side="right")
    return int(inside.max()) if len(inside) else 0
