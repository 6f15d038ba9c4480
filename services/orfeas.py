"""ORFEAS: image to 3D. Upload an image, order a mesh, poll, download.

What its answers do not say by themselves, and is settled here: a 200 on the order proves nothing; a job that
has not begun is a 404; "completed" may come with a placeholder; the format is not always the ordered one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import monotonic
from typing import Annotated, Any, Literal

from pydantic import Field

from genload.artifacts.inspector import shared
from genload.artifacts.mesh.check import MeshCheck
from genload.artifacts.mesh.facts import MeshError
from genload.client import Answer, ClientError
from genload.client.service_calls import ServiceCalls, page_text, redirect_words, retry_after_s
from genload.client.socketio_updates import SocketIoUpdates
from genload.human import human
from genload.service import (
    Artifact,
    JobClient,
    JobInput,
    JobPhase,
    JobState,
    ServiceError,
)
from genload.service.updates import Updates
from genload.settings.metrics.metric import Metric, request_share
from genload.settings.model import Settings
from genload.settings.service import Service
from genload.settings.units import TransportSeconds
from genload.settings.wing_models import RequestSettings

_NO_CAPACITY = re.compile(r"cannot allocate job .*insufficient resources", re.IGNORECASE | re.DOTALL)
_IN_PROGRESS = re.compile(rb"^orfeas_generations_in_progress\{([^}\n]*)\}[ \t]+([^ \t\r\n]+)", re.MULTILINE)
_TYPE_3D = re.compile(rb'(?:^|,)\s*type="3d"')
_PHASES = {
    "initializing": JobPhase.PENDING,
    "processing": JobPhase.RUNNING,
    "completed": JobPhase.COMPLETED,
    "failed": JobPhase.FAILED,
}
_UNDER_WAY = {phase: JobState(phase) for phase in (JobPhase.PENDING, JobPhase.RUNNING)}
_LONGEST_TEXT = 200
_QUESTION_SHARE, _SHORTEST_QUESTION_S = 0.25, 0.01

TOLD_BY_EVENT = request_share(
    "generate.told_by_event",
    "ends told by events",
    "jobs whose end an event told ÷ jobs whose end an event or a poll told; where updates are followed",
    finding="ends were told by polls",
)


class Dimensions(Settings):
    """Size of the object that is ordered, in whole millimetres."""

    width: Annotated[int, Field(ge=1, le=1000)]
    height: Annotated[int, Field(ge=1, le=1000)]
    depth: Annotated[int, Field(ge=1, le=500)]


class Client(JobClient):
    """One user's way to ORFEAS."""

    class Request(RequestSettings):
        """``service.request`` of a suite."""

        format: Literal["stl", "obj", "glb", "ply"] = "stl"
        """The format that is ordered; a result in another one is counted (`format_honoured`), not failed."""
        quality: Annotated[int, Field(ge=1, le=10)] = 7
        dimensions: Dimensions | None = None
        """Size of the object; None: the service's own."""
        placeholder: Literal["fail", "allow"] = "fail"
        """A bare box, and the same mesh for different images, are what ORFEAS answers when its model failed.
        ``allow`` takes them for results, as for a service that is given pictures of boxes."""
        updates: Literal["poll", "socketio"] = "poll"
        """How a job is followed: by polls, or by the events that ORFEAS broadcasts, and by polls where these
        fail."""
        lost_after_s: TransportSeconds = 30.0
        """How long an accepted job may be unknown to job-status (404) before it is lost."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._request = self._asked(service)
        self.distinct_outputs = self._request.placeholder == "fail"
        self._calls = ServiceCalls(self)
        self._accepted_s = 0.0
        self._seen = False

    @classmethod
    def _asked(cls, service: Service) -> Request:
        # A suite read back without its wings keeps the values, but not this model, which all users share.
        asked, model = service.request, cls.Request
        return asked if isinstance(asked, model) else model.model_validate(asked.model_dump())

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        follows = isinstance(request, cls.Request) and request.updates != "poll"
        return (*super().measures(request), *([TOLD_BY_EVENT] if follows else []))

    @classmethod
    def updates(cls, service: Service) -> Updates | None:
        if cls._asked(service).updates == "poll":
            return None
        question_s = max(service.poll.first_s * _QUESTION_SHARE, _SHORTEST_QUESTION_S)
        return SocketIoUpdates(cls(service), event="job_update", key="job_id", question_s=question_s)

    def ready(self) -> None:
        answer = self._calls.get("/ready")
        if answer.status == 503:
            raise ServiceError("not_ready", _words(answer) or "not ready", status=503)
        state = _fields(answer).get("status")
        if state != "ready":
            asked = f"{self.service.host}/ready"
            raise ServiceError("bad_answer", f"{asked} says {state!r}, not 'ready': is this an ORFEAS?")

    def upload(self, job: JobInput) -> str:
        with self.step("upload", "POST") as step:
            path = "/api/upload-image"
            answer = self._calls.post_file(path, "image", job.name, job.content, job.media_type, step)
            return _text(_fields(answer), "job_id")

    def submit(self, job: JobInput, job_id: str) -> str:
        order: dict[str, Any] = {
            "job_id": job_id,
            "format": self._request.format,
            "quality": self._request.quality,
        }
        if self._request.dimensions:
            order["dimensions"] = self._request.dimensions.model_dump()
        with self.step("submit", "POST") as step:
            answer = self._calls.post_json("/api/generate-3d", order, step)
            accepted = _text(_fields(answer), "job_id")
        self._accepted_s, self._seen = monotonic(), False
        return accepted

    def poll(self, job_id: str) -> JobState:
        with self.step("poll", recorded=False) as step:
            answer = self._calls.call("GET", f"/api/job-status/{job_id}", step)
            if answer.status == 404:
                return self._unknown(job_id)
            state = _fields(answer)
            self._seen = True
            return self._state(job_id, state)

    def told(self, job_id: str, fields: Mapping[str, Any]) -> JobState:
        return self._state(job_id, fields)

    def _state(self, job_id: str, fields: Mapping[str, Any]) -> JobState:
        phase = _PHASES.get(_text(fields, "status"))
        if phase is None:
            raise ServiceError("bad_answer", f"unknown job status {fields['status']!r}")
        if phase is JobPhase.FAILED:
            words = str(fields.get("error") or "")
            narrow = "no_capacity" if _NO_CAPACITY.search(words) else "job_failed"
            return JobState(phase, error=words, error_class=narrow)
        if phase is JobPhase.COMPLETED:
            return JobState(phase, output=self._output(job_id, fields))
        return _UNDER_WAY[phase]

    def _unknown(self, job_id: str) -> JobState:
        """A 404: pending, as long as the job was never seen and was accepted a short time ago."""
        if self._seen:
            raise ServiceError("job_lost", f"the service has forgotten job {job_id}", status=404)
        if monotonic() - self._accepted_s > self._request.lost_after_s:
            text = f"the accepted job {job_id} is unknown after {human(self._request.lost_after_s, 's')}"
            raise ServiceError("job_lost", text, status=404)
        return JobState(JobPhase.PENDING)

    @staticmethod
    def _output(job_id: str, state: Mapping[str, Any]) -> str:
        """Where the output is; its name alone tells which format was really made."""
        if isinstance(url := state.get("download_url"), str) and url:
            return url
        if isinstance(name := state.get("output_file"), str) and name:
            return f"/api/download/{job_id}/{name}"
        raise ServiceError("bad_answer", "the completed job has neither download_url nor output_file")

    def fetch(self, job_id: str, state: JobState) -> Artifact:
        name = state.output.partition("?")[0].rpartition("/")[2]
        with self.step("download") as step:
            try:
                answer = _success(self._calls.get(state.output, step))
            except ValueError as error:  # nothing that can be asked for
                text = f"download_url {state.output[:200]!r} cannot be followed: {error}"
                raise ServiceError("bad_answer", text) from error
            except ServiceError as error:
                if isinstance(failure := error.__cause__, ClientError) and failure.answer:
                    error.output = Artifact(failure.answer.body, name, "")
                raise
            return Artifact(answer.body, name, answer.headers.get("content-type", ""))

    def inspect(self, artifact: Artifact) -> dict[str, float]:
        check = MeshCheck(
            shared().mesh, self._request.format, allow_placeholder=self._request.placeholder == "allow"
        )
        return check(artifact)

    def describe(self, artifact: Artifact) -> str:
        try:
            mesh = shared().mesh(artifact.content, artifact.name.rpartition(".")[2].lower())
        except MeshError as error:
            return f"no mesh: {error.error_class}: {error.message}"
        size = " × ".join(f"{extent:.4g}" for extent in mesh.extents)
        closed = "watertight" if mesh.watertight else "not watertight"
        box = ", nothing but a box" if mesh.is_box else ""
        return f"{mesh.format} mesh, {mesh.faces} triangles, {mesh.vertices} vertices, {size}, {closed}{box}"

    def in_flight(self) -> int | None:
        try:
            answer = self._calls.get("/metrics")
        except ServiceError:
            return None
        if answer.status != 200:
            return None
        # One family of 73, by a line match: parsing the page takes 5 ms, and nobody else runs meanwhile.
        for labels, value in _IN_PROGRESS.findall(answer.body):
            if _TYPE_3D.search(labels):
                return _count(value)
        return None

    def time_scale(self) -> float | None:
        try:
            return float(self._calls.get("/ready").headers["x-testbed-time-scale"])
        except (KeyError, ValueError):
            return None

    def close(self) -> None:
        self._calls.http.close()


def _success(answer: Answer) -> Answer:
    """The answer, if it is a 200.

    Raises:
        ServiceError: ``rejected`` for "not now" (429, 503), else ``http_<status>``.
    """
    if answer.status == 200:
        return answer
    words = _words(answer) or answer.reason or "no reason given"
    if answer.status in (429, 503):
        raise ServiceError(
            "rejected", words, rejected=True, retry_after_s=retry_after_s(answer), status=answer.status
        )
    if 300 <= answer.status < 400:
        words = redirect_words(answer)
    raise ServiceError(f"http_{answer.status}", words, status=answer.status)


def _fields(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer 200; a page that is none shows that another service answers there.

    Raises:
        ServiceError: as `_success`; ``bad_answer``.
    """
    if answer.status != 200:
        _success(answer)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        kind = answer.headers.get("content-type", "no content type")
        text = f"not a JSON object but {kind}: is this an ORFEAS? It says: {_words(answer)}"
        raise ServiceError("bad_answer", text, status=answer.status)
    return found


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise ServiceError("bad_answer", f"the answer has no '{key}'", status=200)
    if len(value) > _LONGEST_TEXT:  # an id goes into every later call, and into the record
        raise ServiceError("bad_answer", f"the answer's '{key}' has {len(value)} characters", status=200)
    return value


def _words(answer: Answer) -> str:
    """What an answer says for people: ORFEAS's own error, or the text of a proxy's page."""
    try:
        fields = answer.json()
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return page_text(answer)
    parts = [str(fields[key]) for key in ("error", "details", "checks") if fields.get(key)]
    return ": ".join(parts)[:500] or str(fields.get("status") or "")


def _count(value: bytes) -> int | None:
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None
