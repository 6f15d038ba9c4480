"""Any API of generation jobs that YAML can describe (``service.request``): one blocking call, or an order
that is polled and fetched. What there is to say, and how: docs/your-own-service.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from time import monotonic
from typing import Any

from genload.artifacts.inputs.texts import TextSource
from genload.client import Answer, ClientError
from genload.client.service_calls import ServiceCalls
from genload.described.call import PreparedCall, Sendable
from genload.described.capture import Captures, take
from genload.described.description import Description
from genload.described.heard import Heard, Reading
from genload.described.inspection import inspected, metrics_of_output
from genload.described.labels import read_labels
from genload.described.numbers import Moment, metrics_of, read_numbers
from genload.described.plan import KEY, Plan, plan_of
from genload.described.polling import PHASES, Polling
from genload.described.result import name_in
from genload.described.values import NOTHING, TEXT, Values
from genload.human import human
from genload.service import (
    JOB_STAGES,
    ONE_CALL_STAGES,
    Artifact,
    JobClient,
    JobInput,
    JobPhase,
    JobState,
    ServiceError,
    Step,
)
from genload.settings.metrics.metric import Metric
from genload.settings.service import Service
from genload.settings.wing_models import RequestSettings

_ACCEPTED = 202
_NOT_FOUND = 404
_LONGEST_ID = 200
_UNDER_WAY = {phase: JobState(phase) for phase in (JobPhase.PENDING, JobPhase.RUNNING)}


@lru_cache(maxsize=16)
def _texts_of(plan: Plan) -> TextSource | None:
    """The prompts, read once for all users. Raises ConfigError: a file that cannot be used."""
    texts = plan.description.texts
    return None if texts is None else TextSource(texts, ("",), seed=0, salt="prompt")


class Client(JobClient):
    """One user's way to a described service."""

    Request = Description

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        if not isinstance(request, Description):
            return super().measures(request)
        return (*metrics_of_output(request.output), *metrics_of(request.numbers))

    @classmethod
    def inspection_of(cls, request: RequestSettings) -> str:
        return request.output.kind if isinstance(request, Description) else cls.inspection

    @classmethod
    def stages_of(cls, request: RequestSettings) -> tuple[str, ...]:
        one_call = isinstance(request, Description) and request.one_call
        return ONE_CALL_STAGES if one_call else JOB_STAGES

    @classmethod
    def labels(cls, request: RequestSettings) -> Mapping[str, tuple[str, ...]]:
        return dict.fromkeys(request.labels, ()) if isinstance(request, Description) else {}

    @classmethod
    def one_user_alone(cls, request: RequestSettings) -> str:
        call = request.call_of_no_job if isinstance(request, Description) else ""
        return f"{KEY}.{call} asks for no job of its own" if call else ""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._plan = plan_of(service.request.model_dump_json())
        self._told = self._plan.description
        self.one_call = self._told.one_call
        self.distinct_outputs = self._told.placeholder == "fail"
        self.queue_told = self._told.poll is None or self._told.poll.tells_queue
        self._texts = _texts_of(self._plan)
        self._calls = ServiceCalls(self)
        self._reading = Reading(self._plan.paths, self._plan.encoded, self._calls.spool)
        self._values = NOTHING
        self._asked: Sendable | None = None  # the poll of the job under way: the same again and again
        self._end: Heard | None = None  # the answer that told the end of the job under way
        self._seen = False  # the service has told a state of it
        self._accepted_s = self._changed_s = 0.0
        self._state = ""  # in the service's own word

    @classmethod
    def key_of(cls, step: str) -> str:
        below = {"submit": "", "download": ".result", "poll": ".poll", "ready": ".ready"}
        return KEY + below.get(step, f".before.{step}") if step else KEY

    def ready(self) -> None:
        probe = self._told.ready
        answer = self._send(self._plan.ready, NOTHING)
        if answer.status == probe.expect:
            return
        if probe.expect is not None:
            words = self._told.errors.words_of(self._heard(answer, ".ready"))
            raise ServiceError("not_ready", f"status {answer.status}: {words}", status=answer.status)
        try:
            self._told.errors.check(self._heard(answer, ".ready"))
        except ServiceError as error:
            if error.rejected:
                raise ServiceError("not_ready", error.message, status=error.status) from error
            raise

    def upload(self, job: JobInput) -> str:
        self._values, self._end, self._state = Values(job, self.request_id), None, ""
        if self._texts is not None:  # by the seed of the job: the same input again has the same text again
            self._values.captured[TEXT] = self._texts.utterance(self._values["seed"]).text
        for name, (request, captures) in self._plan.before.items():
            with self.step(name, request.method) as step:
                self._ask(request, f".before.{name}", step, captures)
        return ""

    def submit(self, job: JobInput, job_id: str) -> str | JobState:
        told, order = self._told, self._plan.order
        with self.step("submit", order.method) as step:
            answer = self._send(order, self._values, step, waits=told.may_wait)
            heard = told.errors.check(self._heard(answer))
            is_end = self.one_call or (told.mode == "sync_or_job" and answer.status != _ACCEPTED)
            self._note("request", heard)
            if is_end:
                return self._ended(heard)
            take(told.capture, heard, self._values)
            accepted = self._job_id()
        self._accepted_s = self._changed_s = monotonic()
        self._seen = False
        self._asked = None
        return accepted

    def poll(self, job_id: str) -> JobState:
        polling, planned = self._told.poll, self._plan.poll
        assert polling is not None and planned is not None  # noqa: S101  else there is no job, but one call
        asked = self._asked or planned.filled(self._values)
        if not planned.has_secrets:  # which may change while the job is under way
            self._asked = asked
        with self.step("poll", recorded=False) as step:
            answer = asked.sent(self._calls, step, spools=True)
            if answer.status == _NOT_FOUND and self._may_be_missing(polling):
                return _UNDER_WAY[JobPhase.PENDING if self.queue_told else JobPhase.RUNNING]
            heard = self._told.errors.check(self._heard(answer, ".poll"), polling.statuses)
            word, meaning = polling.told(heard)
            if not meaning:
                return self._untold(polling, heard)
            self._seen = True
            if meaning == "completed":
                take(polling.capture, heard, self._values)
                return self._ended(heard)
            if (phase := PHASES.get(meaning)) is None or phase is JobPhase.FAILED:
                self._note("end", heard)
                words = self._told.errors.words_of(heard, polling.words)
                return JobState(
                    JobPhase.FAILED, error=words, error_class=meaning if phase is None else "job_failed"
                )
            return self._under_way(polling, phase, word, heard)

    def _under_way(self, polling: Polling, phase: JobPhase, word: str, heard: Heard) -> JobState:
        now_s = monotonic()
        if word != self._state:
            self._state, self._changed_s = word, now_s
        elif polling.stuck_after_s is not None and now_s - self._changed_s > polling.stuck_after_s:
            words = f"the state has been '{word:.80}' for more than {human(polling.stuck_after_s, 's')}"
            return JobState(JobPhase.FAILED, error=words, error_class="stuck")
        if polling.pace is not None and (pause_s := polling.pace.read_s(heard)) is not None:
            return JobState(phase, pause_s=pause_s)
        return _UNDER_WAY[phase]

    def _untold(self, polling: Polling, heard: Heard) -> JobState:
        """The answer tells no state: early on it may not have one yet."""
        if self._may_be_missing(polling):
            return _UNDER_WAY[JobPhase.PENDING if self.queue_told else JobPhase.RUNNING]
        if self._accepted_s and not self._seen and polling.missing_for_s:
            words = f"the accepted job has no state after {human(polling.missing_for_s, 's')}"
            raise ServiceError("job_lost", words, status=heard.answer.status)
        place = polling.state.path or polling.state.all_of or ""
        heard.need(place, "state")
        raise ServiceError(
            "missing_value", f"{heard.key}.state: '{place}' is empty", status=heard.answer.status
        )

    def _may_be_missing(self, polling: Polling) -> bool:
        return not self._seen and monotonic() - self._accepted_s <= polling.missing_for_s

    def _ended(self, heard: Heard) -> JobState:
        """The job is done, and this answer says so; what it holds of the output is kept for `fetch`."""
        self._end = heard
        self._note("end", heard)
        inside = self._plan.result is None and self._told.result.url is None
        return JobState(JobPhase.COMPLETED, output_since_s=heard.answer.times.first_byte_s if inside else 0.0)

    def fetch(self, job_id: str, state: JobState) -> Artifact:
        result, heard = self._told.result, self._end
        assert heard is not None  # noqa: S101  no job is completed without an answer that says so
        self._end = None  # an answer may be large: it is not kept until the next job
        if self._plan.result is not None:
            with self.step("download", self._plan.result.method) as step:
                heard = self._ask(self._plan.result, ".result", step, {})
        heard.key = f"{KEY}.result"
        self._note("result", heard)
        if result.base64 is not None:
            artifact = result.decoded(heard, self._plan.name_of_result(self._values))
        elif result.url is not None:
            artifact = self._from(heard.need_text(result.url, "url"))
        else:
            artifact = result.body(heard, self._plan.name_of_result(self._values))
        most_bytes = int(self.service.max_answer_bytes)
        return result.unpacked(artifact, f"{KEY}.result", most_bytes, self._calls.spool)

    def _from(self, url: str) -> Artifact:
        """What is at a URL that the service gave."""
        with self.step("download") as step:
            try:
                answer = self._calls.call("GET", url, step, spools=True)
                heard = self._told.errors.check(self._heard(answer, ".result.url"))
            except ValueError as error:
                text = f"{KEY}.result.url: {url[:200]!r} cannot be followed: {error}"
                raise ServiceError("bad_answer", text) from error
            except ServiceError as error:
                if isinstance(failure := error.__cause__, ClientError) and failure.answer:
                    error.output = Artifact(failure.answer.content, name_in(url), "")
                raise
            return self._told.result.body(heard, self._plan.name.text(self._values) or name_in(url))

    def cancel(self, job_id: str) -> None:
        if self._plan.cancel is not None:
            self._send(self._plan.cancel, self._values)

    def inspect(self, artifact: Artifact) -> dict[str, float] | None:
        told = self._told
        return inspected(told.output, artifact, ordered=told.format, placeholder=told.placeholder)

    def in_flight(self) -> int | None:
        gauge = self._told.in_flight
        if gauge is None or self._plan.in_flight is None:
            return None
        try:
            answer = self._send(self._plan.in_flight, NOTHING)
            return int(self._heard(answer, ".in_flight").find(gauge.count))
        except (ServiceError, TypeError, ValueError, OverflowError):
            return None

    def time_scale(self) -> float | None:
        try:
            return float(self._send(self._plan.ready, NOTHING).headers["x-testbed-time-scale"])
        except (KeyError, ValueError):
            return None

    def close(self) -> None:
        self._calls.http.close()

    def _job_id(self) -> str:
        """For the record, of any type that it has; the request's own where none is captured."""
        job_id: Any = self._values.captured.get("id", self.request_id)
        if not 0 < len(text := str(job_id)) <= _LONGEST_ID:
            words = f"{KEY}.capture.id: what is found has {len(text):,} characters, and is no id"
            raise ServiceError("bad_answer", words)
        return text

    def _heard(self, answer: Answer, below: str = "") -> Heard:
        return Heard(answer, KEY + below, self._reading)

    def _ask(self, request: PreparedCall, below: str, step: Step, captures: Captures) -> Heard:
        """Make a call that must succeed, and take from its answer what is wanted."""
        heard = self._told.errors.check(self._heard(self._send(request, self._values, step), below))
        take(captures, heard, self._values)
        return heard

    def _send(
        self, request: PreparedCall, values: Values, step: Step | None = None, *, waits: bool = False
    ) -> Answer:
        return request.filled(values).sent(self._calls, step, waits=waits, spools=True)

    def _note(self, of: Moment, heard: Heard) -> None:
        """Keep the numbers and labels that an answer has for the job's record."""
        if self._told.numbers:
            self.noted.update(read_numbers(self._told.numbers, heard, of))
        if self._told.labels:
            self.labelled.update(read_labels(self._told.labels, heard, of))
