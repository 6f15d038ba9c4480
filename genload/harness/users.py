"""The base of Locust user classes: held by the gate, recorded to the last request."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from functools import cached_property
from random import Random
from types import TracebackType
from typing import Any, ClassVar, Protocol

import gevent
import msgspec
from locust import User
from locust.exception import StopUser
from msgspec import structs

from genload.code_errors import class_of, told
from genload.harness.gate import Stage, Turn
from genload.harness.process import LoadProcess
from genload.identifiers import new_identifier
from genload.orders import is_order, note_kill
from genload.runlog.failures import MAX_OUTPUT_BYTES, FailedOutput
from genload.runlog.records import RequestRecord
from genload.service import Artifact, ServiceClient

REST_S = 1.0
"""For a user whose own code has raised: its next request might follow at once, and raise again."""


class Result(Protocol):
    """What became of a logical request, whatever it was."""

    request_id: str
    start_s: float
    end_s: float
    outcome: str
    error_class: str
    error: str
    remark: str
    status: int
    numbers: dict[str, float]
    bytes_sent: int
    bytes_received: int
    failed_output: Artifact | None


class LoadUser(User):
    """A user that starts work only when the shape allows it.

    Wrap each request of a task in `with self.turn() as turn:`; it waits for leave to start, thinks, and
    counts as in flight until the block ends. Mixes with any Locust client
    (``class Mine(LoadUser, FastHttpUser)``).
    """

    abstract = True
    client_kind: ClassVar[type] = ServiceClient  # what it needs the suite's service to be
    population: ClassVar[str] = ""  # one of several that are at work at the same time
    joined = False  # has an index, and what else a user has; Locust stops users that never got so far, too
    _recorded = False  # the request of this turn has its record
    _rests = False  # after this turn
    busy_until_s = 0.0  # with what its last request brought: the next one waits for that

    def stop(self, force: bool = False) -> bool:
        note_kill(self.greenlet)  # Locust may wait first, and then kill without a further word
        return bool(super().stop(force))

    def on_start(self) -> None:
        process: LoadProcess = self.environment.genload
        # Where the run could not begin Locust would log a StopUser from here with a traceback for each user.
        process.wait_for_plan()
        self.load = process.population(self.population)
        self.plan = self.load.plan
        self.service = self.plan.service
        # Pauses are a user's; in an open schedule the users are hands.
        self._has_pauses = self.load.gate.timeline.arrivals is None
        self._think = self.plan.scenario.think if self._has_pauses else None
        self.index = self.load.gate.join()
        self.joined = True

    @cached_property
    def rng(self) -> Random:
        """Its own random numbers; made when it needs one, for they are 2.5 kB."""
        return self.load.rng(self.index)

    def on_stop(self) -> None:
        self.leave()

    def leave(self) -> None:
        """It is gone: its place is free for another."""
        if self.joined:
            self.joined = False
            self.load.gate.leave(self.index)

    def next_number(self) -> int:
        """The number of this user's next request, which no other in the run has: what to make its input by,
        before the turn. Negative in the warm-up.

        Raises:
            StopUser: nobody may start any more.
        """
        number = self.load.gate.reserve(self.index)
        if number is None:
            raise StopUser
        return number

    def turn(self) -> AbstractContextManager[Turn]:
        """Leave to start one request.

        What is raised inside, before a request has its record, makes one: failed, or unfinished of a kill. A
        turn that ends in peace with nothing sent has no record, for no request began; where requests are
        planned (counted, a burst, an open schedule) it is one that was not started.

        Raises:
            StopUser: nobody may start any more.
        """
        return _Leave(self)

    def pause_after(self, result: Result, pause_s: float = 0.0) -> None:
        """The pause of a user whose request failed; outside the turn, so that it is not in flight.

        Args:
            pause_s: where the suite asks for none.
        """
        if result.outcome != "failed" or not self._has_pauses:
            return
        asked_s = self.plan.scenario.failure_pause_s
        pause_s = pause_s if asked_s is None else asked_s
        if pause_s:
            with self.load.gate.asleep(self.index):
                gevent.sleep(pause_s)

    def _begin(self) -> Turn:
        """The turn that comes, once it has come."""
        self._recorded = self._rests = False
        gate, think = self.load.gate, self._think
        if self.busy_until_s and (left_s := self.busy_until_s - time.monotonic()) > 0:
            gevent.sleep(left_s)
        while think is None or gate.wait(self.index):
            # The load begins no later for a user who thinks before it.
            if think is not None and gate.stage is not Stage.WARMUP:
                gevent.sleep(self.rng.uniform(think.min_s, think.max_s))
            # The pause may have lasted beyond the phase, and others may have taken what there was to do.
            turn = gate.start(self.index)
            if turn is not None:
                return turn
            if not gate.wait(self.index):
                break
        raise StopUser

    def _end(self, turn: Turn, began_s: float, error: BaseException | None) -> None:
        """It ends, with what was raised in it."""
        try:
            if error is not None and not self._recorded:
                self._record_broken_off(turn, began_s, error)
        finally:
            self.load.gate.end(self.index)
        if error is None and self._rests:
            gevent.sleep(REST_S)

    def _blame(self, raised: BaseException | None, request_id: str) -> None:
        """A request failed of its own client's code, if it did: that is told, and the user rests."""
        if raised is not None and not is_order(raised):
            self._rests = True
            self.load.blame(raised, request_id)

    def _record_broken_off(self, turn: Turn, began_s: float, error: BaseException) -> None:
        """A turn has ended before it had a record: by a kill, or in code of the locustfile's own."""
        operation = self.plan.client_class.operation
        record = self._record(turn, new_identifier(), began_s, time.monotonic())
        record.name = record.operation = operation
        record.type = self.load.kit.request_type
        if turn.intended_s is not None:
            record.intended_s = self.load.recorder.since_start(turn.intended_s)
        if is_order(error):
            record.outcome = "unfinished"
        else:
            record.outcome, record.error_class, record.error = "failed", class_of(error), told(error)
        self._fire(record)
        self._blame(error, record.request_id)

    def _request_record(self, turn: Turn, result: Result) -> RequestRecord:
        """The record of a logical request, but for what is particular to its kind."""
        load, start_s, end_s = self.load, result.start_s, result.end_s
        record = structs.replace(
            load.blank,
            user=self.index,
            request_id=result.request_id,
            phase=turn.phase,
            warmup=turn.warmup,
            start_s=load.recorder.since_start(start_s),
            duration_s=end_s - start_s,
            drained=end_s > load.gate.ended_s and not turn.warmup,
            remark=result.remark,
            status=result.status,
            bytes_sent=result.bytes_sent,
            bytes_received=result.bytes_received,
            numbers=result.numbers,
        )
        if result.outcome != "ok":
            record.outcome = result.outcome
            record.error_class, record.error = result.error_class, result.error
        if turn.intended_s is not None:
            record.intended_s = load.recorder.since_start(turn.intended_s)
            record.numbers = {**result.numbers, "start_delay_s": start_s - turn.intended_s}
        return record

    def _record(self, turn: Turn, request_id: str, start_s: float, end_s: float) -> RequestRecord:
        return RequestRecord(
            source="",
            n=0,
            name="",
            population=self.population,
            request_id=request_id,
            user=self.index,
            phase=turn.phase,
            warmup=turn.warmup,
            start_s=self.load.recorder.since_start(start_s),
            duration_s=end_s - start_s,
            drained=not turn.warmup and end_s > self.load.gate.ended_s,
        )

    def _fire(self, record: RequestRecord) -> None:
        if record.operation:
            self._recorded = True
            if record.warmup:
                self.load.warmed(record)
        self.environment.genload.event.fire(record)

    def _keep_output(self, result: Result) -> None:
        """Of a request that failed for its output: the first few of each error class are kept."""
        if result.failed_output is not None:
            name, content = result.failed_output.name, result.failed_output.content
            kept = bytes(content) if len(content) <= MAX_OUTPUT_BYTES else None
            self.load.keep(
                FailedOutput(
                    error_class=result.error_class,
                    request_id=result.request_id,
                    name=name,
                    size_bytes=len(content),
                    content=kept,
                )
            )


class _Leave(msgspec.Struct, eq=False):  # made in C: every request has one
    """A user's leave to start one request, for as long as its block."""

    _user: LoadUser
    _turn: Any = None
    _began_s: float = 0.0

    def __enter__(self) -> Turn:
        self._turn = turn = self._user._begin()
        self._began_s = time.monotonic()
        return turn

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._user._end(self._turn, self._began_s, error)
