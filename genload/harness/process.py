"""What a process with users has: its populations, its recorder, its meters and its share of the plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gevent.event import Event

from genload import housekeeping
from genload.code_errors import CodeFailure, place_of
from genload.harness.announcement import Announcement
from genload.harness.gate_status import GateStatus
from genload.harness.health import HealthMeter
from genload.harness.plan import RunPlan
from genload.harness.population import Population
from genload.harness.recorder import Recorder
from genload.harness.request_event import RequestEvent
from genload.harness.tickets import Share
from genload.runlog.failures import FailedOutput
from genload.runlog.records import RequestRecord
from genload.service.updates import Updates

MOST_BLAMED = 10
"""So many different mistakes of one process are told."""


class LoadProcess:
    """One per Locust process that runs users; users find it as `environment.genload`.

    Args:
        sink: where finished records go.
        keep: where outputs go that are why their requests failed.
        tell: takes what code of a user's has raised, once for each line that did.

    Attributes:
        announced: the number of the announcement that its users go by; 0: they go by the plan.
        event: by which users tell of requests that have ended; there is one before there are users.
        populations: of the run, in the order of its plan; of one that is over they stay until the next.
    """

    def __init__(
        self,
        sink: Callable[[Sequence[RequestRecord]], None],
        keep: Callable[[FailedOutput], None],
        tell: Callable[[CodeFailure], None],
    ) -> None:
        self._keep, self._tell, self._blamed = keep, tell, set[str]()
        self.health = HealthMeter()
        self.recorder = Recorder(sink)
        self.populations: tuple[Population, ...] = ()
        self.plan: RunPlan | None = None
        self._planned = Event()
        self.announced = 0
        self.event: RequestEvent | None = None

    def prepare(self, plan: RunPlan, shares: Sequence[Share], source: str, t0_s: float) -> None:
        """Get ready for a run that began at `t0_s` on this process's monotonic clock.

        Args:
            shares: this process's part of each population.

        Raises:
            ConfigError: no usable input; there is no plan then, and users stop at once.
        """
        self.announced = 0
        self.recorder.reset(source, t0_s)
        self.populations = tuple(
            Population(own, share, self.recorder, self._keep, self.blame)
            for own, share in zip(plan.populations, shares, strict=True)
        )
        self.plan = plan
        self._blamed.clear()
        housekeeping.hold_back()
        self.health.start()
        for population in self.populations:
            population.kit.open()
        self._planned.set()

    def wait_for_plan(self) -> RunPlan:
        """For users that were started before it came, or whose run cannot begin: those will be stopped."""
        while self.plan is None:
            self._planned.wait()
        return self.plan

    def population(self, name: str) -> Population:
        """One of the run's."""
        return next(each for each in self.populations if each.name == name)

    def change(self, announcement: Announcement) -> None:
        """Go by what is announced. What comes too late for that is not acknowledged."""
        if self.plan is None or (search := self.plan.scenario.capacity) is None:
            return
        [population] = self.populations  # a search has one
        try:
            timeline = announcement.changed(population.gate.timeline, search, self.plan.seed)
        except ValueError:
            return
        population.gate.change(timeline)
        self.announced = announcement.number

    def close(self) -> None:
        """Nobody starts any more, and what was to start by now is recorded."""
        if self.plan is not None:
            for population in self.populations:
                for record in population.close():
                    self.recorder.add(record)

    def release(self) -> None:
        """The run is over and everything is recorded."""
        self.health.stop()
        for population in self.populations:
            population.kit.close()
        self.plan = None
        self._planned.clear()
        housekeeping.let_go()

    def statuses(self) -> list[GateStatus]:
        """What the users of each population do."""
        return [population.gate.status() for population in self.populations]

    @property
    def connections(self) -> int | None:
        """By how many connections its users hear of their jobs now; None: they only poll."""
        heard = [each.is_heard for each in self._updates]
        return sum(heard) if heard else None

    @property
    def messages(self) -> int:
        """How many messages have told of jobs."""
        return sum(each.messages for each in self._updates)

    @property
    def _updates(self) -> list[Updates]:
        kits = [population.kit for population in self.populations]
        return [kit.updates for kit in kits if kit.updates is not None]

    @property
    def remarks(self) -> list[str]:
        """What the user should know about the inputs."""
        return [remark for population in self.populations for remark in population.kit.remarks]

    def blame(self, error: BaseException, request_id: str = "") -> None:
        """Code of a user's has raised this: told when it is the first of its kind and line."""
        what = f"{type(error).__name__} {place_of(error)}"
        if what not in self._blamed and len(self._blamed) < MOST_BLAMED:
            self._blamed.add(what)
            self._tell(CodeFailure.of(error, request_id))

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self.recorder.since_start(time.monotonic())
