"""How a run comes to its end before its time: somebody interrupts it, it cannot go on, or no criterion can be
saved by it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from gevent.event import Event

from genload.code_errors import CodeError, CodeFailure
from genload.errors import GenloadError, ServiceUnavailableError
from genload.harness.crew import CrewStatus
from genload.harness.hope import Hope
from genload.harness.journal import Journal
from genload.harness.patience import Patience
from genload.harness.readiness import is_ready
from genload.harness.side import Side
from genload.runlog.records import GIVEN_UP, HOPELESS, RequestRecord


class Ending:
    """The reasons of one run, looked for and kept.

    Args:
        sides: whose plans say when the service is given up, and whether a load without hope goes on. What is
            so of one population ends the run of all.
        journal: where each reason is recorded.
        clock: a clock in monotonic seconds.

    Attributes:
        cut: set: no request may begin any more.
        hurried: set: do not wait for the requests in flight either.
        interrupted_by: who asked for the end; "" if nobody did.
        error: why the run could not go on; None if it could.
    """

    def __init__(
        self,
        sides: Sequence[Side],
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cut, self.hurried = Event(), Event()
        self.interrupted_by = ""
        self.error: GenloadError | None = None
        self._journal = journal
        self._patience = {
            side.name: Patience(side.plan.suite.give_up, partial(is_ready, side.plan), clock)
            for side in sides
        }
        self._hopes = [
            (side, Hope(side.plan.timeline, side.plan.scenario, side.metrics))
            for side in sides
            # A search goes on beyond what holds.
            if side.plan.abort_on == "hopeless" and side.plan.scenario.capacity is None
        ]

    def add(self, side: Side, records: Sequence[RequestRecord]) -> None:
        """Requests of that population have ended."""
        self._patience[side.name].add([record for record in records if record.operation])

    def ask_after_service(self) -> None:
        """Ask a service that gave no answer whether it is there again; blocks while it answers."""
        for patience in self._patience.values():
            patience.ask()

    def look_for_patience(self) -> None:
        """End the run when the service is to be given up."""
        for name, patience in self._patience.items():
            if spent := patience.spent():
                whose = f"the service of {name}" if name else "the service"
                error = ServiceUnavailableError(
                    f"{whose} was given up: {spent}", remedy="see the service's own log"
                )
                self.by(error, GIVEN_UP)

    def look_for_hope(self, status: CrewStatus, into_s: float) -> None:
        """End the load, `into_s` after its begin, when a `must` criterion is lost whatever is to come."""
        for side, hope in self._hopes:
            if self.cut.is_set():
                return
            if lost := hope.lost(side.live, into_s, side.users(status).in_flight):
                whose = f"{side.name}: " if side.name else ""
                self._journal.notice(HOPELESS, f"ended early: {whose}{lost}")
                self.cut.set()

    def by(self, error: GenloadError, code: str) -> None:
        """The run cannot go on. If that happens twice, the first reason counts."""
        if self.error is None:
            self.error = error
            if not isinstance(error, CodeError):  # a CodeError has its notice already
                self._journal.note(code, error.message)
            self.cut.set()

    def by_code(self, error: Exception) -> None:
        """The code of a user's file has raised an exception."""
        failure = CodeFailure.of(error)
        self._journal.blame(failure)
        self.by(CodeError(failure), failure.error_class)
