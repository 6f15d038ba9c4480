"""Gradio apps (TRELLIS, TripoSR, SF3D and most demos): upload, call, events until the end, the file.

Each call is ordered by one request and told by another, an event stream that lasts as long as the work:
together they are one blocking call. Several calls of one job share a session, as TRELLIS needs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from genload.artifacts.answer.paths import found, there_is
from genload.client import Answer
from genload.client.service_calls import ServiceCalls
from genload.described.call import filled_tree
from genload.described.errors import Errors
from genload.described.heard import Heard
from genload.described.inspection import Placeholder, inspected, metrics_of_output
from genload.described.output import Output
from genload.described.path import JsonPath
from genload.described.template import TemplateTree
from genload.described.values import NOTHING, Values
from genload.plain import plain
from genload.service import (
    ONE_CALL_STAGES,
    Artifact,
    JobClient,
    JobInput,
    JobPhase,
    JobState,
    ServiceError,
)
from genload.settings.metrics.metric import Metric
from genload.settings.model import Settings
from genload.settings.service import Service
from genload.settings.wing_models import RequestSettings

_EVENT = re.compile(rb"event: *(\w+)\r?\ndata: *([^\r\n]*)")


class Function(Settings):
    """One call of a function of the app: ``/call/fn``, see "Use via API" on its page."""

    fn: str
    """Its name there, without the slash."""
    data: TemplateTree = []
    """Its inputs in their order; "{file}" is the uploaded image, {seed} a number of the job's own."""


class Client(JobClient):
    """One user's way to a Gradio app."""

    stages = ONE_CALL_STAGES

    class Request(RequestSettings):
        """``service.request`` of a suite."""

        calls: Annotated[tuple[Function, ...], Field(min_length=1)]
        """What is called, one after the other in one session."""
        result: JsonPath
        """Where the file is in what the last call gives, a list: ``[0]``, or ``[1].value``."""
        output: Output = Output()
        """What it must be: ``mesh``, ``splats``, ``image``, ``{kind: bytes, at_least: 10KB}``, ``none``."""
        placeholder: Placeholder = "fail"
        """``allow``: a bare box, and the same file for different inputs, are results."""
        prefix: str = "/gradio_api"
        """What stands before the app's paths: Gradio 5 has /gradio_api, Gradio 4 nothing."""

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        if not isinstance(request, cls.Request):
            return super().measures(request)
        return metrics_of_output(request.output)

    @classmethod
    def inspection_of(cls, request: RequestSettings) -> str:
        return request.output.kind if isinstance(request, cls.Request) else cls.inspection

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.one_call = True
        self._told = self.Request.model_validate(service.request.model_dump())
        self.distinct_outputs = self._told.placeholder == "fail"
        self._data = [filled_tree(list(call.data)) for call in self._told.calls]
        self._calls = ServiceCalls(self)
        self._values = NOTHING

    def ready(self) -> None:
        self._success(self._calls.get("/config"), "service.host")

    def upload(self, job: JobInput) -> str:
        self._values = Values(job, self.request_id)
        with self.step("upload", "POST") as step:
            path = f"{self._told.prefix}/upload"
            answer = self._calls.post_file(path, "files", job.name, job.content, job.media_type, step)
            stored = self._success(answer, "service.request.prefix").need_text("[0]", "upload")
        meta = {"_type": "gradio.FileData"}
        self._values.captured["file"] = {"path": stored, "orig_name": job.name, "meta": meta}
        return ""

    def submit(self, job: JobInput, job_id: str) -> JobState:
        sent_s = since_s = 0.0
        given: Any = None
        for call, data in zip(self._told.calls, self._data, strict=True):
            path = f"{self._told.prefix}/call/{call.fn}"
            with self.step("submit", "POST") as step:
                order = {"data": data(self._values), "session_hash": self.request_id}
                heard = self._success(self._calls.post_json(path, order, step), "service.request.calls")
                event_id = quote(heard.need_text("event_id", "event_id"), safe="")
                sent_s = sent_s or step.sent_s
            with self.step("events") as step:
                try:
                    answer = self._calls.call("GET", f"{path}/{event_id}", step, waits=True)
                    self._success(answer, "service.request.calls")
                    given, since_s = _ended(answer, call.fn)
                finally:
                    if step.sent_s:
                        step.sent_s = sent_s  # the work began with the first call
                step.first_byte_s = since_s  # what came before tells of work that goes on
        return JobState(JobPhase.COMPLETED, output=self._file(given))

    def fetch(self, job_id: str, state: JobState) -> Artifact:
        with self.step("download") as step:
            try:
                answer = self._calls.call("GET", state.output, step, spools=True)
            except ValueError as error:
                words = f"{state.output[:200]!r} cannot be followed: {error}"
                raise ServiceError("bad_answer", words) from error
            self._success(answer, "service.request.result")
            name = state.output.partition("?")[0].rpartition("/")[2]
            return Artifact(answer.content, name, answer.headers.get("content-type", ""))

    def inspect(self, artifact: Artifact) -> dict[str, float]:
        return inspected(self._told.output, artifact, placeholder=self._told.placeholder)

    def time_scale(self) -> float | None:
        return None

    def close(self) -> None:
        self._calls.http.close()

    def _file(self, given: Any) -> str:
        """Where the output is, on the app's own host: a URL that it gives has the name it knows itself by."""
        file = found(self._told.result, given)
        path = file.get("path") if isinstance(file, dict) else file
        if not isinstance(path, str) or not path:
            words = f"service.request.result: '{self._told.result}' finds no file: {there_is(given)}"
            raise ServiceError("missing_value", words)
        return f"{self._told.prefix}/file={quote(path, safe='/')}"

    @staticmethod
    def _success(answer: Answer, key: str) -> Heard:
        return Errors().check(Heard(answer, key))


def _ended(answer: Answer, fn: str) -> tuple[Any, float]:
    """What a call gave, and when the event that brings it began to come.

    Raises:
        ServiceError: ``job_failed`` for the event that says so, ``bad_answer`` for a stream without an end.
    """
    for at, kind, data in _events(answer.body):
        if kind == "error":
            raise ServiceError("job_failed", plain(str(data)) if data else f"{fn} failed without a reason")
        if kind == "complete":
            return data, _came_s(answer, at)
    raise ServiceError("bad_answer", f"the events of {fn} ended without 'complete'", status=answer.status)


def _events(stream: bytes) -> Iterator[tuple[int, str, Any]]:
    """Each with its place."""
    for event in _EVENT.finditer(stream):
        try:
            yield event.start(), event.group(1).decode(), json.loads(event.group(2))
        except (ValueError, RecursionError) as error:
            raise ServiceError("bad_answer", f"an event whose data is no JSON: {error}") from error


def _came_s(answer: Answer, at: int) -> float:
    came = 0
    for at_s, count in answer.arrivals:
        came += count
        if came > at:
            return at_s
    return answer.times.end_s
