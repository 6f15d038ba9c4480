"""The plan of one scenario: what its load comes to, and what becomes of its criteria."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genload import extensions
from genload.analysis.judged.capacity import Capacity
from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.changes import Changes
from genload.analysis.plan.figures import JOB, SPEECH, Figures, Weights, figures
from genload.analysis.plan.outlook import CriterionOutlook, Judge, Outlook, outlook
from genload.analysis.plan.search import Searcher, held_to
from genload.analysis.plan.simulation import Client, Course, simulate
from genload.service import JobClient, ServiceClient
from genload.settings.phases import Timeline
from genload.settings.scenario import Scenario, Span
from genload.settings.scenario_catalogue import request_labels, scenario_catalogue
from genload.settings.service import Service
from genload.settings.suite import GpuHourCost, Suite
from genload.settings.wing_models import ShapeSettings
from genload.steadiness import LEAST_VALUES

MOST_RUNS = 9
SPOKEN_S = 0.065
"""A character of English that is read aloud, where no run tells how long answers are."""
_TEXTS = 512
_A_PLAN = 20_000  # requests of all simulated runs of a scenario together, unless one alone has more


@dataclass(frozen=True, slots=True)
class ScenarioPlan:
    """One scenario before it is run.

    Attributes:
        figures: of the simulated run that stands in the middle of all.
        runs: how many were simulated; 1 where nothing is drawn, or one alone is large.
        searches: of a search for a capacity, what each of them found, the smallest capacity first.
    """

    name: str
    figures: Figures
    runs: int
    criteria: tuple[CriterionOutlook, ...]
    price: GpuHourCost | None
    searches: tuple[Capacity, ...] = ()

    @property
    def search(self) -> Capacity | None:
        """Of a search for a capacity, what the simulated run in the middle found."""
        return self.searches[len(self.searches) // 2] if self.searches else None

    @property
    def cost(self) -> float | None:
        """Of one GPU for this time; None where it has no price."""
        return None if self.price is None else self.price.amount * self.figures.duration_s / 3600

    @property
    def lost(self) -> list[CriterionOutlook]:
        """The criteria that must hold and cannot."""
        return [each for each in self.criteria if each.criterion.must and each.outlook is Outlook.CANNOT]


def plan_scenario(suite: Suite, name: str, service: AssumedService, seed: int = 0) -> ScenarioPlan:
    """Simulate one scenario of a suite against an assumed service, and judge its criteria.

    Raises:
        UsageError: more requests than it is sensible to simulate.
        ConfigError: a wing file that is not there.
    """
    wings = extensions.Wings()
    scenario, asked = suite.scenarios[name], suite.service_of(name)
    timeline = wings.timeline(scenario.shape)
    client_class: type[ServiceClient] = extensions.attribute("services", asked.api, "Client")
    client = client_of(client_class, asked, scenario, timeline)
    service = _listened(service, asked, scenario)
    judge = Judge(
        scenario_catalogue(suite, name, wings),
        client_class.operation,
        request_labels(suite, name, timeline, wings),
        suite.goodput_of(name),
        suite.validity.min_coverage,
    )
    told = _Told(
        name,
        suite,
        service.slots,
        _warmup_s(scenario, client, service),
        timeline.max_users,
        JOB if issubclass(client_class, JobClient) else SPEECH,
    )
    if scenario.capacity is not None:
        search = held_to(scenario, judge, name)
        searcher = Searcher(search, scenario, suite.validity, client, judge, suite.seed)
        return _plan_of_search(told, searcher, service, seed)
    loads = list(_loads(wings, scenario.shape, suite.seed, client, service, seed))
    courses = [course for _, course in loads]
    runs = [judge.measures(timeline, course) for timeline, course in loads]
    edges = [
        judge.measures(each, course)
        for each in {id(drawn): drawn for drawn, _ in loads}.values()
        for course in _edges(each, client, service, seed)
    ]
    changes = Changes(loads[0][0], client, service, judge, len(courses[0].requests), seed)
    found = [outlook(each, criterion, judge, runs, edges) for each, criterion in scenario.criteria.items()]
    middle = sorted(courses, key=lambda course: len(course.requests))[len(courses) // 2]
    return told.plan(middle, len(courses), [replace(each, changes=changes.of(each)) for each in found])


def _plan_of_search(told: _Told, searcher: Searcher, service: AssumedService, seed: int) -> ScenarioPlan:
    """What levels are held to is said of them alone; the other criteria are said of the whole search."""
    scenario, judge = searcher.scenario, searcher.judge
    first = searcher.course(service, seed)
    searches = [first]
    is_drawn = not searcher.search.is_whole or not service.is_constant or _is_drawn(searcher.client.think)
    if is_drawn or searcher.client.leave is not None:
        runs = min(MOST_RUNS, _A_PLAN // max(len(first.course.requests), 1))
        searches += [searcher.course(service, number) for number in range(seed + 1, seed + runs)]
    edges = [] if service.is_constant else [searcher.course(service.fastest(), seed).measures]
    measured = [each.measures for each in searches]
    criteria = [
        outlook(each, criterion, judge, measured, edges)
        for each, criterion in scenario.criteria.items()
        if each not in searcher.search.holds
    ]
    searches.sort(key=lambda each: (each.found.highest_observed or 0.0, len(each.course.requests)))
    middle = searches[len(searches) // 2]
    return replace(
        told.plan(middle.course, len(searches), criteria), searches=tuple(each.found for each in searches)
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What every plan of a scenario says beside its simulated loads."""

    name: str
    suite: Suite
    slots: int
    warmup_s: float
    users: int
    weights: Weights

    def plan(self, middle: Course, runs: int, criteria: Sequence[CriterionOutlook]) -> ScenarioPlan:
        intervals_s = [monitor.interval_s for monitor in self.suite.monitors.values()]
        return ScenarioPlan(
            name=self.name,
            figures=figures(middle, self.slots, self.warmup_s, self.users, self.weights, intervals_s),
            runs=runs,
            criteria=tuple(criteria),
            price=self.suite.gpu_hour_cost,
        )


