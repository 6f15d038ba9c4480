"""What a process with users has: its gate, its recorder, its meters and its share of the plan."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from uuid import uuid4

from genload.code_errors import CodeFailure, place_of
from genload.harness import housekeeping
from genload.harness.gate import Gate, Turn
from genload.harness.health import HealthMeter
from genload.harness.kit import Kit, kit_of
from genload.harness.plan import RunPlan
from genload.harness.recorder import Recorder
from genload.harness.tickets import Share
from genload.runlog.error_classes import NOT_STARTED
from genload.runlog.failures import FailedOutput
from genload.runlog.records import RequestRecord

MOST_BLAMED = 10
"""So many different mistakes of one process are told."""


class LoadProcess:
    """One per Locust process that runs users; users find it as `environment.genload`.

    Args:
        sink: where finished records go.
        keep: where outputs go that are why their requests failed.
        tell: takes what code of a user's has raised, once for each line that did.
    """

    def __init__(
        self,
        sink: Callable[[RequestRecord], None],
        keep: Callable[[FailedOutput], None],
        tell: Callable[[CodeFailure], None],
    ) -> None:
        self.keep = keep
        self._tell, self._blamed = tell, set[str]()
        self.gate = Gate()
        self.health = HealthMeter()
        self.recorder = Recorder(sink)
        self.plan: RunPlan | None = None

    def prepare(self, plan: RunPlan, share: Share, source: str, t0_s: float) -> None:
        """Get ready for a run that began at `t0_s` on this process's monotonic clock.

        Raises:
            ConfigError: no usable input; there is no plan then, and users stop at once.
        """
        self.kit: Kit = kit_of(plan)
        self.plan = plan
        self.recorder.reset(source, t0_s)
        self._blamed.clear()
        scenario = plan.scenario
        self.gate.reset(plan.timeline, share, scenario.warmup.jobs, cold_start=scenario.idle_s is not None)
        housekeeping.hold_back()
        self.health.start()
        self.kit.open()

    def close(self) -> None:
        """Nobody starts any more. What an open schedule wanted started by now, and nobody was free for, is
        recorded: nothing that was asked for is lost.
        """
        if self.plan is not None:
            for turn in self.gate.close():
                self.recorder.add(self._not_started(turn, self.plan))

    def release(self) -> None:
        """The run is over and everything is recorded."""
        self.health.stop()
        self.kit.close()
        self.plan = None
        housekeeping.let_go()

    def _not_started(self, turn: Turn, plan: RunPlan) -> RequestRecord:
        ended_s = self.recorder.since_start(self.gate.ended_s)
        operation: str = plan.client_class.operation
        return RequestRecord(
            source="",
            n=0,
            name=operation,
            operation=operation,
            type=self.kit.request_type,
            request_id=str(uuid4()),
            phase=turn.phase,
            intended_s=self.recorder.since_start(turn.intended_s or 0.0),
            start_s=ended_s,
            outcome="unfinished",
            error_class=NOT_STARTED,
            error="every user was busy until the load ended",
            labels=self.kit.labels(turn),
        )

    def blame(self, error: BaseException, request_id: str = "") -> None:
        """Code of a user's has raised this: told when it is the first of its kind and line."""
        what = f"{type(error).__name__} {place_of(error)}"
        if what not in self._blamed and len(self._blamed) < MOST_BLAMED:
            self._blamed.add(what)
            self._tell(CodeFailure.of(error, request_id))

    def rng(self, user: int) -> random.Random:
        """A user's own random numbers: the same for the same seed, process and user."""
        seed = 0 if self.plan is None else self.plan.seed
        return random.Random(f"{seed}/{self.recorder.source}/{user}")

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self.recorder.since_start(time.monotonic())
