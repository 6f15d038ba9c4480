"""The driver of a job: upload, order, polls, download, inspection; in the same way for every service.

The duration of a job begins before the upload connects, and ends with the last byte of the download. It is
the sum of these stages:

=========  ==================================================================================
connect    connecting, for the upload, the order and the download
upload     sending the input, and waiting while the service refuses it for now
accept     sending the order, and waiting while the service refuses it for now
queue      from the accepted order to the send of the last poll that was answered "not begun"
run        from there to the answer to the first poll that was answered "finished"
download   receiving the output
=========  ==================================================================================

A job that is one blocking call has neither ``accept`` nor ``queue``, and its ``run`` is known exactly: from
the last byte of the request to the first byte of the answer. If a service does not say whether a job waits or
runs, all of this time is ``run``, and there is no ``queue``.

If a poll has to connect, this time counts as queue or run, because the service works meanwhile. Polls only
show between which two moments something happened. The job began at some moment of the ``begin_bound_s`` after
its queue, so that ``queue`` may be longer by this much. It ended at some moment of the ``poll_bound_s``
before the answer "finished". So ``run`` may be shorter by both. If the service tells of the job by itself
(`genload.service.updates`), both bounds are those of what it told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from random import Random
from typing import TypeVar

from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.inputs.trace import check_jobs, images_of
from genload.code_errors import returned
from genload.drivers.driver import Driver
from genload.drivers.job_result import JobResult
from genload.drivers.poll_pauses import poll_pause_s
from genload.human import human
from genload.orders import is_order
from genload.runlog.error_classes import UNANSWERED
from genload.runlog.records import WAITED_OUT
from genload.service import (
    Artifact,
    JobClient,
    JobInput,
    JobPhase,
    JobState,
    NotInspectedError,
    ServiceError,
    Step,
)
from genload.service.updates import Followed, Update, Updates
from genload.settings.phases import Ask
from genload.settings.service import Service

_CONNECT_COUNTS_IN = {"upload", "accept", "download"}
_ENDED = (JobPhase.COMPLETED, JobPhase.FAILED)
_REFUSALS = f"{WAITED_OUT}poll"
_REFUSED_POLLS = (
    "a poll, refused to the end: a longer service.poll.interval asks less often, and service.retry "
    "(max_retries, default_wait) tries for longer"
)
_NO_ANSWER = UNANSWERED - {"tls", "timeout", "protocol"}
"""If a poll fails with one of these classes, nothing is known of its job, and another poll makes sense."""

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")


def check_inputs(service: Service, asks: Sequence[Ask]) -> None:
    """Check before the load that there are images for the jobs.

    Args:
        asks: of a trace.

    Raises:
        ConfigError: there is no usable image, or a line of the trace is for another service.
    """
    check_jobs(asks)
    named = images_of(asks)
    if service.images is not None or named:
        # Here, not above: what reads pictures takes a quarter of a second to import.
        from genload.artifacts.inputs.views import input_source

        input_source(0, service.images, named, service.request.input_views)


class JobDriver(Driver[JobClient, JobResult], eq=False):
    """Makes all calls of one job; see `Driver`.

    Attributes:
        inspect: checks the output after the end of the job, and returns numbers for the record. Its time does
            not count, because it is not the service's time. It raises ServiceError if the output is broken,
            and NotInspectedError if the output was not inspected, which is no failure.
        registry: the outputs of earlier jobs in this process. If it is given, an output that came before for
            another input is a failure.
        updates: what the service tells of its jobs by itself; None: nothing.
        request_id: sent with every call; "" makes a random one.
        on_stage: called with the name of each stage that begins.
    """

    client: JobClient
    job: JobInput
    inspect: Callable[[Artifact], Mapping[str, float]]
    rng: Random
    registry: OutputRegistry | None = None
    updates: Updates | None = None
    request_id: str = ""
    on_stage: Callable[[str], None] = lambda stage: None
    _stage: str = ""
    _stage_since_s: float = 0.0
    _ended: bool = False
    _call: tuple[float, float, float] = (0.0, 0.0, 0.0)  # when the last one was sent, answered, and ended
    _connect_s: float = 0.0  # time for connecting, summed up since this was last set to 0

    def __post_init__(self) -> None:
        request_id = self.request_id or f"{self.rng.getrandbits(64):016x}"
        numbers = {"attempts": 1.0, "rejections": 0.0, "polls": 0.0}
        self._result = JobResult(request_id, self.clock(), numbers=numbers)

    def _drive(self) -> None:
        client, job, result = self.client, self.job, self._result
        self._stage_since_s = result.start_s
        self._enter("upload", result.start_s)  # not now: the stages add up to the duration
        client.noted, client.labelled = result.numbers, result.labels
        result.job_id = returned(self._in_time("upload", client.upload, job), str, client.upload)
        state = self._in_one_call() if client.one_call else self._by_polls()
        if state.phase is JobPhase.FAILED:
            raise ServiceError(state.error_class, state.error or "the job failed without a reason")
        self._enter("download", state.output_since_s or None)
        artifact = self._in_time("download", lambda state: client.fetch(result.job_id, state), state)
        # The job ends with the last byte: what the client does with the output is not the service's time.
        sent_s, _, end_s = self._call
        self._end(max(end_s, self._stage_since_s) if sent_s else None)
        self._check(returned(artifact, Artifact, client.fetch))

    def _order(self) -> str | JobState:
        client, job = self.client, self.job
        return self._in_time("submit", lambda job_id: client.submit(job, job_id), self._result.job_id)

    def _by_polls(self) -> JobState:
        """Send the order and poll until the job has ended, unless the answer to the order is the end."""
        self._enter("accept")
        ordered = self._order()
        if isinstance(ordered, JobState):
            self._stage = "upload"  # the answer is the end: there was no time for accepting an order
            self._part_call()
            return self._told_at_once(ordered)
        self._result.job_id = returned(ordered, str, self.client.submit)
        self._enter("queue" if self.client.queue_told else "run")  # a queue of 0 s would be a claim
        return self._wait_for_end()

    def _in_one_call(self) -> JobState:
        """Send the order, and wait for the answer, which comes when the work is done."""
        try:
            ordered = self._order()
        finally:
            self._part_call()
        return self._told_at_once(ordered)

    def _told_at_once(self, ordered: str | JobState) -> JobState:
        state = returned(ordered, JobState, self.client.submit)
        self._result.numbers["server_duration_s"] = self._result.stages.get("run", 0.0)
        return state

    def _part_call(self) -> None:
        """Part the time of a blocking call: from the last byte of the request to the first byte of the answer
        the job was in the stage ``run``."""
        sent_s, first_byte_s, _ = self._call
        if not sent_s or sent_s < self._stage_since_s:  # the request was not sent to its end
            return
        self._enter("run", sent_s)
        if first_byte_s:
            self._enter("download", first_byte_s)

    def _in_time(self, name: str, call: Callable[[_Asked], _Found], asked: _Asked) -> _Found:
        """As `_insist`. An answer that comes after the deadline counts as a timeout."""
        found = self._insist(name, call, asked)
        if self.clock() >= self.client.deadline_s:
            raise self._too_late()
        return found

    def _wait_for_end(self) -> JobState:
        """Poll until the job has completed or failed, or wait to be told so where the service does that.

        When did the job end? Not before the last poll with the answer "not finished" was *sent*, because the
        service read the state after that; and not after the answer "finished". The time between the two is
        ``poll_bound_s``. If the first poll already says "finished", the job ended after the order was sent.
        What an update says it says of the moment at which it was sent.
        """
        numbers, client, job_id = self._result.numbers, self.client, self._result.job_id
        accepted_s, not_finished_s, poll = self.clock(), self._asked_s, client.poll
        polls = lost = 0
        wanted_s: float | None = None
        followed = self._follow(job_id)
        try:
            while True:
                # Who has listened ever since the job was known not to be finished will be told of its end.
                hears = followed is not None and followed.since_s <= not_finished_s
                pause_s = self._poll_pause_s(accepted_s, wanted_s, rarely=hears)
                if followed is None:
                    self.sleep(pause_s)
                elif (update := followed.wait(pause_s)) is not None:
                    state = self._told(update, accepted_s, not_finished_s, hears)
                    if state.phase in _ENDED:
                        return state
                    not_finished_s = max(not_finished_s, update.since_s)
                    continue
                try:  # not in a method of its own: each frame of a user that waits takes memory
                    state = self._insist("poll", poll, job_id)
                except ServiceError as error:
                    lost += 1
                    self._ask_again(error, lost)
                    continue
                asked_s, now_s = self._asked_s, self.clock()
                if now_s >= client.deadline_s:
                    raise self._too_late()
                polls, lost = polls + 1, 0
                phase, wanted_s = returned(state, JobState, poll).phase, state.pause_s
                answered_s = state.output_since_s or now_s
                self._reach(phase, asked_s, answered_s)
                if phase in _ENDED:
                    numbers["server_duration_s"] = answered_s - accepted_s
                    numbers["poll_bound_s"] = answered_s - not_finished_s
                    if followed is not None:
                        numbers["told_by_event"] = 0.0
                    return state
                not_finished_s = asked_s
        finally:
            numbers["polls"] = float(polls)
            if followed is not None:
                followed.close()

    def _follow(self, job_id: str) -> Followed | None:
        if self.updates is None:
            return None
        self._result.numbers["updates"] = 0.0
        return self.updates.follow(job_id)

    def _told(self, update: Update, accepted_s: float, not_finished_s: float, hears: bool) -> JobState:
        """Go by an update; one may come before the answer to the order.

        Args:
            hears: no update before it can have been missed.
        """
        numbers, told = self._result.numbers, self.client.told
        numbers["updates"] += 1
        state = returned(told(self._result.job_id, update.fields), JobState, told)
        since_s, seen_s = max(update.since_s, not_finished_s), max(update.seen_s, accepted_s)
        queued_until_s = max(since_s, self._stage_since_s)
        if hears and state.phase is JobPhase.RUNNING and self._stage == "queue":
            self._enter("queue", queued_until_s)  # it tells of a beginning, and that was not earlier
        self._reach(state.phase, queued_until_s, seen_s)
        if state.phase in _ENDED:
            numbers["server_duration_s"] = seen_s - accepted_s
            numbers["poll_bound_s"] = seen_s - since_s
            numbers["told_by_event"] = 1.0
            if state.phase is JobPhase.COMPLETED:
                self._enter("download", seen_s)
        return state

    def _reach(self, phase: JobPhase, asked_s: float, answered_s: float) -> None:
        """The job was in this phase at some moment between the two. A job that has begun has left its queue,
        though a service of several processes may say otherwise."""
        if self._stage == "run":
            return
        if phase is JobPhase.PENDING:
            self._enter("queue", asked_s)
        else:
            self._result.numbers["begin_bound_s"] = answered_s - self._stage_since_s
            self._enter("run", self._stage_since_s)

    def _ask_again(self, error: ServiceError, lost: int) -> None:
        """Decide what a failed poll means; `lost` polls have failed one after another. A poll without an
        answer is made again. Any other failure of a poll is the failure of the job.

        Raises:
            ServiceError: the failure of the job.
        """
        numbers, retry = self._result.numbers, self.service.retry
        if error.error_class == "rejected":
            words = f"{error.message} ({_REFUSED_POLLS})"
            raise ServiceError("rejected", words, status=error.status) from error
        if error.error_class not in _NO_ANSWER or lost > retry.max_retries:
            raise error
        numbers["lost_polls"] = numbers.get("lost_polls", 0.0) + 1

    def _poll_pause_s(self, accepted_s: float, wanted_s: float | None, *, rarely: bool) -> float:
        """The pause before the next poll, but not beyond the deadline: as long as the service says, where it
        says that, or else as `poll_pause_s` has it.
        """
        service, now_s = self.service, self.clock()
        if wanted_s is not None:
            pause_s = min(wanted_s, service.retry.max_wait_s)
        else:
            refusals = self._result.numbers.get(_REFUSALS, 0.0)
            age_s = now_s - accepted_s
            pause_s = poll_pause_s(service, age_s, now_s, self.rng, refusals=refusals, rarely=rarely)
        return max(0.0, min(pause_s, self.client.deadline_s - now_s))

    def _too_late(self) -> ServiceError:
        words = f"not done within {human(self.service.timeout_s, 's')}; it was in stage '{self._stage}'"
        return ServiceError("timeout", words)

    def _check(self, artifact: Artifact) -> None:
        result = self._result
        try:
            try:
                result.numbers.update(self.inspect(artifact))
                result.numbers["valid"] = 1.0
            except NotInspectedError as error:
                result.leave_uninspected(error)
            if self.registry is not None and self.client.distinct_outputs:
                self.registry.admit(self.job.name, artifact.content, self.job.shows)
        except ServiceError as error:
            error.output = artifact
            if not result.remark:
                result.numbers["valid"] = 0.0
            raise
        except Exception:
            result.failed_output = artifact
            raise

    def _fail(self, error: ServiceError) -> None:
        result = self._result
        super()._fail(error)
        if error.error_class == "timeout" and result.job_id:
            self.client.deadline_s = inf  # the cancel comes after the deadline; a call has limits of its own
            try:
                self.client.cancel(result.job_id)
            except ServiceError:  # the job has failed already, and for another reason
                pass
            except BaseException as raised:
                if is_order(raised):
                    raise
                self.raised = raised

    def _enter(self, stage: str, at_s: float | None = None) -> None:
        """End the present stage and begin the next one: now, or at a moment of the present stage."""
        now_s = self.clock() if at_s is None else at_s
        self._close_stage(now_s)
        if stage != self._stage:
            self.on_stage(stage)
        self._stage, self._stage_since_s = stage, now_s

    def _observe(self, step: Step) -> None:
        self._connect_s += step.connect_s
        # Not the call itself: it knows this driver, and both would wait for the garbage collector.
        self._call = step.sent_s, step.first_byte_s, step.end_s
        super()._observe(step)

    def _close_stage(self, at_s: float) -> None:
        if not self._stage:
            return
        stages = self._result.stages
        spent_s = at_s - self._stage_since_s
        connect_s = min(self._connect_s, spent_s) if self._stage in _CONNECT_COUNTS_IN else 0.0
        self._connect_s = 0.0
        if self._stage in _CONNECT_COUNTS_IN:
            stages["connect"] = stages.get("connect", 0.0) + connect_s
        stages[self._stage] = stages.get(self._stage, 0.0) + spent_s - connect_s

    def _end(self, at_s: float | None = None) -> None:
        if self._ended:
            return
        self._ended = True
        self._result.end_s = self.clock() if at_s is None else at_s
        self._close_stage(self._result.end_s)
