"""The event simulation of a load: the gate's rules (`genload.harness.gate`) on a clock that costs nothing.

Times are seconds since the load began. Only what takes time is there: pauses, the queue of the service, its
work, and how late polls see its end.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf, nextafter

import numpy as np

from genload.analysis.plan.assumed import AssumedService, Queue
from genload.errors import UsageError
from genload.runlog.error_classes import NOT_STARTED
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Leave, Span
from genload.settings.service import Poll

MOST_REQUESTS = 500_000


@dataclass(frozen=True, slots=True)
class Client:
    """What a scenario's users do, beside when they may.

    Attributes:
        think: the pause before a request; None: there is none.
        failure_pause_s: the pause of a user whose request failed.
        limit_s: how long a user waits for one request, from its start.
        poll: how it is asked whether a job has ended; None for an answer that comes by itself.
        leave: which listeners leave in the middle of an answer, and when; None: nobody by themselves.
    """

    think: Span | None = None
    failure_pause_s: float = 0.0
    limit_s: float = inf
    poll: Poll | None = None
    leave: Leave | None = None

    def notices_after_s(self, age_s: float) -> float:
        """How late the end of a job that is so old is seen: half of the pause between its polls."""
        if self.poll is None:
            return 0.0
        return (self.poll.pause_s(age_s) if self.poll.adaptive else self.poll.interval_s) / 2


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a simulated load.

    Attributes:
        due_s: when an open schedule wanted it to start; None in a load of users.
        begun_s, freed_s: when a slot began to work on it, and when that was done, whether or not the user was
            still waiting.
        error_class: why it failed; empty for a success.
        listen_s: how long its user goes on hearing the answer.
        leaves: its listener would have left before the end.
        left: and did; then it is neither a success nor a failure.
    """

    user: int
    phase: str
    start_s: float
    end_s: float
    begun_s: float
    freed_s: float
    due_s: float | None = None
    error_class: str = ""
    listen_s: float = 0.0
    leaves: bool = False
    left: bool = False

    @property
    def completed(self) -> bool:
        return not (self.error_class or self.left)


@dataclass(frozen=True)
class Course:
    """A simulated load: its requests in the order of their starts, and when no more of them could start."""

    requests: list[Request]
    end_s: float

    @property
    def last_end_s(self) -> float:
        """When nothing was in flight any more."""
        return max([self.end_s, *(request.end_s for request in self.requests)])


def simulate(timeline: Timeline, client: Client, service: AssumedService, seed: int = 0) -> Course:
    """One course that the load may take.

    Raises:
        UsageError: more requests than it is sensible to simulate.
    """
    if service.observed:
        client = replace(client, poll=None)
    load = _Load(timeline, client, np.random.default_rng(seed), service)
    requests = list(load.open() if timeline.arrivals is not None else load.closed())
    ended_s = max((request.end_s for request in requests), default=0.0)
    end_s = ended_s if timeline.duration_s == inf else timeline.duration_s
    return Course(requests, end_s)


