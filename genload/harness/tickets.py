"""What there is to do, one ticket a request: numbered through all processes, each handed out once.

Who may *use* a ticket, and when, is the gate's business; there is no clock in here.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import msgspec

from genload.settings.phases import Timeline

WARMUP, COLD = "warmup", "cold"
"""The phases of requests before the load: the warm-up, and the one behind a time without any."""


@dataclass(frozen=True, slots=True)
class Share:
    """This process's part of the load: user i here is number ``i * of + rank`` of all."""

    rank: int = 0
    of: int = 1

    def number(self, index: int) -> int:
        return index * self.of + self.rank

    def count(self, total: int) -> int:
        """How many of `total` fall to this process."""
        return len(range(self.rank, total, self.of))


class Ticket(msgspec.Struct, frozen=True):  # made in C: every request has one
    """One request to start.

    Attributes:
        number: of the request in the run, of an open schedule the arrival's; negative in the warm-up.
        phase: where it belongs, of an open schedule however late it starts; before the load `WARMUP` or
            `COLD`; "" where its start decides.
        due_s: of an open schedule: when it is to start, in seconds since the load began.
    """

    number: int
    phase: str = ""
    due_s: float | None = None


class Tickets:
    """The tickets of one process for one run.

    In the order of their numbers, so that whoever is free takes the arrival that is due next; one that was
    given back comes before all later ones.
    """

    def __init__(
        self, timeline: Timeline, share: Share, warmups: int = 0, *, cold_start: bool = False
    ) -> None:
        self._share = share
        self._follow(timeline)
        self._made = 0  # of the load's tickets, those that were handed out at least once
        self._returned: list[int] = []  # a heap of numbers
        self._of_user: Counter[int] = Counter()
        self._warmups_left = warmups if share.rank == 0 else 0
        self._cold_left = cold_start and share.rank == 0
        self._made_before = 0  # the load

    def _follow(self, timeline: Timeline) -> None:
        share = self._share
        self._timeline, self._numbers, self._limit = timeline, share, inf
        self._scheduled, self._per_user = timeline.arrivals is not None, timeline.per_user
        # Users of this process who may have tickets: of all phases, and of each one of an open schedule.
        self._users = share.count(timeline.max_users) if timeline.phases else 0
        self._hands = [share.count(phase.users) for phase in timeline.phases]
        planned = timeline.arrivals if self._scheduled else timeline.iterations
        self._planned = inf if planned is None else planned
        self._endless = planned is None and timeline.per_user is None
        if planned is not None:
            # A process without a user, of more processes than users, has nobody to do its part.
            busy = min(share.of, *(phase.users for phase in timeline.phases))
            self._numbers = Share(share.rank, busy)
            self._limit = self._numbers.count(planned) if share.rank < busy else 0

    def change(self, timeline: Timeline) -> None:
        """Go by another timeline. Of an open schedule, a number is now the other one's arrival."""
        self._follow(timeline)

    def of_number(self, number: int) -> Ticket:
        """The ticket of that number as it is now; one that there is no arrival for is due never."""
        if not self._scheduled:
            return Ticket(number)
        if number >= self._planned:
            return Ticket(number, due_s=inf)
        index, due_s = self._timeline.arrival(number)
        return Ticket(number, self._timeline.phases[index].name, due_s)

    def take(self, index: int) -> Ticket | None:
        """The next ticket for user `index` of this process; None when there is none (any more) for it."""
        if index == 0 and self.before_left:  # of the first process alone
            return self._before()
        if self._endless and not self._returned:  # as in nearly all loads of users: nothing to look up
            if index >= self._users:
                return None
            made = self._made
            self._made = made + 1
            return Ticket(self._numbers.number(made))
        per_user = self._per_user
        if not self.left or (per_user is not None and self._of_user[index] >= per_user):
            return None
        ticket, users = self._next()
        if index >= users:
            return None
        self._hand_out(ticket)
        if per_user is not None:
            self._of_user[index] += 1
        return ticket

    def give_back(self, index: int, ticket: Ticket) -> None:
        """User `index` will not use it; somebody else may."""
        if ticket.number < 0:
            self._made_before -= 1
            self._cold_left |= ticket.phase == COLD
            self._warmups_left += ticket.phase == WARMUP
        else:
            if self._per_user is not None:
                self._of_user[index] -= 1
            heapq.heappush(self._returned, ticket.number)

    def end_warmup(self) -> None:
        """What is left of the warm-up is not done any more."""
        self._warmups_left = 0

    def end_before(self) -> None:
        """Nothing that was to come before the load is done any more."""
        self._warmups_left, self._cold_left = 0, False

    @property
    def before_left(self) -> int:
        """How many requests are to come before the load: of the warm-up, and the cold start."""
        return self._warmups_left + self._cold_left

    @property
    def left(self) -> bool:
        """Whether there are tickets of the load that nobody has had, or that were given back."""
        return self._made < self._limit or self._again

    @property
    def _again(self) -> bool:
        return bool(self._returned) and self._returned[0] < self._planned

    @property
    def next_due_s(self) -> float:
        """Of an open schedule: when the first arrival is due that nobody has; inf: there is none."""
        due_s = self._next()[0].due_s if self._scheduled and self.left else None
        return inf if due_s is None else due_s

    def unclaimed(self, until_s: float) -> Iterator[Ticket]:
        """Hand out what of an open schedule is due by `until_s`, in seconds since the load began."""
        while self.left:
            ticket, _ = self._next()
            if ticket.due_s is None or ticket.due_s > until_s:
                return
            self._hand_out(ticket)
            yield ticket

    def _before(self) -> Ticket:
        """The next one before the load; there is one."""
        self._made_before += 1
        if self._warmups_left:
            self._warmups_left -= 1
            return Ticket(-self._made_before, WARMUP)
        self._cold_left = False
        return Ticket(-self._made_before, COLD)

    def _next(self) -> tuple[Ticket, int]:
        """The ticket that comes next, and how many users there are here for its like."""
        number = self._returned[0] if self._again else self._numbers.number(self._made)
        if not self._scheduled:
            return Ticket(number), self._users
        return self.of_number(number), self._hands[self._timeline.arrival(number)[0]]

    def _hand_out(self, ticket: Ticket) -> None:
        if self._returned and self._returned[0] == ticket.number:
            heapq.heappop(self._returned)
        else:
            self._made += 1
