"""Users of a job API: submit, poll and fetch are one logical request."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from genload.artifacts.usual import inspection_of
from genload.drivers.job_driver import JobDriver
from genload.drivers.job_result import JobResult
from genload.harness.gate import Turn
from genload.harness.kit import JobKit
from genload.harness.users import LoadUser
from genload.identifiers import new_identifier
from genload.service import JobClient, JobInput, Step


class JobUser(LoadUser):
    """A user of a job API: one logical request is submit, poll and fetch, with its stages."""

    abstract = True
    client_kind: ClassVar[type] = JobClient
    _ordered: Exception | None = None  # by a listener of the locustfile's

    def on_start(self) -> None:
        super().on_start()
        self.inputs_made = 0
        assert isinstance(self.load.kit, JobKit)  # noqa: S101  `check_users` has seen to it
        self.kit = self.load.kit
        self.client: JobClient = self.plan.client_class(self.service)
        self.inspect = inspection_of(self.client)

    def on_stop(self) -> None:
        client = getattr(self, "client", None)  # there is none when its own code could not make it
        try:
            if client is not None:
                client.close()
        finally:
            super().on_stop()

    def next_input(self) -> JobInput:
        """The next job's own input, made before the turn.

        Raises:
            StopUser: nobody may start any more.
        """
        number = self.next_number()
        self.inputs_made += 1
        self.kit.listen()
        return self.kit.image(self.load.recorder.source, self.index, self.inputs_made, number)

    def run_job(self, turn: Turn, job_input: JobInput) -> JobResult:
        """One job from its input to its inspected output; recorded whatever becomes of it."""
        request_id, self._ordered = new_identifier(), None
        self.client.on_step = partial(self._record_step, turn, request_id)
        job = JobDriver(
            self.client,
            job_input,
            service=self.service,
            inspect=self.inspect,
            rng=self.rng,
            registry=self.kit.outputs,
            updates=self.kit.updates,
            request_id=request_id,
        )
        try:
            result = job.run()
        except BaseException:
            # Killed at the end of the waiting: Locust fires no event for such a request, we do.
            self._record_job(turn, job.result(outcome="unfinished"))
            raise
        if result.outcome != "ok":
            self._blame(job.raised, request_id)
            self._keep_output(result)
        self._record_job(turn, result)
        if self._ordered is not None:
            raise self._ordered
        return result

    def _record_step(self, turn: Turn, request_id: str, step: Step) -> None:
        if not step.recorded:
            return
        record = self._record(turn, request_id, step.start_s, step.end_s)
        record.name, record.type = step.name, step.method
        record.status = step.status
        record.outcome = "failed" if step.error_class else "ok"
        record.error_class, record.error = step.error_class, step.error
        record.bytes_sent, record.bytes_received = step.bytes_sent, step.bytes_received
        try:
            self._fire(record)
        except Exception as order:  # noqa: BLE001  Locust lets through what a listener orders, as StopUser
            self._ordered = order  # once the job has come to its own end

    def _record_job(self, turn: Turn, result: JobResult) -> None:
        record = self._request_record(turn, result)
        record.job_id, record.stages, record.labels = result.job_id, result.stages, result.labels
        self._fire(record)