def client_of(
    client_class: type[ServiceClient], service: Service, scenario: Scenario, timeline: Timeline
) -> Client:
    """What this scenario's users do; in an open schedule they are hands, and have no pauses."""
    polls = issubclass(client_class, JobClient) and not client_class(service).one_call
    limit_s = service.timeout_s
    if not issubclass(client_class, JobClient):  # silent until it answers
        limit_s = min(limit_s, service.receive_timeout_s)
    poll = service.poll if polls else None
    if timeline.arrivals is not None:
        return Client(limit_s=limit_s, poll=poll, leave=scenario.leave)
    return Client(scenario.think, scenario.failure_pause_s or 0.0, limit_s, poll, scenario.leave)


def _listened(service: AssumedService, asked: Service, scenario: Scenario) -> AssumedService:
    """With how long users listen to each answer; to none, where the scenario does not pace them by that."""
    if scenario.pace is None:
        return replace(service, listens_s=None)
    if service.listens_s is not None:
        return service
    # Here, not above: nothing else of a plan needs the texts themselves.
    from genload.artifacts.inputs.texts import TextSource
    from genload.drivers.speech_driver import request_of

    request = request_of(asked)
    source = TextSource(request.texts, request.voices, seed=0, salt="")
    characters = np.array([len(source.utterance(number).text) for number in range(_TEXTS)])
    which = np.arange(_TEXTS) % len(service.times_s)
    return replace(
        service,
        times_s=service.times_s[which],
        failed=service.failed[which],
        listens_s=SPOKEN_S * characters / request.speed,
    )


def _loads(
    wings: extensions.Wings,
    shape: ShapeSettings,
    of_suite: int | None,
    client: Client,
    service: AssumedService,
    seed: int,
) -> Iterator[tuple[Timeline, Course]]:
    """Loads that the scenario may come to, each with its timeline: one where nothing is drawn."""

    def timeline(number: int) -> Timeline:
        return wings.timeline(shape.of_run(number if of_suite is None else of_suite))

    planned = timeline(seed)
    first = simulate(planned, client, service, seed)
    yield planned, first
    is_drawn = of_suite is None and shape.of_run(0) != shape.of_run(1)
    if is_drawn or not service.is_constant or _is_drawn(client.think) or client.leave is not None:
        runs = min(MOST_RUNS, _A_PLAN // max(len(first.requests), 1))
        for number in range(seed + 1, seed + runs):
            each = timeline(number) if is_drawn else planned
            yield each, simulate(each, client, service, number)


def _edges(timeline: Timeline, client: Client, service: AssumedService, seed: int) -> Iterator[Course]:
    """The most extreme courses: pauses at their shortest, and at their longest; the service at its best."""
    clients = [client]
    if client.think is not None and _is_drawn(client.think):
        clients = [
            replace(client, think=Span(min_s=limit, max_s=limit))
            for limit in (client.think.min_s, client.think.max_s)
        ]
    elif service.is_constant:
        return
    for each in clients:
        yield simulate(timeline, each, service if service.is_constant else service.fastest(), seed)


def _is_drawn(think: Span | None) -> bool:
    return think is not None and think.min_s < think.max_s


def _warmup_s(scenario: Scenario, client: Client, service: AssumedService) -> float:
    late_s = 0.0 if service.observed else client.notices_after_s(service.mean_s)
    think_s = 0.0 if client.think is None else (client.think.min_s + client.think.max_s) / 2
    cold = scenario.idle_s is not None
    # Which at rest as early as it can be told, since a plan's service has no beginning.
    warmups = scenario.warmup.jobs
    if scenario.warmup.until is not None:
        warmups = max(warmups, LEAST_VALUES)
    requests_s = (warmups + cold) * (service.mean_s + late_s + think_s + service.between_s)
    return requests_s + (scenario.idle_s or 0.0)