@dataclass
class _Load:
    timeline: Timeline
    client: Client
    rng: np.random.Generator
    service: AssumedService
    queue: Queue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = Queue(self.service, self.rng)
        self._made = 0
        self._leave_shares = {phase.name: phase.leave_share for phase in self.timeline.phases}

    def closed(self) -> Iterator[Request]:
        """Users who wait for their answers.

        In the heap are the moments at which a user looks whether it may start; with a pause before requests
        it looks once before the pause and once after it, as it does at the gate.
        """
        think, tickets = self.client.think, _Tickets(self.timeline)
        looks = [(0.0, user, False) for user in range(self.timeline.max_users)]
        while looks:
            now_s, user, has_thought = heapq.heappop(looks)
            if not tickets.reserve(user):
                continue
            place, may_s = _allowed_from(self.timeline, user, now_s)
            if may_s == inf:
                continue
            if may_s > now_s:
                heapq.heappush(looks, (may_s, user, False))
            elif think is not None and not has_thought:
                pause_s = self.rng.uniform(think.min_s, think.max_s)
                heapq.heappush(looks, (now_s + pause_s, user, True))
            else:
                tickets.use(user)
                request = self._request(user, self.timeline.phases[place].name, now_s)
                yield request
                heapq.heappush(looks, (request.end_s + self._rests_s(request), user, False))

    def open(self) -> Iterator[Request]:
        """Arrivals of a schedule, each started by the hand that is free first; with none free it is late."""
        timeline = self.timeline
        free = [(0.0, hand) for hand in range(timeline.max_users)]
        for number in range(timeline.arrivals or 0):
            index, due_s = timeline.arrival(number)
            free_s, hand = _take_hand(free, timeline.phases[index].users)
            start_s, phase = max(due_s, free_s), timeline.phases[index].name
            if start_s < timeline.duration_s:
                request = self._request(hand, phase, start_s, due_s)
                heapq.heappush(free, (request.end_s + self.service.between_s, hand))
            else:
                end_s = timeline.duration_s
                request = Request(hand, phase, end_s, end_s, end_s, end_s, due_s, NOT_STARTED)
                heapq.heappush(free, (free_s, hand))
            yield request

    def _request(self, user: int, phase: str, start_s: float, due_s: float | None = None) -> Request:
        self._made += 1
        if self._made > MOST_REQUESTS:
            raise UsageError(
                f"this load is more than {MOST_REQUESTS} requests, which is more than a plan simulates",
                remedy="plan a shorter one: --set scenarios.NAME.shape.duration=10min",
            )
        served = self.queue.serve(start_s)
        end_s = served.ended_s + self.client.notices_after_s(served.ended_s - start_s)
        if end_s >= start_s + self.client.limit_s:
            end_s, error_class = start_s + self.client.limit_s, "timeout"
        else:
            error_class = "failed" if served.failed else ""
        leaves_s = self._leaves_after_s(phase)
        gone_s = min(start_s + leaves_s, self.timeline.next_walkout_s(start_s))
        left = gone_s < end_s
        if left:
            end_s, error_class = gone_s, ""
        worked = served.begun_s, served.ended_s
        leaves = leaves_s < inf
        return Request(
            user, phase, start_s, end_s, *worked, due_s, error_class, served.listen_s, leaves, left
        )

    def _leaves_after_s(self, phase: str) -> float:
        """How long after its start a request's listener leaves by itself; `inf`: never."""
        leave, own = self.client.leave, self._leave_shares[phase]
        if leave is None or self.rng.random() >= (leave.share if own is None else own):
            return inf
        return float(self.rng.uniform(leave.after.min_s, leave.after.max_s))

    def _rests_s(self, request: Request) -> float:
        """From the end of a request until its user looks whether it may start the next one."""
        if request.error_class:
            return self.client.failure_pause_s + self.service.between_s
        heard_s = 0.0 if request.left else request.listen_s
        return max(heard_s, self.service.between_s)


class _Tickets:
    """Of a load that counts its requests: who may have one. A user has its ticket before it thinks."""

    def __init__(self, timeline: Timeline) -> None:
        self._left = inf if timeline.iterations is None else timeline.iterations
        self._each = inf if timeline.per_user is None else timeline.per_user
        self._of_user: Counter[int] = Counter()
        self._holding: set[int] = set()

    def reserve(self, user: int) -> bool:
        """Whether there is something for this user to do, which is its own from now on."""
        if user not in self._holding:
            if self._left <= 0 or self._of_user[user] >= self._each:
                return False
            self._left -= 1
            self._of_user[user] += 1
            self._holding.add(user)
        return True

    def use(self, user: int) -> None:
        self._holding.discard(user)


def _take_hand(free: list[tuple[float, int]], hands: int) -> tuple[float, int]:
    """Of the first `hands`, the one that is free first; it is taken out."""
    aside = []
    while (first := heapq.heappop(free))[1] >= hands:
        aside.append(first)
    for each in aside:
        heapq.heappush(free, each)
    return first


def _allowed_from(timeline: Timeline, user: int, now_s: float) -> tuple[int, float]:
    """The phase in which, and the first moment from `now_s` on at which, this user may start; `inf` if it may
    never again.
    """
    first = timeline.index_at(now_s)
    if first is not None:
        for index in range(first, len(timeline.phases)):
            begins_s = timeline.start_s(index)
            into_s = _allowed_into(timeline.phases[index], user, max(now_s - begins_s, 0.0))
            if into_s < inf:
                # The sum may be rounded to a moment that is just not yet in the phase.
                return index, max(now_s, begins_s + into_s)
    return -1, inf


def _allowed_into(phase: Phase, user: int, into_s: float) -> float:
    """The same of one phase, in seconds since it began."""
    if phase.target(into_s) > user:
        return into_s
    if phase.users_from is None or phase.duration_s is None or phase.users <= user:
        return inf
    # A ramp upwards: the user comes in when the target has reached its number.
    comes_s = phase.duration_s * (user + 1 - phase.users_from) / (phase.users - phase.users_from)
    while phase.target(comes_s) <= user:
        comes_s = nextafter(comes_s, inf)
    return comes_s if comes_s < phase.duration_s else inf
