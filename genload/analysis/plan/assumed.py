"""The service that a plan assumes: so many requests at once, the others wait their turn, first come first
served.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np

from genload.analysis.evidence.estimate import BoolArray, FloatArray


@dataclass(frozen=True)
class AssumedService:
    """Slots, and how long a request keeps one.

    Attributes:
        times_s: seconds that a request is worked on; each is drawn from these.
        failed: which of them end in a failure.
        listens_s: how long a listener goes on hearing each after it has ended; None: nobody listens.
        between_s: what a user needs from an answer to its next request beside its own pauses: to look into
            the output, to make the next input.
        observed: as a caller saw them, what polls add included.
        about: where all this is from, for people.
    """

    slots: int
    times_s: FloatArray
    failed: BoolArray
    listens_s: FloatArray | None = None
    between_s: float = 0.0
    observed: bool = False
    about: str = ""

    @property
    def is_constant(self) -> bool:
        """Whether each request takes the same time, and ends the same way."""
        heard = self.times_s if self.listens_s is None else self.listens_s
        return not any(np.ptp(each) for each in (self.times_s, heard, self.failed.astype(np.int8)))

    @property
    def mean_s(self) -> float:
        return float(self.times_s.mean())

    @property
    def failure_rate(self) -> float:
        return float(self.failed.mean())

    def fastest(self) -> AssumedService:
        """The same on its luckiest day: each request as quick as the quickest, and none fails."""
        good = self.times_s[~self.failed]
        least = np.array([good.min() if len(good) else self.times_s.min()])
        heard = None if self.listens_s is None else np.array([self.listens_s.min()])
        best = np.zeros(1, dtype=np.bool_)
        return replace(self, times_s=least, failed=best, listens_s=heard, between_s=0.0)

    def scaled(self, factor: float) -> AssumedService:
        """The same service, with `factor` times the seconds."""
        return replace(self, times_s=self.times_s * factor)


def constant(service_time_s: float, slots: int) -> AssumedService:
    """A service that takes the same time for each request, and never fails."""
    return AssumedService(slots, np.array([service_time_s]), np.zeros(1, dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class Served:
    """One request at the service: when its work began and ended."""

    begun_s: float
    ended_s: float
    failed: bool
    listen_s: float


class Queue:
    """The slots of a service while a load goes on. Requests must come in the order of time.

    A request whose caller has given up is worked on all the same: few services are told.
    """

    _DRAWN = 4096

    def __init__(self, service: AssumedService, rng: np.random.Generator) -> None:
        self._service, self._rng = service, rng
        self._free_s = [0.0] * service.slots
        self._left: list[int] = []

    def serve(self, at_s: float) -> Served:
        """A request that comes at `at_s`."""
        if not self._left:
            self._left = self._rng.integers(len(self._service.times_s), size=self._DRAWN).tolist()
        which = self._left.pop()
        begun_s = max(at_s, self._free_s[0])
        took_s = float(self._service.times_s[which])
        heapq.heapreplace(self._free_s, begun_s + took_s)
        heard = self._service.listens_s
        listen_s = 0.0 if heard is None else float(heard[which])
        return Served(begun_s, begun_s + took_s, bool(self._service.failed[which]), listen_s)
