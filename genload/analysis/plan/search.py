"""The course of a search for a capacity: level after level, each simulated behind those before it.

Which level comes next is decided by the very rules of a run (`analysis.capacity.search`), and what the levels
say together by the code that reads runs (`analysis.capacity.answer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genload.analysis.capacity.answer import as_estimate, capacity_of
from genload.analysis.capacity.search import End, Outcome, Rules, Seen, next_level
from genload.analysis.evaluate import judge_expression
from genload.analysis.judged.capacity import Capacity as Found
from genload.analysis.observe import Measures
from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.outlook import Judge
from genload.analysis.plan.simulation import Client, Course, Request, simulate
from genload.analysis.verdict import judged_criterion
from genload.errors import UsageError
from genload.runlog.records import Announced, ClientHealth, Event, LevelEnded, SearchEnded, Users
from genload.settings.capacity import ENDING_S, Capacity
from genload.settings.criteria.ast import Each
from genload.settings.criteria.comparisons import of_phase
from genload.settings.phases import Timeline
from genload.settings.scenario import Scenario
from genload.settings.suite import Validity


@dataclass(frozen=True, slots=True)
class SearchCourse:
    """One simulated search: its whole load, what it is measured on, and what it found."""

    timeline: Timeline
    course: Course
    measures: Measures
    found: Found


def held_to(scenario: Scenario, judge: Judge, name: str) -> Capacity:
    """A scenario's search, held to what a plan says something about; the other criteria are taken to hold.

    Raises:
        UsageError: a level would be held to nothing.
    """
    search = scenario.capacity
    assert search is not None  # noqa: S101  whoever asks has looked
    known = [each for each in search.holds if not judge.is_silent(scenario.criteria[each].expression)]
    if not known:
        raise UsageError(
            f"{name}: a plan says nothing about what a level is held to: {', '.join(search.holds)}",
            remedy="hold it to a duration or an error rate: "
            f"--set scenarios.{name}.criteria.soon='…' --set scenarios.{name}.capacity.holds=[soon]",
        )
    return search.model_copy(update={"holds": tuple(known)})


@dataclass(frozen=True)
class Searcher:
    """Simulates searches of one scenario.

    Args:
        search: what it goes by, as `held_to` gives it.
        of_suite: the seed of its arrivals, where the suite says one; None: each search draws its own.
    """

    search: Capacity
    scenario: Scenario
    limits: Validity
    client: Client
    judge: Judge
    of_suite: int | None = None

    def arrivals_of(self, seed: int) -> int:
        """The seed of the arrivals of a search whose times are drawn by `seed`."""
        return seed if self.of_suite is None else self.of_suite

    def course(self, service: AssumedService, seed: int) -> SearchCourse:
        """One search, from its lowest level to its end.

        Raises:
            UsageError: more requests than it is sensible to simulate.
        """
        rules, search = Rules.of(self.search), self.search
        callers = self.arrivals_of(seed)
        timeline = Timeline(search.phases(1, rules.lowest, callers), later=search.largest)
        seen, events, begins_s = list[Seen](), list[Event](), 0.0
        following: float | End = rules.lowest
        while not isinstance(following, End):
            number = len(seen) + 1
            level = _Level(self, service, seed, number, following, begins_s, timeline)
            at_s, timeline, outcome = level.ended()
            seen.append(Seen(following, outcome))
            events += self._told(level, at_s, outcome)
            following = next_level(rules, seen)
            if isinstance(following, End):
                events.append(SearchEnded(t_s=at_s, end=following.value))
                timeline = timeline.changed(at_s, ())
            else:
                begins_s, timeline = level.rested(at_s) if search.drain else (at_s, timeline)
                timeline = timeline.changed(begins_s, search.phases(number + 1, following, callers))
        return self._read(timeline, simulate(timeline, self.client, service, seed), events)

    def outcome(self, timeline: Timeline, course: Course, phase: str) -> Outcome:
        """What is observed of a level."""
        measures, results = self.judge.measures(timeline, course), set[str]()
        for name in self.search.holds:
            expression = self.scenario.criteria[name].expression
            assert not isinstance(expression, Each)  # noqa: S101  no suite with one is read
            results.add(judge_expression(of_phase(expression, phase), measures).result)
        if "fail" in results:
            return "does not hold"
        return "invalid" if "inconclusive" in results else "holds"

    def _told(self, level: _Level, at_s: float, outcome: Outcome) -> Sequence[Event]:
        """The level as a run would have recorded it, with a load generator that does nothing wrong."""
        users = 0 if not self.search.is_whole else int(level.value)
        announced = Announced(
            t_s=level.begins_s,
            number=level.number,
            at_s=level.begins_s,
            kept=0,
            phases=[],
            level=level.number,
            value=level.value,
            why="level",
            to=[],
        )
        seen_s = (level.begins_s + level.until_s) / 2
        there = Users(t_s=seen_s, target=users, working=users, in_flight=0, leaving=0)
        well = ClientHealth(t_s=seen_s, source="plan", lags_ms=[0.0], cpu=0.0, rss_bytes=0)
        ended = LevelEnded(t_s=at_s, level=level.number, value=level.value, outcome=outcome)
        return announced, there, well, ended

    def _read(self, timeline: Timeline, course: Course, events: Sequence[Event]) -> SearchCourse:
        measures = self.judge.measures(timeline, course)
        found = capacity_of(
            self.search,
            self.scenario,
            self.scenario.criteria,
            measures,
            events,
            self.limits,
            judged_criterion,
        )
        return SearchCourse(timeline, course, replace(measures, highest_level=as_estimate(found)), found)


class _Level:
    """One level that begins at `begins_s`, behind those of the timeline before it."""

    def __init__(
        self,
        searcher: Searcher,
        service: AssumedService,
        seed: int,
        number: int,
        value: float,
        begins_s: float,
        timeline: Timeline,
    ) -> None:
        self._searcher, self._service, self._seed = searcher, service, seed
        self.number, self.value, self.begins_s = number, value, begins_s
        self._timeline = timeline
        step = searcher.search.step
        self.until_s = begins_s + step.settle_s + step.measure_s
        self._course = self._simulated()

    def ended(self) -> tuple[float, Timeline, Outcome]:
        """When it is decided, the timeline until then, and what is decided."""
        search, measured_s = self._searcher.search, self._searcher.search.step.measure_s
        while self._too_few() and measured_s + search.step.measure_s <= search.step.longest_s * (1 + 1e-9):
            callers = self._searcher.arrivals_of(self._seed)
            again = search.longer(self.number, self.value, callers)
            self._timeline = self._timeline.changed(self.until_s, again)
            self.until_s += search.step.measure_s
            measured_s += search.step.measure_s
            self._course = self._simulated()
        at_s = self._decided_at()
        return at_s, self._timeline, self._seen_at(at_s)

    def rested(self, at_s: float) -> tuple[float, Timeline]:
        """When nothing is in flight any more, if nothing begins from `at_s` on; and the timeline."""
        longest_s = self._searcher.client.limit_s + ENDING_S
        rest = self._searcher.search.rest(self.number, longest_s)
        self._timeline = self._timeline.changed(at_s, (rest,))
        course = self._simulated()
        return max([at_s, *(request.end_s for request in course.requests)]), self._timeline

    @property
    def _own(self) -> list[Request]:
        return [request for request in self._course.requests if request.phase == f"level{self.number}"]

    def _too_few(self) -> bool:
        ended = sum(request.end_s <= self.until_s for request in self._own)
        return ended < self._searcher.search.step.at_least

    def _decided_at(self) -> float:
        """When all of its requests have ended; later ones are waited for only where they could change it."""
        step, last_s = self._searcher.search.step, max([self.until_s, *(r.end_s for r in self._own)])
        usual_s = self.until_s + step.waiting_s
        if last_s <= usual_s or self._seen_at(usual_s) == self._seen_at(last_s):
            return min(last_s, usual_s)
        return min(last_s, self.until_s + step.ending_s)

    def _seen_at(self, at_s: float) -> Outcome:
        """What is observed then: who has not ended counts as unfinished."""
        requests = [
            request if request.end_s <= at_s else replace(request, error_class="unfinished")
            for request in self._course.requests
        ]
        course = replace(self._course, requests=requests)
        return self._searcher.outcome(self._timeline, course, f"level{self.number}")

    def _simulated(self) -> Course:
        return simulate(self._timeline, self._searcher.client, self._service, self._seed)
