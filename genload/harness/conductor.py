"""Leads a load through the levels of a search for a capacity: what it decides is recorded before it happens.

Decisions use what is observed while the load runs, exactly. What has not ended when a level is over counts
as unfinished; the verdict looks at the run directory alone, and so at what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING

from genload.analysis.capacity.search import Bracket, End, Outcome, Rules, Seen, highest_next, next_level
from genload.errors import ServiceUnavailableError
from genload.harness.announcement import Announcement, Why
from genload.harness.crew import Crew
from genload.harness.live import LiveStats
from genload.harness.plan import RunPlan
from genload.harness.totals import Totals
from genload.human import count_of, human
from genload.runlog.records import Acknowledged, Announced, Event, LevelEnded, RequestRecord, SearchEnded
from genload.settings.capacity import Capacity
from genload.settings.criteria.ast import Dimension, Each, Expression
from genload.settings.criteria.comparisons import observed, of_phase
from genload.settings.phases import Timeline

if TYPE_CHECKING:
    from genload.analysis.capacity.levels import Level

AHEAD_S = 0.1
"""At least so long before its phases an announcement is made."""

LOOK_S = 0.05
"""So long it is between two of its steps."""

_LOOKS_S = 2 * LOOK_S  # so much earlier than it must, it decides whether to go on measuring


class _Stage(Enum):
    MEASURING = "measuring"
    ENDING = "ending"  # the load stays as it is until the measured requests have ended
    RESTING = "resting"  # nothing begins, until nothing is in flight any more


class Conductor:
    """Of one run.

    Args:
        plan: with a capacity.
        live: what is counted so far.
        tell: takes each event for the record.
        go_by: takes the timeline each time that it has changed.
        clock: monotonic seconds.

    Attributes:
        seen: the levels that have ended.
        number: of the level at work, from 1; 0 before the load.
        value: of it: users, or requests a second.
        end: why the search is over; None while it goes on.
    """

    def __init__(
        self,
        plan: RunPlan,
        crew: Crew,
        live: LiveStats,
        tell: Callable[[Event], None],
        go_by: Callable[[Timeline], None],
        clock: Callable[[], float],
    ) -> None:
        # Here, not above, and before any load: numpy, which it needs, takes a third of a second to import.
        from genload.analysis.capacity.levels import levels_of, unsound

        self._levels_of, self._unsound = levels_of, unsound
        assert plan.scenario.capacity is not None  # noqa: S101  whoever makes one has looked
        self.search: Capacity = plan.scenario.capacity
        self._rules = Rules.of(self.search)
        self._plan, self._crew, self._live, self._clock = plan, crew, live, clock
        self._tell, self._go_by = tell, go_by
        self._lead_s = max(crew.lead_s, AHEAD_S)
        self.seen: list[Seen] = []
        self.number, self.value = 0, self.search.lowest
        self.end: End | None = None
        self._timeline = plan.timeline
        self._origin_s = self._start_s = inf  # of the load, on the clock and since the run began
        self._announced: list[Announced] = []
        self._heard: Mapping[str, int] = {}
        self._events: list[Event] = []  # of this level's time
        self._warmed: list[RequestRecord] = []
        self._stage = _Stage.MEASURING
        self._measured_s = 0.0
        self._measured_until_s = self._rests_until_s = inf  # since the load began
        self._open_with: tuple[int, int] | None = None  # (ended, not ended): the outcome depended on these

    def warmed(self, record: RequestRecord) -> None:
        """A request before the load has ended."""
        self._warmed.append(record)

    def see_warm(self) -> None:
        """See that there is a capacity to look for.

        Raises:
            ServiceUnavailableError: the service answered none of the requests before the load.
        """
        if self._warmed and all(record.outcome != "ok" for record in self._warmed):
            last = self._warmed[-1]
            raise ServiceUnavailableError(
                f"the service is full, or broken, before any load: none of the {len(self._warmed)} requests "
                f"of the warm-up succeeded ({last.error_class}: {last.error})",
                remedy="let nobody else use it meanwhile; `genload try` shows one request in full",
            )

    def begin(self, origin_s: float, start_s: float) -> None:
        """The load begins with the first level, at `origin_s` on the clock, `start_s` after the run."""
        self._origin_s, self._start_s = origin_s, start_s
        self._begin_level(0.0)
        self._record(0.0, "level", 0, [])  # nobody has to be told: it is the plan

    def note(self, event: Event) -> None:
        """Something of the load generator itself, by which a level may be unsound."""
        self._events.append(event)

    @property
    def told(self) -> str:
        """Which level is at work, and the bracket so far, for those who watch."""
        unit = Dimension.COUNT if self.search.is_whole else Dimension.RATE
        name = count_of(int(self.value), "user") if self.search.is_whole else human(self.value, unit)
        bracket = Bracket.trusted(self.seen)
        so_far = [f"holds {human(bracket.holds, unit)}"] if bracket.holds is not None else []
        so_far += [f"not {human(bracket.fails, unit)}"] if bracket.fails is not None else []
        level = f"draining before {name}" if self._stage is _Stage.RESTING else f"level {self.number}, {name}"
        return level + (f" (so far: {', '.join(so_far)})" if so_far else "")

    def of_level(self, name: str) -> Expression:
        """A criterion as it is judged now: of the level at work, where it is one that must hold there."""
        expression = self._plan.scenario.criteria[name].expression
        if name not in self.search.holds or isinstance(expression, Each):
            return expression
        return of_phase(expression, self._phase)

    @property
    def users_ahead(self) -> int:
        """Users that the level after this one may need."""
        if not self.search.is_whole or self.end is not None:
            return self.search.most_users
        return int(highest_next(self._rules, self.seen, self.value))

    def step(self) -> bool:
        """Look, and do what is due; whether the search is over."""
        into_s = self._clock() - self._origin_s
        self._note_acknowledged()
        if self._stage is _Stage.MEASURING:
            self._measure(into_s)
        elif self._stage is _Stage.ENDING and (self._is_in(into_s) or self._is_sure(into_s)):
            self._decide(into_s)
        elif self._stage is _Stage.RESTING and self._is_empty(into_s):
            self._next_level(into_s)
        return self.end is not None

    # ---- one level

    def _begin_level(self, at_s: float) -> None:
        self.number += 1
        step = self.search.step
        self._stage, self._measured_s, self._events = _Stage.MEASURING, step.measure_s, []
        self._measured_until_s = at_s + step.settle_s + step.measure_s

    def _measure(self, into_s: float) -> None:
        left_s, step = self._measured_until_s - into_s, self.search.step
        if left_s > self._lead_s + _LOOKS_S:
            return
        too_few = self._totals.attempted < step.at_least
        if too_few and self._measured_s + step.measure_s <= step.longest_s * (1 + 1e-9):
            self._announce(self._measured_until_s, "longer")
            self._measured_until_s += step.measure_s
            self._measured_s += step.measure_s
        elif left_s <= 0:
            self._stage = _Stage.ENDING

    def _is_in(self, into_s: float) -> bool:
        """Whether the measured requests have ended, or are not waited for any longer."""
        until_s, status = self._measured_until_s, self._crew.status()
        is_seen = status.at_s - self._origin_s >= until_s
        return (is_seen and status.users.oldest_s >= until_s) or into_s >= until_s + self.search.step.ending_s

    def _is_sure(self, into_s: float) -> bool:
        """Whether they have been waited for as long as is usual, and the others cannot change the outcome."""
        if into_s < self._measured_until_s + self.search.step.waiting_s:
            return False
        numbers = self._totals.attempted, self._unended
        if numbers == self._open_with:
            return False
        is_sure = self._observed(0)[0] == self._observed(numbers[1])[0]
        self._open_with = None if is_sure else numbers
        return is_sure

    def _decide(self, into_s: float) -> None:
        outcome, why = self._outcome()
        self.seen.append(Seen(self.value, outcome))
        t_s = self._start_s + into_s
        self._tell(LevelEnded(t_s=t_s, level=self.number, value=self.value, outcome=outcome, why=why))
        following = next_level(self._rules, self.seen)
        if isinstance(following, End):
            self.end = following
            self._timeline = self._timeline.changed(into_s, ())
            self._record(into_s, "end", len(self._timeline.phases) - 1, [])
            self._tell(SearchEnded(t_s=t_s, end=following.value))
            return
        self.value = following
        if self.search.drain:
            self._rest(into_s)
        else:
            self._next_level(into_s)

    def _rest(self, into_s: float) -> None:
        at_s, length_s = into_s + self._lead_s, self._plan.service.timeout_s
        self._announce(at_s, "rest", length_s)
        self._stage, self._rests_until_s = _Stage.RESTING, at_s + length_s - self._lead_s - _LOOKS_S

    def _is_empty(self, into_s: float) -> bool:
        status = self._crew.status()
        empty = status.heard and status.users.in_flight == 0 and into_s >= self._announced[-1].at_s
        return empty or into_s >= self._rests_until_s

    def _next_level(self, into_s: float) -> None:
        at_s = into_s + self._lead_s
        self._begin_level(at_s)
        self._announce(at_s, "level")

    # ---- announcements

    def _announce(self, at_s: float, why: Why, length_s: float = 0.0) -> None:
        number, level = len(self._announced) + 1, self.number
        told = Announcement(
            number=number, at_s=at_s, level=level, value=self.value, why=why, length_s=length_s
        )
        before, self._timeline = self._timeline, told.changed(self._timeline, self.search, self._plan.seed)
        same = zip(before.phases, self._timeline.phases, strict=False)
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], same))
        self._record(at_s, why, kept, list(self._crew.acknowledged()))
        self._crew.announce(told)
        self._go_by(self._timeline)
        self._note_acknowledged()

    def _record(self, at_s: float, why: str, kept: int, to: list[str]) -> None:
        event = Announced(
            t_s=self._clock() - self._origin_s + self._start_s,
            number=len(self._announced) + 1,
            at_s=at_s,
            kept=kept,
            phases=[phase.recorded() for phase in self._timeline.phases[kept:]],
            level=self.number,
            value=self.value,
            why=why,
            to=to,
        )
        self._announced.append(event)
        self._tell(event)

    def _note_acknowledged(self) -> None:
        before, self._heard = self._heard, self._crew.acknowledged()
        for source, number in self._heard.items():
            if number > before.get(source, 0):
                t_s = self._clock() - self._origin_s + self._start_s
                event = Acknowledged(t_s=t_s, source=source, number=number)
                self._events.append(event)
                self._tell(event)

    # ---- its outcome

    @property
    def _phase(self) -> str:
        return f"level{self.number}"

    @property
    def _totals(self) -> Totals:
        """Of the level's requests that have ended."""
        return self._live.phases.get(self._phase) or Totals()

    def _outcome(self) -> tuple[Outcome, str]:
        """What is observed of the level, and why where it does not hold."""
        plan = self._plan
        unsound = self._unsound(self._level, self._events, self._start_s, plan.suite.validity, plan.scenario)
        if unsound:
            return "invalid", unsound[0].text
        return self._observed(self._unended)

    def _observed(self, unended: int) -> tuple[Outcome, str]:
        """By the criteria, if so many requests count as unfinished beside those that have ended."""
        lookup = partial(self._live.lookup, unended=unended)
        for name in self.search.holds:
            seen = observed(self.of_level(name), lookup, self._live.unit)
            if seen.result == "fail":
                return "does not hold", name
            if seen.result == "inconclusive":
                # Where requests began and none has ended, nothing holds.
                if self._unended and not self._totals.attempted:
                    return "does not hold", name
                return "invalid", f"nothing to judge {name} by"
        return "holds", ""

    @property
    def _unended(self) -> int:
        """Requests of the level that have not ended; of an open schedule also those that have not begun."""
        arrivals = self._level.arrivals
        if arrivals is None:
            return self._crew.status().users.earlier
        return max(arrivals - self._totals.attempted - self._totals.left, 0)

    @property
    def _level(self) -> Level:
        return self._levels_of(self._announced, self._timeline, self._start_s)[-1]
