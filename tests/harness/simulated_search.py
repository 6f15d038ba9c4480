"""A search for a capacity against a simulated service: the real conductor, its clock and its crew made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from genload.analysis.plan.assumed import AssumedService
from genload.analysis.plan.simulation import Client, Request, simulate
from genload.harness.announcement import Announcement
from genload.harness.conductor import Conductor
from genload.harness.crew import CrewStatus
from genload.harness.gate_status import GateStatus
from genload.harness.header import run_header
from genload.harness.live import LiveStats, followed
from genload.harness.plan import RunPlan, make_plan
from genload.runlog.records import (
    ClientHealth,
    Event,
    LoadEnded,
    LoadStarted,
    PhaseStarted,
    RequestRecord,
    RunEnded,
    RunStarted,
    Users,
)
from genload.settings.phases import Timeline
from genload.targets import RunRequest

from ..analysis.memory_log import MemoryLog
from ..clock import Clock

T0_S, START_S = 1000.0, 10.0

SUITE = """
extends: orfeas
monitors: {{gpu: null, host: null, exposition: null, readiness: null}}
reconcile: {{}}
seed: {seed}
scenarios:
  search:
    capacity: {capacity}
    criteria:
      fast: generate.duration.p95 < {limit}
      {more}
"""


def plan_of(folder: Path, capacity: str, limit: str = "1.2s", more: str = "", seed: int = 1) -> RunPlan:
    """The plan of a search on ORFEAS jobs."""
    file = folder / "searched.yaml"
    file.write_text(SUITE.format(capacity=capacity, limit=limit, more=more, seed=seed))
    return make_plan(RunRequest((f"{file}/search",)))


@dataclass
class SimulatedCrew:
    """Users of a simulated service.

    Attributes:
        deaf_from: announcements from this number on reach nobody.
    """

    clock: Clock
    service: AssumedService
    timeline: Timeline
    deaf_from: float = inf
    lead_s: float = 0.25
    last: int = 0
    requests: list[Request] = field(default_factory=list)

    def go_by(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.requests = simulate(timeline, Client(), self.service, 3).requests

    def announce(self, announcement: Announcement) -> None:
        if announcement.number < self.deaf_from:
            self.last = announcement.number

    def acknowledged(self) -> Mapping[str, int]:
        return {"w0": self.last}

    @property
    def into_s(self) -> float:
        return self.clock.now_s - T0_S - START_S

    def status(self) -> CrewStatus:
        begun = [r.start_s if r.due_s is None else r.due_s for r in self.requests if self._is_under_way(r)]
        place = self.timeline.index_at(self.into_s)
        since_s = self.timeline.start_s(place) if place is not None else inf
        earlier = sum(start_s < since_s for start_s in begun)
        users = GateStatus(in_flight=len(begun), earlier=earlier, oldest_s=min(begun, default=inf))
        return CrewStatus(at_s=self.clock.now_s, users=users)

    def _is_under_way(self, request: Request) -> bool:
        return (request.start_s if request.due_s is None else request.due_s) <= self.into_s < request.end_s


@dataclass
class Searched:
    """A finished search.

    Attributes:
        told: what was said of it while it went on, each once.
    """

    conductor: Conductor
    log: MemoryLog
    told: list[str]

    @property
    def values(self) -> list[float]:
        return [one.value for one in self.conductor.seen]


def search(
    plan: RunPlan, service: AssumedService, *, tick_s: float = 0.25, lag_ms: Any = None, **crew_has: Any
) -> Searched:
    """Let the conductor lead a load until it ends.

    Args:
        lag_ms: of the load generator at so many seconds into the load; none unless given.
    """
    clock = Clock(T0_S + START_S)
    crew = SimulatedCrew(clock, service, plan.timeline, **crew_has)
    crew.go_by(plan.timeline)
    live = LiveStats("generate", Path("none"), followed(plan.scenario, plan.catalogue), exact=True)
    events: list[Event] = [RunStarted(t_s=0.0, wall_time=""), LoadStarted(t_s=START_S)]
    conductor = Conductor(plan, crew, live, events.append, crew.go_by, clock)  # type: ignore[arg-type]
    conductor.begin(clock.now_s, START_S)
    counted, told = -inf, {conductor.told: None}
    while not conductor.step():
        told[conductor.told] = None
        clock.now_s += tick_s
        ended = [request for request in crew.requests if counted < request.end_s <= crew.into_s]
        live.add([record_of(request) for request in ended])
        counted = crew.into_s
        for event in _readings(crew, lag_ms):
            events.append(event)
            conductor.note(event)
        assert crew.into_s < 1e5
    end_s = START_S + crew.into_s
    events += [LoadEnded(t_s=end_s), RunEnded(t_s=end_s + 1, records={})]
    begun = [request for request in crew.requests if request.start_s < crew.into_s]
    records = [record_of(request, number) for number, request in enumerate(begun)]
    starts = enumerate(crew.timeline.phases)
    events[2:2] = [
        PhaseStarted(t_s=START_S + begin_s, phase=phase.name)
        for index, phase in starts
        if (begin_s := crew.timeline.start_s(index)) < crew.into_s
    ]
    log = MemoryLog(run_header(plan, "2026-11-21T10:00:00+00:00"), records, events)
    return Searched(conductor, log, list(told))


def record_of(request: Request, number: int = 0) -> RequestRecord:
    return RequestRecord(
        source="local",
        n=number,
        name="generate",
        operation="generate",
        phase=request.phase,
        intended_s=None if request.due_s is None else START_S + request.due_s,
        start_s=START_S + request.start_s,
        duration_s=request.end_s - request.start_s,
        outcome="failed" if request.error_class else "ok",
        error_class=request.error_class,
        numbers={} if request.due_s is None else {"start_delay_s": request.start_s - request.due_s},
    )


def _readings(crew: SimulatedCrew, lag_ms: Any) -> list[Event]:
    t_s, target = START_S + crew.into_s, crew.timeline.target(crew.into_s)
    lag = 0.1 if lag_ms is None else lag_ms(crew.into_s)
    return [
        Users(t_s=t_s, target=target, working=target, in_flight=0, leaving=0),
        ClientHealth(t_s=t_s, source="w0", lags_ms=[lag], cpu=0.1, rss_bytes=1),
    ]
