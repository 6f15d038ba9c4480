"""The service that an earlier run met: how many requests it worked on at once, and for how long.

A record tells when a request began and ended, and not how much of that it waited. Of a service that takes
first what comes first, both follow from the number of its slots: a request begins when it comes, or when the
slot is free that it waits for. The right number is the one with which the times of the work are closest to
each other: with more slots, waiting seems to be work; with fewer, what ran together seems to come out
of the service as it likes, and the times vary as much as they last. Where the times themselves vary so
much, no waiting is taken for certain.

Beside that a user needs some time from an answer to its next request: to look into the output, to make the
next input. That is the median of what passed between two requests of one user, less the pause of its
scenario.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.plan.assumed import AssumedService
from genload.analysis.populations import open_alone, parts_of
from genload.errors import UsageError
from genload.human import count_of
from genload.runlog.error_classes import NOT_STARTED
from genload.runlog.reader import open_run
from genload.runlog.records import LEFT, RequestRecord, RunHeader
from genload.settings.scenario import Span

_MOST_SLOTS = 64
_MOST_READ = 20_000  # requests: more would not change the answer
_WIDEST = 0.5  # standard deviation ÷ mean of times that may be those of the work
_AS_GOOD = 1.01  # of the smallest standard deviation, and of the mean: a difference that says nothing
_EXACT = 0.001


def observed_service(
    folders: Sequence[Path], operation: str, slots: int | None = None, population: str = ""
) -> AssumedService:
    """The service that the runs in these run directories met, in modelled time.

    Args:
        operation: of which the requests must be: ``generate``, ``speech``.
        slots: how many the service had; None: it is estimated.
        population: whose requests; "" of runs that had no populations.

    Raises:
        RunDirectoryError: there is no run that can be read.
        UsageError: none of them has a request of that kind that succeeded.
    """
    runs = [run for folder in folders if (run := _seen(folder, operation, population)) is not None]
    if not any((~run.failed).any() for run in runs):
        raise UsageError(
            f"no {operation} request succeeded in {', '.join(map(str, folders))}",
            remedy="name a run of the same kind of service, or say it: --service-time 82s",
        )
    there = max((run.succeeded() for run in runs), key=lambda run: run.most_in_flight())
    found = slots or there.slots()
    times_s = np.concatenate([run.times_s(found) for run in runs])
    listens_s = np.concatenate([run.listens_s for run in runs])
    failed = np.concatenate([run.failed for run in runs])
    gaps_s = np.concatenate([run.gaps_s for run in runs])
    about = f"{count_of(len(times_s), 'request')} of {', '.join(folder.name for folder in folders)}"
    if slots is None:
        least = "at least " if found == there.most_in_flight() else ""
        about += f", {least}{count_of(found, 'slot')} seen"
    return AssumedService(
        slots or found,
        times_s,
        failed,
        listens_s if listens_s.any() else None,
        between_s=float(np.median(gaps_s)) if len(gaps_s) else 0.0,
        observed=True,
        about=about,
    )


@dataclass(frozen=True)
class _Seen:
    """The requests of a run, in the order of their starts; in modelled seconds.

    Attributes:
        gaps_s: from the end of each success to the next start of the same user, less its scenario's pause.
    """

    start_s: FloatArray
    end_s: FloatArray
    failed: BoolArray
    listens_s: FloatArray
    gaps_s: FloatArray

    def succeeded(self) -> _Seen:
        good = ~self.failed
        return _Seen(
            self.start_s[good], self.end_s[good], self.failed[good], self.listens_s[good], self.gaps_s
        )

    def most_in_flight(self) -> int:
        """The most that there were at once."""
        before = np.searchsorted(np.sort(self.end_s), self.start_s, side="right")
        return int((np.arange(1, len(self.start_s) + 1) - before).max(initial=0))

    def slots(self) -> int:
        """The number of slots with which the work varies least; of equal ones, the largest."""
        most = min(max(self.most_in_flight(), 1), _MOST_SLOTS)
        worked = {slots: self.worked_s(slots) for slots in range(1, most + 1)}
        varies = {
            slots: float(times_s.std())
            for slots, times_s in worked.items()
            if times_s.std() <= _WIDEST * times_s.mean()
        }
        least = min(varies.values(), default=0.0)
        close = least * _AS_GOOD + _EXACT * float(worked[most].mean())
        return max((slots for slots, std in varies.items() if std <= close), default=most)

    def times_s(self, slots: int) -> FloatArray:
        """How long each request was worked on. One that failed is taken to have waited for no slot."""
        times_s = self.end_s - self.start_s
        times_s[~self.failed] = self.succeeded().worked_s(slots)
        return times_s

    def worked_s(self, slots: int) -> FloatArray:
        """The same of requests that all succeeded: from when as many others had ended as had to."""
        pending: list[float] = []
        begun = np.empty(len(self.start_s))
        ends = self.end_s.tolist()
        for number, start_s in enumerate(self.start_s.tolist()):
            while pending and pending[0] <= start_s:
                heapq.heappop(pending)
            ahead = len(pending) - slots + 1
            free_s = start_s if ahead <= 0 else heapq.nsmallest(ahead, pending)[-1]
            begun[number] = min(free_s, ends[number])
            heapq.heappush(pending, ends[number])
        return self.end_s - begun


def _seen(folder: Path, operation: str, population: str) -> _Seen | None:
    """The first requests of a run that were started and have ended; None without any."""
    log = open_run(folder) if population else open_alone(folder)
    headers = {part.header.population: part.header for part in parts_of(log)}
    header = headers.get(population, log.header)
    if header.population != population or header.operation != operation:
        return None
    own = (record for record in log.requests() if record.population == population)
    records = list(islice(_ended(own, operation), _MOST_READ))
    rows = [
        (record.start_s, record.start_s + record.duration_s, record.outcome != "ok", _listen_s(record))
        for record in records
    ]
    if not rows:
        return None
    start_s, end_s, failed, listens_s = (np.array(column) for column in zip(*sorted(rows), strict=True))
    scale = header.time_scale
    gaps_s = np.array(list(_gaps_s(records, header)))
    return _Seen(start_s / scale, end_s / scale, failed.astype(np.bool_), listens_s, gaps_s / scale)


def _gaps_s(records: Iterable[RequestRecord], header: RunHeader) -> Iterator[float]:
    """Of users who wait for nothing but their answers and their pauses: not of an open schedule's, nor of
    listeners, who look into an answer while they hear it.
    """
    scenario = header.suite.get("scenarios", {}).get(header.scenario, {})
    if scenario.get("pace"):
        return
    think = Span.model_validate(scenario["think"]) if scenario.get("think") else Span(min_s=0.0, max_s=0.0)
    pause_s = (think.min_s + think.max_s) / 2
    before: dict[tuple[str, int], RequestRecord] = {}
    for record in sorted(records, key=lambda record: record.start_s):
        last = before.get((record.source, record.user))
        before[record.source, record.user] = record
        waits = last is not None and last.outcome == "ok" and record.intended_s is None
        if last is not None and waits and last.phase == record.phase:
            yield max(record.start_s - last.start_s - last.duration_s - pause_s, 0.0)


def _listen_s(record: RequestRecord) -> float:
    """How long its audio went on after its last byte; 0 where there is none. Audio has no time scale."""
    return max(record.numbers.get("playout_s", 0.0) - record.duration_s, 0.0)


def _ended(records: Iterable[RequestRecord], operation: str) -> Iterator[RequestRecord]:
    for record in records:
        ended = record.outcome not in ("unfinished", LEFT) and record.error_class != NOT_STARTED
        if record.operation == operation and not record.warmup and ended:
            yield record
