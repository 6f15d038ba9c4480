"""The ORFEAS API as a client can see it, on Starlette."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .bodies import image_field, json_object
from .broadcast import Broadcast
from .decline import Decline
from .envelope import Envelope
from .faults import ANSWERS, REFUSALS, WHOLE, WORK, Draws, Fault, Step, Strike, UnknownFaultError, asked
from .faults import HEADER as FAULT_HEADER
from .gpu import Gpu
from .images import MAX_BYTES, ImageRefusedError, check_image
from .job import Order, Upload
from .jobs import Jobs
from .metrics import Metrics
from .options import Options
from .ratelimit import WINDOW_S, RateLimit
from .spoiling import SPOILS, spoil
from .substitutes import substitute
from .transfer import Transfer
from .truth import Truth

_UUID = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_RETRY_AFTER_S = 5  # modelled; the real service says 5
_SCRAPE_S = 0.1  # modelled: a real scrape measures the CPU for that long
_CAPABILITIES = ["image_upload", "3d_generation", "stl_export", "gpu_memory_management", "hunyuan3d"]

Handler = Callable[[Request], Awaitable[Response]]


class _Dimensions(BaseModel):
    width: int = Field(ge=1, le=1000)
    height: int = Field(ge=1, le=1000)
    depth: int = Field(ge=1, le=500)


class _Submission(BaseModel):
    """The body of generate-3d; lax as the real one (``"7"`` is a quality)."""

    job_id: str
    format: Literal["stl", "obj", "glb", "ply"] = "stl"
    dimensions: _Dimensions = _Dimensions(width=100, height=100, depth=20)
    quality: int = Field(default=7, ge=1, le=10)

    @field_validator("job_id")
    @classmethod
    def _is_uuid(cls, value: str) -> str:
        if not _UUID.fullmatch(value):
            raise ValueError("job_id must be a valid UUID")
        return value


class Api:
    """The handlers of one service, and whether it is ready."""

    def __init__(
        self,
        options: Options,
        *,
        jobs: Jobs,
        gpu: Gpu,
        metrics: Metrics,
        decline: Decline,
        broadcast: Broadcast,
        pool: Executor,
        folder: Path,
    ) -> None:
        self._options, self._jobs, self._gpu, self._metrics = options, jobs, gpu, metrics
        self._decline, self._broadcast, self._pool, self._folder = decline, broadcast, pool, folder
        self._draws = Draws(options.faults.rates, options.seed)
        self._rate_limit = RateLimit(options.rate_limit_per_min, options.scaled(WINDOW_S))
        self.ready = False

    def app(self) -> Envelope:
        """The ASGI application."""
        handlers = {404: self._not_found, 405: self._method_not_allowed}
        app = Starlette(routes=self._routes(), exception_handlers=handlers)
        return Envelope(self._broadcast.beside(app), self._options.time_scale)

    def _routes(self) -> list[Route]:
        plain, tracked = self._asking, self._tracked
        return [
            Route("/health", plain(self._health)),
            Route("/ready", plain(self._ready)),
            Route("/metrics", plain(self._page)),
            Route("/api/health", tracked("/api/health", self._api_health)),
            Route(
                "/api/upload-image", tracked("/api/upload-image", self._upload, Step.UPLOAD), methods=["POST"]
            ),
            Route(
                "/api/generate-3d", tracked("/api/generate-3d", self._generate, Step.SUBMIT), methods=["POST"]
            ),
            Route("/api/job-status/{job_id}", tracked("/api/job-status", self._job_status, Step.POLL)),
            Route("/api/download/{job_id}/{filename}", plain(self._download, Step.DOWNLOAD)),
            Route("/api/preview/{filename}", tracked("/api/preview", self._preview)),
            Route(
                "/api/preview-output/{job_id}/{filename}",
                tracked("/api/preview-output", self._preview_output),
            ),
        ]

    def _tracked(self, endpoint: str, handler: Handler, step: Step | None = None) -> Handler:
        """Count the handler's requests under the endpoint's name, as ORFEAS's decorator does."""
        asking = self._asking(handler, step)

        async def tracked(request: Request) -> Response:
            with self._metrics.request(endpoint) as answered:
                response = await asking(request)
                answered.status = response.status_code
                return response

        return tracked

    def _asking(self, handler: Handler, step: Step | None = None) -> Handler:
        """Do what the request's own header asks for. A submission sees to the rest of it itself."""

        async def asking(request: Request) -> Response:
            try:
                fault = request.state.asked = asked(request.headers.get(FAULT_HEADER), step)
            except UnknownFaultError as error:
                return _error(str(error), 400)
            if fault in WHOLE:
                self._decline.strike(fault)
            instead = self._spoilt(request, fault) if step is not Step.SUBMIT else None
            return instead or await handler(request)

        return asking

    def _spoilt(self, request: Request, fault: Fault | None) -> Response | None:
        """The answer that a fault gives instead, if it does; one that breaks it is kept for later."""
        if fault in SPOILS:
            spoil(request, fault)
        return substitute(fault, self._options.scaled(_RETRY_AFTER_S))

    async def _health(self, request: Request) -> Response:
        """Alive, whatever else: 200 even while models load."""
        return JSONResponse({"service": "orfeas-backend", "status": "healthy", "version": "1.0.0"})

    async def _ready(self, request: Request) -> Response:
        checks = {"application": self.ready, "gpu": True, "gpu_name": "testbed", "models": self.ready}
        checks["gpu_memory_total"] = f"{self._gpu.total_bytes / 1e9:.2f} GB"
        return JSONResponse(
            {"checks": checks, "status": "ready" if self.ready else "not_ready"},
            200 if self.ready else 503,
        )

    async def _api_health(self, request: Request) -> Response:
        allocated, reserved, total = (
            self._gpu.allocated_bytes,
            self._gpu.reserved_bytes,
            self._gpu.total_bytes,
        )
        return JSONResponse(
            {
                "status": "healthy",
                "timestamp": datetime.now().isoformat(),
                "mode": "full_ai",
                "gpu_info": {
                    "allocated": allocated,
                    "reserved": reserved,
                    "total": total,
                    "free": total - reserved,
                },
                "active_jobs": self._jobs.active,
                "models_status": "ready" if self.ready else "loading",
                "processor": {"model_type": "testbed relief", "available": self.ready},
                "capabilities": _CAPABILITIES,
                "testbed": {
                    "time_scale": self._options.time_scale,
                    "service_time_s": self._options.service_time_s,
                    "slots": self._options.slots,
                    "when_full": self._options.when_full,
                    "seed": self._options.seed,
                    "socket_connections": self._broadcast.connections,
                },
            }
        )

    async def _page(self, request: Request) -> Response:
        await asyncio.sleep(self._options.scaled(_SCRAPE_S))
        return Response(self._metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _upload(self, request: Request) -> Response:
        arrival_s = monotonic()
        if not self._admitted(request, arrival_s):
            return _error(self._rate_limit.refusal, 429)
        if int(request.headers.get("content-length") or 0) > MAX_BYTES:
            # An answer before the body is read would reach most clients as a reset connection.
            async for _ in request.stream():
                pass
            return _error("File too large (max 50MB)", 413)
        filename, content = await image_field(request)
        if content is None:
            return _error("No image file provided", 400)
        if not filename:
            return _error("No file selected", 400)
        if len(content) > MAX_BYTES:
            return _error("File too large (max 50MB)", 413)
        job_id = str(uuid.uuid4())
        original = _UNSAFE.sub("_", Path(filename).name).strip("._") or "image"
        stored = f"{job_id}_{original}"
        path = self._folder / stored
        try:
            image_info = await asyncio.get_running_loop().run_in_executor(
                self._pool, check_and_store, content, filename, path
            )
        except ImageRefusedError as refusal:
            return _error(f"Security validation failed: {refusal}", 400)
        request_id = request.headers.get("x-request-id", "")
        strike = self._draws.of_job()
        if strike is not None and strike.step is Step.UPLOAD:
            self._jobs.turn_away(Truth("", request_id, arrival_s, faults=str(strike)))
            if instead := self._spoilt(request, strike.fault):
                return instead
        self._jobs.add_upload(Upload(job_id, stored, path, request_id, arrival_s, strike))
        return JSONResponse(
            {
                "job_id": job_id,
                "filename": stored,
                "original_filename": original,
                "preview_url": f"/api/preview/{stored}",
                "status": "uploaded",
                "image_info": image_info,
            }
        )

    async def _generate(self, request: Request) -> Response:
        arrival_s = monotonic()
        body = await json_object(request)
        if refused := self._refused(request, body):
            return refused
        if not self._admitted(request, arrival_s):
            return _error(self._rate_limit.refusal, 429)
        if body is None:
            return _error("3D generation failed", 500)
        try:
            submission = _Submission.model_validate(body)
        except ValidationError as error:
            return _invalid(error)
        if self._jobs.is_running(submission.job_id):
            return JSONResponse(
                {
                    "error": "Generation already in progress",
                    "job_id": submission.job_id,
                    "status": "conflict",
                    "message": "This job is currently being processed."
                    " Wait for completion or use a different job_id.",
                },
                409,
            )
        request_id = request.headers.get("x-request-id", "")
        fault = self._fault(request, Step.SUBMIT, submission.job_id)
        strike = Strike(fault, Step.SUBMIT if fault in ANSWERS else None) if fault is not None else None
        if instead := self._spoilt(request, fault):
            told = Truth(submission.job_id, request_id, arrival_s=arrival_s, faults=str(strike))
            self._jobs.turn_away(told)
            return instead
        dimensions = submission.dimensions.model_dump()
        self._jobs.accept(
            Order(submission.job_id, submission.format, submission.quality, dimensions),
            arrival_s=arrival_s,
            request_id=request_id,
            traceparent=request.headers.get("traceparent", ""),
            asked=strike if fault in SPOILS | WORK else None,
        )
        return JSONResponse(
            {
                "job_id": submission.job_id,
                "status": "generating_3d",
                "format": submission.format,
                "dimensions": dimensions,
                "quality": submission.quality,
            }
        )

    def _refused(self, request: Request, body: dict[str, Any] | None) -> Response | None:
        """The refusal of a submission: asked for, drawn, or because the models are still loading."""
        fault = request.state.asked or self._draws.refusal()
        reason = fault if fault in REFUSALS else None
        if not self.ready:
            fault, reason = Fault.REJECT, reason or "slow-start"
        if reason is None:
            return None
        job_id = body.get("job_id") if body is not None else None
        if isinstance(job_id, str) and _UUID.fullmatch(job_id):
            self._jobs.reject(job_id, reason)
        return self._spoilt(request, fault)

    def _fault(self, request: Request, step: Step, job_id: str) -> Fault | None:
        """What befalls this call of a job: asked for, or drawn for the job."""
        fault: Fault | None = request.state.asked
        if fault in ANSWERS:
            self._jobs.befall(Strike(fault, step), job_id)
        return fault or self._jobs.fault_at(job_id, step)

    async def _job_status(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        if instead := self._spoilt(request, self._fault(request, Step.POLL, job_id)):
            return instead
        status = self._jobs.status(job_id)
        return JSONResponse(status) if status is not None else _error("Job not found", 404)

    async def _download(self, request: Request) -> Response:
        start_s = monotonic()
        job_id, filename = request.path_params["job_id"], request.path_params["filename"]
        path = self._jobs.output(job_id, filename)
        if path is None:
            return _error("File not found" if self._jobs.is_known(job_id) else "Job not found", 404)

        fault = self._fault(request, Step.DOWNLOAD, job_id)
        if instead := self._spoilt(request, fault):
            return instead
        if fault in SPOILS:  # what comes of it is no download
            return Response(content_of(path), media_type=Transfer.media_type)

        def served(sent_bytes: int, whole: bool) -> None:
            self._jobs.served(job_id, sent_bytes, whole=whole, start_s=start_s, end_s=monotonic())

        return Transfer(content_of(path), filename, served)

    async def _preview(self, request: Request) -> Response:
        upload = self._jobs.uploaded(request.path_params["filename"])
        if upload is None:
            return _error("Image not found", 404)
        return Response(content_of(upload.path), media_type=_image_type(upload.filename))

    async def _preview_output(self, request: Request) -> Response:
        path = self._jobs.output(request.path_params["job_id"], request.path_params["filename"])
        if path is None:
            return _error("Output not found", 404)
        return Response(content_of(path), media_type="application/octet-stream")

    async def _not_found(self, request: Request, error: Exception) -> Response:
        """Flask's page for a path that is none."""
        self._metrics.page_not_found()
        return HTMLResponse("<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n", 404)

    async def _method_not_allowed(self, request: Request, error: Exception) -> Response:
        headers = error.headers if isinstance(error, HTTPException) else None
        page = "<!doctype html>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n"
        return HTMLResponse(page, 405, headers)

    def _admitted(self, request: Request, now_s: float) -> bool:
        return self._rate_limit.admit(request.client.host if request.client else "", now_s)


def _error(message: str, status: int) -> Response:
    return JSONResponse({"error": message}, status)


def _invalid(error: ValidationError) -> Response:
    """The 400 with its details; but the real service cannot render those of a bad UUID, and answers 500."""
    if any(detail["type"] == "value_error" for detail in error.errors()):
        return _error("3D generation failed", 500)
    return JSONResponse({"error": "Invalid request parameters", "details": error.errors()}, 400)


def check_and_store(content: bytes, filename: str, path: Path) -> dict[str, Any]:
    image_info = check_image(content, filename)
    path.write_bytes(content)
    return image_info


def content_of(path: Path) -> bytes:
    """A small file in the page cache: a hop to a thread would take longer than reading it here."""
    return path.read_bytes()


def _image_type(filename: str) -> str:
    extension = filename.rpartition(".")[2].lower()
    return "image/jpeg" if extension == "jpg" else f"image/{extension}"
