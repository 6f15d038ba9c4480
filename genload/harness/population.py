"""Users of one kind in one process: what they are to do, what holds them, and what they share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cached_property
from uuid import uuid4

from msgspec import structs

from genload.harness.gate import Gate
from genload.harness.kit import Kit, kit_of
from genload.harness.plan import RunPlan
from genload.harness.recorder import Recorder
from genload.harness.tickets import Share
from genload.harness.warm_up import WarmUp
from genload.runlog.error_classes import NOT_STARTED
from genload.runlog.failures import FailedOutput
from genload.runlog.records import RequestRecord


class Population:
    """Users find theirs as `load`.

    Args:
        plan: of this population alone.
        share: this process's part of its users.
        recorder: of the process.
        keep: where outputs go that are why their requests failed.
        blame: takes what code of a user's has raised, and the id of the request that it did so in.

    Raises:
        ConfigError: no usable input.
    """

    def __init__(
        self,
        plan: RunPlan,
        share: Share,
        recorder: Recorder,
        keep: Callable[[FailedOutput], None],
        blame: Callable[[BaseException, str], None],
    ) -> None:
        self.plan, self.recorder, self.keep, self.blame = plan, recorder, keep, blame
        self.kit: Kit = kit_of(plan)
        self.gate = Gate()
        scenario = plan.scenario
        self._warm_up = WarmUp(scenario.warmup)
        self.gate.reset(plan.timeline, share, scenario.warmup.most, cold_start=scenario.idle_s is not None)

    @property
    def name(self) -> str:
        """ "" where there is one kind of users alone."""
        return self.plan.population

    @cached_property
    def blank(self) -> RequestRecord:
        """What the records of all its logical requests have in common; never changed."""
        operation: str = self.plan.client_class.operation
        return RequestRecord(
            source="",
            n=0,
            name=operation,
            operation=operation,
            population=self.name,
            type=self.kit.request_type,
        )

    def warmed(self, record: RequestRecord) -> None:
        """A request of the warm-up has ended, and its user does not have the next one yet."""
        self._warm_up.add(record)
        if self._warm_up.is_done:
            self.gate.warm()

    def close(self) -> Iterator[RequestRecord]:
        """Nobody starts any more. The records of what an open schedule wanted started by now, and nobody was
        free for: nothing that was asked for is lost.
        """
        for turn in self.gate.close():
            yield structs.replace(
                self.blank,
                request_id=str(uuid4()),
                phase=turn.phase,
                intended_s=self.recorder.since_start(turn.intended_s or 0.0),
                start_s=self.recorder.since_start(self.gate.ended_s),
                outcome="unfinished",
                error_class=NOT_STARTED,
                error="every user was busy until the load ended",
                labels=self.kit.labels(turn),
            )

    def rng(self, user: int) -> random.Random:
        """A user's own random numbers: the same for the same seed, process and user."""
        return random.Random(f"{self.plan.seed}/{self.recorder.source}/{user}")
