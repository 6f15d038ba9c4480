"""The bases of Locust user classes: held by the gate, recorded to the last request."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from gevent import GreenletExit
from gevent.event import Event
from locust import User
from locust.exception import StopUser

from genload.harness.gate import Turn
from genload.harness.process import LoadProcess
from genload.harness.recorder import CONTEXT_KEY
from genload.job import Job, JobResult
from genload.runlog.failures import FailedOutput
from genload.runlog.records import RequestRecord
from genload.service import JobClient, JobInput, Step

LOOP_TURN_S = 0.001  # sleep(0) would go on in the same turn of the loop, before its timers and sockets


class RequestFailedError(Exception):
    """What Locust's own statistics count a failed request by."""


class LoadUser(User):
    """A user that starts work only when the shape allows it.

    Wrap each request of a task in `with self.turn() as turn:`; it waits for leave to start, thinks, and
    counts as in flight until the block ends. Mixes with any Locust client
    (``class Mine(LoadUser, FastHttpUser)``).
    """

    abstract = True
    joined = False  # has an index, and what else a user has; Locust stops users that never got so far, too

    def on_start(self) -> None:
        self.load: LoadProcess = self.environment.genload
        if self.load.plan is None:
            # The run could not begin and is about to be stopped. Locust would log a StopUser from here with
            # a traceback for each user: wait to be stopped instead.
            Event().wait()
        self.index = self.load.gate.join()
        self.joined = True
        self.rng = self.load.rng(self.index)

    def on_stop(self) -> None:
        if self.joined:
            self.load.gate.leave(self.index)

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Leave to start one request.

        Raises:
            StopUser: nobody may start any more.
        """
        turn = self._next_turn()
        try:
            yield turn
        finally:
            self.load.gate.end(self.index)

    def _next_turn(self) -> Turn:
        assert self.load.plan is not None  # noqa: S101  users exist only during a run
        think = self.load.plan.scenario.think
        while self.load.gate.wait(self.index):
            if think is not None:
                gevent.sleep(self.rng.uniform(think.min_s, think.max_s))
            # The pause may have lasted beyond the phase, and others may have taken what there was to do.
            turn = self.load.gate.start(self.index)
            if turn is not None:
                return turn
        raise StopUser


class JobUser(LoadUser):
    """A user of a job API: one logical request is submit, poll and fetch, with its stages."""

    abstract = True

    def on_start(self) -> None:
        super().on_start()
        self.inputs_made = 0
        assert self.load.plan is not None  # noqa: S101
        self.client: JobClient = self.load.plan.client_class(self.load.plan.service)

    def on_stop(self) -> None:
        if self.joined:
            self.client.close()
        super().on_stop()

    def next_input(self) -> JobInput:
        """The next job's own input. Made before the turn, and one at a time with the loop's turn between
        two: a millisecond each, for many users let go at once, would hold up everything else.
        """
        self.inputs_made += 1
        with self.load.making:
            gevent.sleep(LOOP_TURN_S)
            return self.load.images.image(self.load.recorder.source, self.index, self.inputs_made)

    def run_job(self, turn: Turn, job_input: JobInput) -> JobResult:
        """One job from its input to its inspected output; recorded whatever becomes of it."""
        load, plan = self.load, self.load.plan
        assert plan is not None  # noqa: S101
        request_id = str(uuid.uuid4())
        self.client.on_step = lambda step: self._record_step(turn, request_id, step)
        job = Job(
            self.client,
            job_input,
            service=plan.service,
            inspect=self.client.inspect,
            rng=self.rng,
            registry=load.outputs,
            request_id=request_id,
        )
        try:
            result = job.run()
        except GreenletExit:
            # Killed at the end of the waiting: Locust fires no event for such a request, we do.
            self._record_job(turn, request_id, job.result(outcome="unfinished"))
            raise
        self._record_job(turn, request_id, result)
        self._keep_output(request_id, result)
        return result

    def pause_after(self, result: JobResult) -> None:
        """The pause of a user whose job failed; outside the turn, so that it is not in flight."""
        if result.outcome == "failed" and self.load.plan is not None:
            gevent.sleep(self.load.plan.scenario.failure_pause_s)

    def _record_step(self, turn: Turn, request_id: str, step: Step) -> None:
        if not step.recorded:
            return
        record = self._record(turn, request_id, step.start_s, step.end_s)
        record.name, record.type = step.name, step.method
        record.status = step.status
        record.outcome = "failed" if step.error_class else "ok"
        record.error_class, record.error = step.error_class, step.error
        record.bytes_sent, record.bytes_received = step.bytes_sent, step.bytes_received
        self._fire(record)

    def _record_job(self, turn: Turn, request_id: str, result: JobResult) -> None:
        record = self._record(turn, request_id, result.start_s, result.end_s)
        record.name = record.operation = self.client.operation
        record.type = "JOB"
        record.job_id = result.job_id
        record.outcome, record.status = result.outcome, result.status
        record.error_class, record.error = result.error_class, result.error
        record.bytes_sent, record.bytes_received = result.bytes_sent, result.bytes_received
        record.stages, record.numbers = result.stages, result.numbers
        self._fire(record)

    def _keep_output(self, request_id: str, result: JobResult) -> None:
        if result.failed_output is not None:
            name, content = result.failed_output.name, result.failed_output.content
            self.load.keep(
                FailedOutput(
                    error_class=result.error_class,
                    request_id=request_id,
                    name=name,
                    size_bytes=len(content),
                    content=content,
                )
            )

    def _record(self, turn: Turn, request_id: str, start_s: float, end_s: float) -> RequestRecord:
        return RequestRecord(
            source="",
            n=0,
            name="",
            request_id=request_id,
            user=self.index,
            phase=turn.phase,
            warmup=turn.warmup,
            start_s=self.load.recorder.since_start(start_s),
            duration_s=end_s - start_s,
            drained=not turn.warmup and end_s > self.load.gate.ended_s,
        )

    def _fire(self, record: RequestRecord) -> None:
        failure = None
        if record.outcome != "ok":
            failure = RequestFailedError(
                f"{record.error_class or record.outcome}: {record.error}".rstrip(": ")
            )
        self.environment.events.request.fire(
            request_type=record.type,
            name=record.name,
            response_time=record.duration_s * 1e3,
            response_length=record.bytes_received,
            exception=failure,
            context={CONTEXT_KEY: record},
        )
