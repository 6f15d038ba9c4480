"""An ORFEAS that meets its n-th job with the n-th trap of a script, and remembers every call."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field

import trimesh

from ..scripted_server import Call, Reply, ScriptedServer, answers

FULL = "Cannot allocate job {}: insufficient resources"
PROXY_PAGE = b"<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>"
SILENCE_S = 30.0  # longer than any limit of the tests


@dataclass
class ScriptedOrfeas:
    """Answers jobs by `script`: one trap each, in the order of their uploads; "ok" is none.

    Further jobs are good, and take `job_s`. While `released` is not set no job ends.
    """

    script: tuple[str, ...]
    url: str = ""
    job_s: float = 0.0
    calls: list[Call] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    unknown: dict[str, int] = field(default_factory=dict)  # job → 404s still to give
    done_s: dict[str, float] = field(default_factory=dict)  # job → when it is done, monotonic
    ended: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def images(self) -> list[bytes]:
        """The uploaded files."""
        forms = [call.body for call in self.calls if call.path == "/api/upload-image"]
        return [form.split(b"\r\n\r\n", 1)[1].rpartition(b"\r\n--")[0] for form in forms]

    def answer(self, call: Call) -> Reply | bytes:
        with self.lock:
            self.calls.append(call)
        for pattern, method in (
            ("/ready", self._ready),
            ("/metrics", self._metrics),
            ("/api/upload-image", self._upload),
            ("/api/generate-3d", self._order),
            ("/api/job-status/(.*)", self._status),
            ("/api/download/(.*)/(.*)", self._download),
        ):
            if match := re.fullmatch(pattern, call.path):
                return method(call, *match.groups())
        return Reply(404, {"error": "Not found"})

    def trap(self, job_id: str) -> str:
        number = self.jobs.index(job_id)
        return self.script[number] if number < len(self.script) else ""

    def _ready(self, call: Call) -> Reply:
        return Reply(200, {"status": "ready"})

    def _metrics(self, call: Call) -> Reply:
        """Every job is a success to these counters; one family is never written, one has no sample."""
        lines = (
            "# TYPE http_request_duration_seconds histogram",
            "# TYPE orfeas_job_queue_size gauge",
            "orfeas_job_queue_size 0.0",
            f'orfeas_generations_total{{type="3d",status="success"}} {len(self.jobs)}',
        )
        return Reply(200, "\n".join((*lines, "")).encode(), "text/plain")

    def _upload(self, call: Call) -> Reply:
        number = len(self.jobs)
        if number < len(self.script) and self.script[number] == "rate_limit" and number not in self.refused:
            self.refused.add(number)
            return Reply(429, {"error": "Rate limit exceeded"})
        self.jobs.append(str(uuid.uuid4()))
        return Reply(200, {"job_id": self.jobs[-1], "status": "uploaded"})

    def _order(self, call: Call) -> Reply:
        job_id = json.loads(call.body)["job_id"]
        trap, number = self.trap(job_id), self.jobs.index(job_id)
        if trap == "proxy_503" and number not in self.refused:
            self.refused.add(number)
            return Reply(503, PROXY_PAGE, "text/html")
        self.done_s[job_id] = time.monotonic() + (self.job_s if trap == "" else 0.0)
        self.unknown[job_id] = 3 if trap == "early_404" else 0
        return Reply(200, {"job_id": job_id, "status": "generating_3d"})

    def _status(self, call: Call, job_id: str) -> Reply:
        if self.unknown[job_id]:
            self.unknown[job_id] -= 1
            return Reply(404, {"error": "Job not found"})
        if time.monotonic() < self.done_s[job_id] or not self.released.is_set():
            return Reply(200, {"status": "processing", "progress": 50})
        trap = self.trap(job_id)
        if trap == "full":
            return Reply(200, {"status": "failed", "error": FULL.format(job_id)})
        if trap == "fails_later":
            return Reply(200, {"status": "failed", "error": "Generation failed"})
        name = "model.obj" if trap == "other_format" else "model.stl"
        url = f"/api/download/{job_id}/{name}"
        return Reply(200, {"status": "completed", "progress": 100, "download_url": url})

    def _download(self, call: Call, job_id: str, name: str) -> Reply | bytes:
        trap, number = self.trap(job_id), self.jobs.index(job_id)
        if trap == "silent":
            self.ended.wait(SILENCE_S)
            return b""
        if trap == "page":
            return Reply(200, PROXY_PAGE, "text/html")
        mesh = output(trap, number)
        if trap == "truncated_chunks":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            return head + b"%x\r\n" % len(mesh) + mesh[: len(mesh) // 2]
        return Reply(200, mesh, "application/octet-stream")


def output(trap: str, number: int) -> bytes:
    """What the service hands out as the mesh of its job of that number."""
    if trap == "cube":
        return bytes(trimesh.creation.box([1, 2, 3]).export(file_type="stl"))
    if trap == "same_again":
        number = 0
    mesh = trimesh.creation.icosphere(subdivisions=1, radius=1 + number)
    content = mesh.export(file_type="obj" if trap in ("other_format", "lying_name") else "stl")
    return content.encode() if isinstance(content, str) else bytes(content)


class Server(ScriptedServer):
    """Serves a script until `end`."""

    def __init__(self, *script: str, job_s: float = 0.0) -> None:
        self.service = ScriptedOrfeas(script, job_s=job_s)
        self.service.released.set()
        super().__init__(answers(self.service.answer))
        self.service.url = self.url

    def end(self) -> None:
        self.service.ended.set()
        self.close()
