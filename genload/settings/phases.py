"""When how many users may start work: the timeline that shape, gate and analysis share.

Pure arithmetic on seconds since the load began (after the warm-up); no clock in here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from math import floor, inf
from typing import Any

RECORDED = (
    "name",
    "duration_s",
    "users",
    "users_from",
    "iterations",
    "per_user",
    "arrivals",
    "rates_per_s",
    "leave_share",
    "all_leave",
)
"""What a run's record has of each phase."""

_HAIR_S = 1e-9
"""What sums of the same durations may differ by."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What one arrival asks for, where a trace says so; "" where it does not.

    Attributes:
        image: the path of a file.
        length: the class of the text's length.
        file, line: where that stands.
    """

    text: str = ""
    voice: str = ""
    length: str = ""
    image: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of load.

    Attributes:
        name: what criteria filter by.
        duration_s: its length; None for a phase that ends when `iterations` requests have ended.
        users: how many users may start work at its end.
        users_from: how many at its beginning, for a linear ramp; None for a constant phase.
        iterations: how many requests the phase makes in all, for a phase without a duration.
        per_user: of them, how many each user makes; None: whoever is free takes the next.
        arrivals: an open schedule: how many requests are due in it, whatever became of those before; users
            are only the hands that start them.
        rates_per_s: of arrivals at random, how many were expected a second, at its beginning and at its end.
        due_s: when each of them is due, in seconds since the phase began, in order; nothing in a phase that
            was read from a run's record, which has their number.
        asks: what each of them asks for; nothing where they all ask for what the suite says.
        leave_share: share of its requests whose listeners leave before the end; None: that of the scenario.
        all_leave: at its end everybody leaves at once, whatever they are in the middle of.
    """

    name: str
    duration_s: float | None
    users: int
    users_from: int | None = None
    iterations: int | None = None
    per_user: int | None = None
    arrivals: int | None = None
    rates_per_s: Sequence[float] | None = None
    due_s: Sequence[float] = field(default=(), repr=False, compare=False)
    asks: Sequence[Ask] = field(default=(), repr=False, compare=False)
    leave_share: float | None = None
    all_leave: bool = False

    def __post_init__(self) -> None:
        if self.arrivals is not None and (not self.duration_s or self.users < 1):
            raise ValueError("an open schedule needs a duration above 0, and a user")

    @property
    def planned(self) -> int | None:
        """How many requests the phase makes in all; None: as many as its users get done."""
        return self.iterations if self.arrivals is None else self.arrivals

    @property
    def interval_s(self) -> float:
        """Of an open schedule: the mean time between two arrivals; 0 for a load of users."""
        return (self.duration_s or 0.0) / self.arrivals if self.arrivals else 0.0

    def recorded(self) -> dict[str, Any]:
        """What a run's record has of it."""
        return {name: getattr(self, name) for name in RECORDED}

    def target(self, into_s: float) -> int:
        """Users that may start work `into_s` seconds after the phase began."""
        if self.users_from is None or not self.duration_s:
            return self.users
        share = min(max(into_s / self.duration_s, 0.0), 1.0)
        return self.users_from + floor((self.users - self.users_from) * share)


