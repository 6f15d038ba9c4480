"""How a run comes to its end before its time: somebody interrupts it, it cannot go on, or no criterion can be
saved by it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from gevent.event import Event

from genload.code_errors import CodeError, CodeFailure
from genload.errors import GenloadError, ServiceUnavailableError
from genload.harness.hope import Hope
from genload.harness.journal import Journal
from genload.harness.live import LiveStats
from genload.harness.patience import Patience
from genload.harness.plan import RunPlan
from genload.harness.readiness import is_ready
from genload.runlog.records import GIVEN_UP, HOPELESS, RequestRecord
from genload.settings.metrics.metric import Metric


class Ending:
    """The reasons of one run, looked for and kept.

    Args:
        plan: says when the service is given up, and whether a load without hope goes on.
        metrics: those that the criteria name, by name.
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
        plan: RunPlan,
        metrics: Mapping[str, Metric],
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cut, self.hurried = Event(), Event()
        self.interrupted_by = ""
        self.error: GenloadError | None = None
        self._journal = journal
        self._patience = Patience(plan.suite.give_up, lambda: is_ready(plan), clock)
        self._hope: Hope | None = None
        # A search goes on beyond what holds.
        if plan.abort_on == "hopeless" and plan.scenario.capacity is None:
            self._hope = Hope(plan.timeline, plan.scenario, metrics)

    def add(self, record: RequestRecord) -> None:
        """A logical request has ended."""
        self._patience.add(record)

    def ask_after_service(self) -> None:
        """Ask a service that gave no answer whether it is there again; blocks while it answers."""
        self._patience.ask()

    def look_for_patience(self) -> None:
        """End the run when the service is to be given up."""
        spent = self._patience.spent()
        if spent:
            error = ServiceUnavailableError(
                f"the service was given up: {spent}", remedy="see the service's own log"
            )
            self.by(error, GIVEN_UP)

    def look_for_hope(self, live: LiveStats, into_s: float, in_flight: int) -> None:
        """End the load, `into_s` after its begin, when a `must` criterion is lost whatever is to come."""
        if self._hope is None or self.cut.is_set():
            return
        lost = self._hope.lost(live, into_s, in_flight)
        if lost:
            self._hope = None
            self._journal.notice(HOPELESS, f"ended early: {lost}")
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
