"""What would make a criterion hold, or prove it: one thing changed at a time, found by simulating that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil

from genload.analysis.evaluate import Judgement, judge_expression
from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.outlook import CriterionOutlook, Judge, Outlook
from genload.analysis.plan.simulation import Client, simulate
from genload.human import count_of, human
from genload.settings.phases import Phase, Timeline

_MOST_TIMES = 12
_LEAST_SHARE = 0.02
_STEPS = 8  # of a search between two service times
_MOST_SEARCHED = 2_000  # requests: a larger load is not simulated again and again


class Changes:
    """Tries other loads and other services for one scenario."""

    def __init__(
        self,
        timeline: Timeline,
        client: Client,
        service: AssumedService,
        judge: Judge,
        requests: int,
        seed: int,
    ) -> None:
        self._timeline, self._client, self._service = timeline, client, service
        self._judge, self._requests, self._seed = judge, requests, seed

    def of(self, found: CriterionOutlook) -> tuple[str, ...]:
        """What to change for a criterion; nothing where no single change helps, or the load is too large to
        look for one.
        """
        if self._requests > _MOST_SEARCHED:
            return ()
        if found.outlook in (Outlook.CANNOT, Outlook.UNLIKELY):
            return tuple(self._to_hold(found))
        if found.outlook is Outlook.UNPROVEN:
            return tuple(self._to_prove(found))
        return ()

    def _to_hold(self, found: CriterionOutlook) -> Iterator[str]:
        def holds(timeline: Timeline, service: AssumedService) -> bool:
            return self._judged(found, timeline, service).result == "pass"

        timeline, service = self._timeline, self._service
        users = timeline.max_users
        slots = _least(
            service.slots, max(users, service.slots), lambda n: holds(timeline, replace(service, slots=n))
        )
        if slots is not None:
            yield count_of(slots, "slot")
        share = _largest_share(lambda share: holds(timeline, service.scaled(share)))
        if share is not None:
            yield f"{human(service.mean_s * share, 's')} of service time"
        more = _least(users, users * _MOST_TIMES, lambda n: holds(with_users(timeline, n), service))
        fewer = None if more else _most(users, lambda n: holds(with_users(timeline, n), service))
        if more or fewer:
            noun = "user" if timeline.arrivals is None else "request"
            at_once = "" if timeline.arrivals is None else " in flight at most"
            yield f"{count_of(more or fewer or 0, noun)}{at_once}"
        times = _least(1, _MOST_TIMES, lambda n: holds(lengthened(timeline, n), service))
        if times is not None and not timeline.per_user:
            yield _length(lengthened(timeline, times))

    def _to_prove(self, found: CriterionOutlook) -> Iterator[str]:
        timeline = self._timeline
        if timeline.per_user:
            return
        times = _least(
            1,
            _MOST_TIMES,
            lambda n: (
                self._judged(found, lengthened(timeline, n), self._service).evidence in ("exact", "proven")
            ),
        )
        if times is not None:
            yield f"{_length(lengthened(timeline, times))}, or the requests of {times} such runs together"

    def _judged(self, found: CriterionOutlook, timeline: Timeline, service: AssumedService) -> Judgement:
        course = simulate(timeline, self._client, service, self._seed)
        return judge_expression(found.criterion.expression, self._judge.measures(timeline, course))


def lengthened(timeline: Timeline, times: int) -> Timeline:
    """The same load for `times` as long, or with so many times the requests."""

    def longer(phase: Phase) -> Phase:
        iterations = None if phase.iterations is None else phase.iterations * times
        duration_s = None if phase.duration_s is None else phase.duration_s * times
        if phase.arrivals is None:
            return replace(phase, duration_s=duration_s, iterations=iterations)
        # The same arrivals come again: a rate that rises does so again and again, and not more slowly.
        again = [
            number * (phase.duration_s or 0.0) + due_s for number in range(times) for due_s in phase.due_s
        ]
        return replace(phase, duration_s=duration_s, arrivals=len(again), due_s=again, asks=())

    return Timeline(tuple(map(longer, timeline.phases)))


def with_users(timeline: Timeline, users: int) -> Timeline:
    """The same load with `users` at its height, and its other levels in proportion."""
    share = users / timeline.max_users

    def changed(phase: Phase) -> Phase:
        of = None if phase.users_from is None else ceil(phase.users_from * share)
        iterations = phase.iterations
        if iterations is not None and phase.per_user is not None:
            iterations = ceil(phase.users * share) * phase.per_user
        return replace(phase, users=ceil(phase.users * share), users_from=of, iterations=iterations)

    return Timeline(tuple(map(changed, timeline.phases)))


def _length(timeline: Timeline) -> str:
    if timeline.iterations is not None:
        return count_of(timeline.iterations, "request")
    return f"{human(timeline.duration_s, 's')} of load"


def _least(now: int, most: int, holds: Callable[[int], bool]) -> int | None:
    """The least number above `now` with which it holds; None: not even `most` does."""
    if most <= now or not holds(most):
        return None
    low, high = now, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _most(now: int, holds: Callable[[int], bool]) -> int | None:
    """The largest number below `now` with which it holds; None: not even 1 does."""
    if now <= 1 or not holds(1):
        return None
    low, high = 1, now
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _largest_share(holds: Callable[[float], bool]) -> float | None:
    """The largest share of the service time with which it holds."""
    if not holds(_LEAST_SHARE):
        return None
    low, high = _LEAST_SHARE, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
