"""A plain API of generation jobs, in the two ways that most services have: one blocking call, and a job that
is polled. GPU, faults, pages and truth log are those of the ORFEAS API, whose calls stay there, too.

===========================  =================================================================================
``POST /v1/generate``        the answer is the file, when it is made
``POST /v1/jobs``            202 with ``{"id": …, "status": "queued"}``
``GET /v1/jobs/ID``          ``queued``, ``running``, ``completed`` with ``inference_time_s``, or ``failed``
                             with ``error.message``
``GET /v1/jobs/ID/result``   the file
``DELETE /v1/jobs/ID``       204; the GPU works on, as most do
===========================  =================================================================================

Either order is a form with the file ``image``, or JSON with ``image`` as base64 or a data URI; ``format`` and
``quality`` beside it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .api import Api, check_and_store, content_of
from .bodies import form, json_object
from .faults import WORK, Fault, Step, Strike
from .images import MAX_BYTES, ImageRefusedError
from .job import Job, Order, Upload
from .relief import DEFAULT_DIMENSIONS_MM
from .spoiling import SPOILS
from .transfer import Transfer
from .truth import Truth


class _Fields(BaseModel):
    """What is ordered, beside the image."""

    format: Literal["stl", "obj", "glb", "ply"] = "glb"
    quality: int = Field(default=7, ge=1, le=10)


class _RefusedError(Exception):
    """An order that is none."""


class JobApi(Api):
    """The handlers."""

    def _routes(self) -> list[Route]:
        asking = self._asking
        return [
            Route("/v1/generate", asking(self._generate_at_once, Step.SUBMIT), methods=["POST"]),
            Route("/v1/jobs", asking(self._order, Step.SUBMIT), methods=["POST"]),
            Route("/v1/jobs/{job_id}", asking(self._state, Step.POLL)),
            Route("/v1/jobs/{job_id}", asking(self._forget), methods=["DELETE"]),
            Route("/v1/jobs/{job_id}/result", asking(self._result, Step.DOWNLOAD)),
            *super()._routes(),
        ]

    async def _generate_at_once(self, request: Request) -> Response:
        job = await self._accepted(request)
        if isinstance(job, Response):
            return job
        await job.over.wait()
        return self._file(request, job) if job.completed else _failure(job.truth.error, 500)

    async def _order(self, request: Request) -> Response:
        job = await self._accepted(request)
        if isinstance(job, Response):
            return job
        return JSONResponse({"id": job.order.job_id, "status": "queued"}, 202)

    async def _state(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        if instead := self._spoilt(request, self._fault(request, Step.POLL, job_id)):
            return instead
        job = self._jobs.job(job_id)
        return JSONResponse(_told(job)) if job is not None else _failure("no such job", 404)

    async def _result(self, request: Request) -> Response:
        job = self._jobs.job(request.path_params["job_id"])
        if job is None or not job.completed:
            return _failure("no such result", 404)
        return self._file(request, job)

    async def _forget(self, request: Request) -> Response:
        known = self._jobs.is_known(request.path_params["job_id"])
        return Response(status_code=204) if known else _failure("no such job", 404)

    def _file(self, request: Request, job: Job) -> Response:
        start_s, job_id = monotonic(), job.order.job_id
        fault = self._fault(request, Step.DOWNLOAD, job_id)
        if instead := self._spoilt(request, fault):
            return instead
        content = content_of(job.output)
        if fault in SPOILS:  # what comes of it is no download
            return Response(content, media_type=Transfer.media_type)

        def served(sent_bytes: int, whole: bool) -> None:
            self._jobs.served(job_id, sent_bytes, whole=whole, start_s=start_s, end_s=monotonic())

        return Transfer(content, job.output.name, served)

    async def _accepted(self, request: Request) -> Job | Response:
        """The job that an order makes; or the refusal."""
        arrival_s = monotonic()
        try:
            filename, image, fields = await _ordered(request)
        except (_RefusedError, ValidationError) as error:
            return _failure(str(error), 400)
        if refused := self._refused(request, None):
            return refused
        if not self._admitted(request, arrival_s):
            return _failure(self._rate_limit.refusal, 429)
        job_id, request_id = str(uuid.uuid4()), request.headers.get("x-request-id", "")
        stored = f"{job_id}_{filename}"
        path = self._folder / stored
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._pool, check_and_store, image, filename, path
            )
        except ImageRefusedError as refusal:
            return _failure(str(refusal), 400)
        upload = Upload(job_id, stored, path, request_id, arrival_s, self._draws.of_job())
        self._jobs.add_upload(upload)
        fault = self._fault(request, Step.SUBMIT, job_id)
        if instead := self._spoilt(request, fault):
            self._jobs.turn_away(Truth(job_id, request_id, arrival_s=arrival_s, faults=str(fault)))
            return instead
        return self._made(job_id, fields, arrival_s, request_id, fault)

    def _made(
        self, job_id: str, fields: _Fields, arrival_s: float, request_id: str, fault: Fault | None
    ) -> Job | Response:
        asked = Strike(fault) if fault is not None and fault in SPOILS | WORK else None
        order = Order(job_id, fields.format, fields.quality, DEFAULT_DIMENSIONS_MM)
        self._jobs.accept(order, arrival_s=arrival_s, request_id=request_id, asked=asked)
        return self._jobs.job(job_id) or _failure("no such job", 404)


async def _ordered(request: Request) -> tuple[str, bytes, _Fields]:
    """Name and content of the image, and the rest.

    Raises:
        _RefusedError, ValidationError: there is none, or a field is wrong.
    """
    body = await json_object(request)
    if body is not None:
        return "image.png", _decoded(body.pop("image", None)), _Fields.model_validate(body)
    filename, content, fields = await form(request)
    if content is None:
        raise _RefusedError("no image: send a form with a file, or JSON with base64, as 'image'")
    if len(content) > MAX_BYTES:
        raise _RefusedError("the image is larger than 50 MB")
    return Path(filename).name or "image.png", content, _Fields.model_validate(fields)


def _decoded(image: Any) -> bytes:
    try:
        return base64.b64decode(str(image).rpartition(",")[2], validate=True)
    except binascii.Error as error:
        raise _RefusedError(f"'image' is no base64: {error}") from error


def _told(job: Job) -> dict[str, Any]:
    """What a poll is told."""
    job_id, truth = job.order.job_id, job.truth
    if job.completed and truth.start_s is not None and truth.end_s is not None:
        url = f"/v1/jobs/{job_id}/result"
        output = {"url": url, "format": job.output.suffix[1:], "bytes": truth.output_bytes}
        done = {"inference_time_s": truth.end_s - truth.start_s, "output": output}
        return {"id": job_id, "status": "completed", **done}
    if job.ended:
        return {"id": job_id, "status": "failed", "error": {"message": truth.error}}
    return {"id": job_id, "status": "queued" if truth.start_s is None else "running"}


def _failure(message: str, status: int) -> Response:
    return JSONResponse({"error": {"message": message}}, status)
