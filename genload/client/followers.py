"""Which update is for whom: by the id of its job."""

from __future__ import annotations

from collections import OrderedDict, deque
from math import inf

from gevent.event import Event

from genload.service.updates import Update

MOST_UNCLAIMED = 1000
"""Jobs that nobody follows, whose updates are kept: events reach every client of the service, and the first
may come before the answer to the order that says the job's id."""
_MOST_OF_A_JOB = 16


class Followers:
    """Of one connection, over all its interruptions.

    Attributes:
        since_s: as `Followed.since_s`.
    """

    def __init__(self) -> None:
        self._by_job: dict[str, Follower] = {}
        self._unclaimed: OrderedDict[str, deque[Update]] = OrderedDict()
        self._first = Event()
        self.since_s = inf

    def follow(self, job_id: str) -> Follower:
        follower = Follower(self, job_id, self._unclaimed.pop(job_id, ()))
        self._by_job[job_id] = follower
        self._first.set()
        return follower

    def forget(self, job_id: str) -> None:
        self._by_job.pop(job_id, None)
        if not self._by_job:
            self._first.clear()

    def wait_for_one(self, seconds: float) -> bool:
        """Whether there is a follower, after this time at the latest."""
        return bool(self._first.wait(seconds))

    def hand_over(self, job_id: str, update: Update) -> None:
        follower = self._by_job.get(job_id)
        if follower is not None:
            follower.take(update)
            return
        unclaimed = self._unclaimed.setdefault(job_id, deque(maxlen=_MOST_OF_A_JOB))
        unclaimed.append(update)
        if len(self._unclaimed) > MOST_UNCLAIMED:
            self._unclaimed.popitem(last=False)

    def lose(self) -> None:
        """Nothing is heard from now on: who waits is not to wait for it."""
        self.since_s = inf
        for follower in self._by_job.values():
            follower.interrupt()


class Follower:
    """A user who follows one job; see `genload.service.updates.Followed`."""

    __slots__ = ("_changed", "_followers", "_interrupted", "_job_id", "_updates")

    def __init__(self, followers: Followers, job_id: str, updates: deque[Update] | tuple[()]) -> None:
        self._followers, self._job_id = followers, job_id
        self._updates = deque(updates)
        self._changed = Event()
        self._interrupted = False

    @property
    def since_s(self) -> float:
        return self._followers.since_s

    def take(self, update: Update) -> None:
        self._updates.append(update)
        self._changed.set()

    def interrupt(self) -> None:
        self._interrupted = True
        self._changed.set()

    def wait(self, seconds: float) -> Update | None:
        if not self._updates and not self._interrupted:
            self._changed.clear()
            self._changed.wait(seconds)
        if self._updates:
            return self._updates.popleft()
        self._interrupted = False
        return None

    def close(self) -> None:
        self._followers.forget(self._job_id)
