"""What a plan expects of a load that has been run, from that run's own service times, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from genload import extensions
from genload.analysis.load import load_of
from genload.analysis.log import Log
from genload.analysis.plan import observed_service, plan_scenario
from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.scenario import client_of
from genload.analysis.plan.simulation import Course, simulate
from genload.analysis.populations import parts_of
from genload.runlog.error_classes import NOT_STARTED
from genload.runlog.reader import open_run
from genload.runlog.records import RequestRecord
from genload.settings.loader import load_suite
from genload.settings.suite import Suite


@dataclass(frozen=True)
class BesidePlan:
    """How many requests a plan expects to complete, and how many did.

    Attributes:
        slowest: would, if each request, each pause between two and each user's coming took as long as the
            longest of them in this run, without the users that never came.
        quickest: would, if each request took as long as the quickest.

    A load of users who wait for nobody but the service, which has a slot for each, lies between the two,
    whatever held it up, and wherever: they are all that a plan from pooled times can be wrong by. In an open
    load nothing but what was never started can differ.
    """

    planned: int
    completed: int
    slowest: int
    quickest: int

    @property
    def agrees(self) -> bool:
        """Within one request or 5 %, but for what the machine held up."""
        return abs(self.planned - self.completed) <= max(
            1.0, 0.05 * self.completed, self.quickest - self.slowest
        )


def beside_plan(run: Path, suite: str, *overrides: str, population: str = "") -> BesidePlan:
    """Of a run, or of one of its populations."""
    log: Log = open_run(run)
    folders, wings = extensions.suite_folders(), extensions.Wings()
    asked = load_suite(suite, folders=folders, wings=wings, overrides=overrides).suite
    asked = asked.of_run(log.header.scenario, log.header.seed)  # the run's own schedule, and no other
    requests = [record for record in open_run(run).requests() if record.population == population]
    if population:
        [log] = [part for part in parts_of(log) if part.header.population == population]
        asked = asked.narrowed(log.header.scenario, population)
    name, seed, scale = log.header.scenario, log.header.seed, log.header.time_scale
    service = observed_service([run], log.header.operation, population=population)
    ended = [each for each in requests if each.operation and not each.warmup and each.phase != "cold"]
    completed = [each for each in ended if each.outcome == "ok"]
    planned = plan_scenario(asked, name, service, seed).figures.completed
    if any(each.intended_s is not None for each in ended):
        late = sum(each.error_class == NOT_STARTED for each in ended)
        return BesidePlan(planned, len(completed), planned - late, planned)
    durations_s = [each.duration_s / scale for each in completed]
    users = _by_user(ended)
    gaps_s = [
        (after.start_s - before.start_s - before.duration_s) / scale
        for own in users
        for before, after in pairwise(own)
        if before.phase == after.phase
    ]
    quick = _always(service, min(durations_s), 0.0)
    course = _course(asked, name, quick, seed)
    load = load_of(list(log.events()), log.header.phases, 0.0)
    assert load is not None
    came_s = sorted((own[0].start_s - load.start_s) / scale for own in users)
    late_s = np.subtract(came_s, _first_starts_s(course)[: len(came_s)]).max(initial=0.0)
    slow = _always(service, max(durations_s), max(gaps_s, default=0.0) + late_s)
    return BesidePlan(
        planned,
        len(completed),
        len(_course(asked, name, slow, seed).requests) - _of_the_last(course, len(users)),
        len(course.requests),
    )


def _always(service: AssumedService, time_s: float, between_s: float) -> AssumedService:
    one = np.array([time_s])
    return replace(service, times_s=one, failed=np.zeros(1, dtype=np.bool_), between_s=between_s)


def _course(suite: Suite, name: str, service: AssumedService, seed: int) -> Course:
    scenario, asked = suite.scenarios[name], suite.service_of(name)
    timeline = extensions.Wings().timeline(scenario.shape)
    client = client_of(extensions.attribute("services", asked.api, "Client"), asked, scenario, timeline)
    return simulate(timeline, client, service, seed)


def _by_user(records: list[RequestRecord]) -> list[list[RequestRecord]]:
    users: dict[tuple[str, int], list[RequestRecord]] = {}
    for record in sorted(records, key=lambda record: record.start_s):
        users.setdefault((record.source, record.user), []).append(record)
    return list(users.values())


def _first_starts_s(course: Course) -> list[float]:
    first = {request.user: request.start_s for request in reversed(course.requests)}
    return sorted(first.values())


def _of_the_last(course: Course, came: int) -> int:
    """Requests of those users who come last, so many fewer than are planned did."""
    first = {request.user: request.start_s for request in reversed(course.requests)}
    missing = sorted(first, key=lambda user: first[user])[came:]
    return sum(request.user in missing for request in course.requests)