@dataclass(frozen=True)  # no slots: its properties are asked for with each request, and kept
class Timeline:
    """Phases one after the other; half-open, so that a boundary belongs to the later phase.

    One that counts its requests stands alone, and open schedules only among themselves: otherwise nobody
    could say which phase a request belongs to that is planned before it starts.

    Attributes:
        later: the largest phase that may be announced while the load goes on; None: there will be no others.

    Raises:
        ValueError: phases that do not go together.
    """

    phases: tuple[Phase, ...]
    later: Phase | None = None

    def __post_init__(self) -> None:
        kinds = {(phase.iterations is not None, phase.arrivals is not None) for phase in self.phases}
        if len(kinds) > 1 or (len(self.phases) > 1 and self.iterations is not None):
            raise ValueError(
                "a phase that counts its requests stands alone, and an open schedule among its like"
            )

    @cached_property
    def ends_s(self) -> tuple[float, ...]:
        """When each phase ends; a phase without a duration never ends by the clock."""
        lengths = (inf if p.duration_s is None else p.duration_s for p in self.phases)
        return tuple(accumulate(lengths))

    @cached_property
    def duration_s(self) -> float:
        """When the load ends by the clock: `inf` for a phase that counts iterations."""
        return max(self.ends_s, default=0.0)

    @cached_property
    def max_users(self) -> int:
        phases = self.phases if self.later is None else (*self.phases, self.later)
        return max(max(p.users, p.users_from or 0) for p in phases)

    @cached_property
    def iterations(self) -> int | None:
        """How many requests the whole timeline makes, when it counts them."""
        counts = [p.iterations for p in self.phases if p.iterations is not None]
        return sum(counts) if counts else None

    @cached_property
    def per_user(self) -> int | None:
        """Of the counted requests, how many each user makes; None: whoever is free takes the next."""
        return next((phase.per_user for phase in self.phases if phase.per_user is not None), None)

    @cached_property
    def arrivals(self) -> int | None:
        """How many requests an open schedule starts in all; None for a load of users."""
        counts = [p.arrivals for p in self.phases if p.arrivals is not None]
        return sum(counts) if counts else None

    @cached_property
    def _arrived(self) -> tuple[int, ...]:
        """How many arrivals are due before each phase, and in all."""
        return tuple(accumulate((phase.arrivals or 0 for phase in self.phases), initial=0))

    def arrival(self, number: int) -> tuple[int, float]:
        """The phase of arrival `number` (from 0) of an open schedule, and when it is due, in seconds since
        the load began.
        """
        index = bisect_right(self._arrived, number) - 1
        return index, self.start_s(index) + self.phases[index].due_s[number - self._arrived[index]]

    def due(self, t_s: float) -> int:
        """How many arrivals of an open schedule are due by `t_s`."""
        return sum(bisect_right(p.due_s, t_s - self.start_s(index)) for index, p in enumerate(self.phases))

    def ask(self, number: int) -> Ask | None:
        """What arrival `number` asks for; None where the suite says it, and for a warm-up's request."""
        return self.asks[number] if 0 <= number < len(self.asks) else None

    @cached_property
    def asks(self) -> Sequence[Ask]:
        """What the arrivals of a trace ask for; nothing in any other load."""
        return tuple(ask for phase in self.phases for ask in phase.asks)

    def changed(self, at_s: float, phases: Sequence[Phase]) -> Timeline:
        """This timeline up to `at_s`, and then other phases.

        Raises:
            ValueError: it is over by then, or phases that do not go together.
        """
        index = self.index_at(at_s)
        if index is None:
            raise ValueError(f"the load has no phase at {at_s:g} s that others could follow")
        kept, begun, into_s = self.phases[:index], self.phases[index], at_s - self.start_s(index)
        if into_s > _HAIR_S:  # at a boundary nothing of the phase that would begin there is left
            due_s = begun.due_s[: bisect_left(begun.due_s, into_s)]
            arrivals = None if begun.arrivals is None else len(due_s)
            kept = (*kept, replace(begun, duration_s=into_s, arrivals=arrivals, due_s=due_s))
        return Timeline((*kept, *phases), self.later)

    def start_s(self, index: int) -> float:
        """When phase `index` begins."""
        return self.ends_s[index - 1] if index else 0.0

    def index_at(self, t_s: float) -> int | None:
        """The phase that holds `t_s`; None before the load and after it."""
        if t_s < 0 or t_s >= self.duration_s:
            return None
        return bisect_right(self.ends_s, t_s)

    def phase_at(self, t_s: float) -> Phase | None:
        index = self.index_at(t_s)
        return None if index is None else self.phases[index]

    def target(self, t_s: float) -> int:
        """Users that may start work at `t_s`; 0 outside the load."""
        index = self.index_at(t_s)
        return 0 if index is None else self.phases[index].target(t_s - self.start_s(index))

    def next_boundary_s(self, t_s: float) -> float:
        """The first phase boundary after `t_s` (`inf` when there is none)."""
        return next((end for end in self.ends_s if end > t_s), inf)

    @cached_property
    def walkouts_s(self) -> tuple[float, ...]:
        """When everybody leaves at once."""
        return tuple(end for phase, end in zip(self.phases, self.ends_s, strict=True) if phase.all_leave)

    def next_walkout_s(self, t_s: float) -> float:
        """The first of these moments after `t_s` (`inf` when there is none)."""
        return next((end for end in self.walkouts_s if end > t_s), inf)

    def user_seconds(self, from_s: float, to_s: float) -> float:
        """The target integrated over [from_s, to_s): what the load owes, for the validity check."""
        total = 0.0
        for index, phase in enumerate(self.phases):
            begin, end = max(self.start_s(index), from_s), min(self.ends_s[index], to_s)
            if end > begin:
                middle = (begin + end) / 2 - self.start_s(index)
                total += phase.target(middle) * (end - begin)
        return total


def steady_load(users: int, duration_s: float, ramp_s: float = 0.0) -> Timeline:
    """A constant load of `duration_s`, which begins with an even ramp from nothing when `ramp_s` is set.

    Raises:
        ValueError: a ramp that leaves no time at full load.
    """
    if ramp_s >= duration_s:
        raise ValueError("the ramp leaves no time at full load: make it shorter than the duration")
    steady = Phase("steady", duration_s - ramp_s, users)
    return Timeline((Phase("ramp", ramp_s, users, users_from=0), steady) if ramp_s else (steady,))
