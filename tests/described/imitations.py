"""Small imitations of generation services that people run, each written from what its source says: its calls,
answers, errors and traps. What a request must hold is demanded of it.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trimesh
from PIL import Image

from .. import scripted_server
from ..scripted_server import Call, Reply

WORK_S = 0.15


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, tuple[str, bytes]]:
        """Each field's file name ("" for a plain field) and content."""
        kind = self.headers["content-type"]
        assert kind.startswith("multipart/form-data"), kind
        message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + self.body)
        fields = {}
        for part in message.get_payload():
            assert not isinstance(part, str)
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            fields[name] = (part.get_filename() or "", content)
        return fields


@dataclass
class Told:
    """One answer; a body that is no bytes is JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Imitation:
    """One service.

    Attributes:
        trap: what it does wrong on purpose; "" for nothing.
        asked: every request so far, as ``METHOD /path``.
    """

    def __init__(self, trap: str = "") -> None:
        self.trap = trap
        self.url = ""
        self.asked: list[str] = []
        self.jobs: dict[str, tuple[float, bytes]] = {}  # when it began, its image

    def answer(self, asked: Asked) -> Told:
        raise NotImplementedError

    def begin(self, image: bytes) -> str:
        """A job of an image that can be decoded."""
        decoded(image)
        job_id = f"job-{len(self.jobs)}"
        self.jobs[job_id] = (time.monotonic(), image)
        return job_id

    def is_done(self, job_id: str) -> bool:
        return time.monotonic() - self.jobs[job_id][0] >= WORK_S


def decoded(image: bytes) -> None:
    Image.open(io.BytesIO(image)).load()


def mesh_of(image: bytes, file_type: str = "glb") -> bytes:
    """A mesh that no other image has."""
    sphere = trimesh.creation.icosphere(subdivisions=1)
    sphere.apply_scale(1 + binascii.crc32(image) / 2**32)
    made = sphere.export(file_type=file_type)
    assert isinstance(made, bytes)
    return made


@contextmanager
def served(imitation: Imitation) -> Iterator[Imitation]:
    """Serve it on a free port of the loopback address."""

    def answer(call: Call) -> Reply:
        parts = urlsplit(call.path)
        asked = Asked(call.method, parts.path, dict(parse_qsl(parts.query)), call.headers, call.body)
        imitation.asked.append(f"{call.method} {parts.path}")
        told = imitation.answer(asked)
        body = told.body if isinstance(told.body, bytes) else json.dumps(told.body)
        kind = "application/octet-stream" if isinstance(told.body, bytes) else "application/json"
        return Reply(told.status, body, kind, told.headers)

    with scripted_server.served(answer) as url:
        imitation.url = url
        yield imitation


class SglangMeshes(Imitation):
    """SGLang's mesh API: ``queued`` until it is ``completed`` or ``failed``. Traps: ``failed``; ``cloud``:
    the file is elsewhere, so that /content answers 400 and the job has a `url`."""

    def answer(self, asked: Asked) -> Told:
        way = asked.path.strip("/").split("/")
        if asked.path == "/health":
            return Told(b"")
        if asked.path == "/v1/meshes" and asked.method == "POST":
            name, image = asked.form()["image"]
            assert name.endswith(".png")
            return Told({"id": self.begin(image), "object": "mesh", "status": "queued"})
        if way[:2] != ["v1", "meshes"] or way[2] not in self.jobs:
            return Told({"detail": "Mesh not found"}, 404)
        if way[3:] == ["content"]:
            if self.trap == "cloud":
                return Told({"detail": "Mesh is stored in cloud storage"}, 400)
            return Told(mesh_of(self.jobs[way[2]][1]), headers={"Content-Type": "model/gltf-binary"})
        return Told(self._state(way[2]))

    def _state(self, job_id: str) -> dict[str, Any]:
        if not self.is_done(job_id):
            return {"id": job_id, "status": "queued"}
        if self.trap == "failed":
            return {"id": job_id, "status": "failed", "error": {"message": "CUDA out of memory"}}
        done = {"id": job_id, "status": "completed", "inference_time_s": WORK_S, "peak_memory_mb": 9000}
        if self.trap == "cloud":
            done["url"] = f"{self.url}/v1/meshes/{job_id}/signed"
        return done


class Hunyuan3D(Imitation):
    """Hunyuan3D's api_server: every error of /generate is a 404. Trap ``broken``: no image can be worked on,
    and a job of /send then says ``processing`` for ever."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/openapi.json":
            return Told({"openapi": "3.1.0"})
        if asked.path.startswith("/status/"):
            job_id = asked.path.removeprefix("/status/")
            if self.trap == "broken" or not self.is_done(job_id):
                return Told({"status": "processing"})
            packed = base64.b64encode(mesh_of(self.jobs[job_id][1])).decode()
            return Told({"status": "completed", "model_base64": packed})
        params = asked.json()
        assert isinstance(params["seed"], int) and params["type"] == "glb"
        image = base64.b64decode(params["image"], validate=True)
        if asked.path == "/send":
            return Told({"uid": self.begin(image)})
        if self.trap == "broken":
            return Told({"text": "**NETWORK ERROR DUE TO HIGH TRAFFIC.**", "error_code": 1}, 404)
        decoded(image)
        time.sleep(WORK_S)
        return Told(mesh_of(image), headers={"Content-Type": "application/octet-stream"})


class LocalAi(Imitation):
    """LocalAI: the answer to the one call names the file. Trap ``no_model``."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/readyz":
            return Told(b"OK")
        if asked.path.startswith("/generated-3d/"):
            return Told(mesh_of(self.jobs[asked.path.split("/")[2].removesuffix(".glb")][1]))
        if self.trap == "no_model":
            words = "could not load model: no such file"
            return Told({"error": {"code": 500, "message": words, "type": ""}}, 500)
        params = asked.json()
        assert params["model"]
        job_id = self.begin(base64.b64decode(params["image"], validate=True))
        time.sleep(WORK_S)
        return Told({"created": 1, "data": [{"url": f"{self.url}/generated-3d/{job_id}.glb"}]})


class TrellisNim(Imitation):
    """The NIM of TRELLIS. Traps: ``hosted`` (202 and an id in a header), ``invalid`` (422)."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/v1/health/ready":
            return Told({"status": "ready"})
        if asked.path.startswith("/v2/nvcf/pexec/status/"):
            job_id = asked.path.rpartition("/")[2]
            return self._end(job_id) if self.is_done(job_id) else Told({}, 202, {"NVCF-STATUS": "pending"})
        if self.trap == "invalid":
            return Told({"detail": "image: not a valid data URI"}, 422)
        params = asked.json()
        kind, _, packed = params["image"].partition(";base64,")
        assert (kind, params["output_format"]) == ("data:image/png", "glb")
        job_id = self.begin(base64.b64decode(packed, validate=True))
        if self.trap == "hosted":
            return Told(b"", 202, {"NVCF-REQID": job_id, "NVCF-STATUS": "pending-evaluation"})
        time.sleep(WORK_S)
        return self._end(job_id)

    def _end(self, job_id: str) -> Told:
        packed = base64.b64encode(mesh_of(self.jobs[job_id][1])).decode()
        return Told({"artifacts": [{"base64": packed, "finishReason": "SUCCESS", "seed": 1}]})


class ComfyUi(Imitation):
    """ComfyUI: the stored name of the upload goes into the graph. A job is unknown for a moment. Traps:
    ``invalid`` (the graph is refused), ``failed``."""

    def __init__(self, trap: str = "") -> None:
        super().__init__(trap)
        self._stored: dict[str, bytes] = {}
        self._unknown: set[str] = set()

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/system_stats":
            return Told({"system": {"comfyui_version": "0.36"}})
        if asked.path == "/queue":
            running = [job for job in self.jobs if not self.is_done(job)]
            return Told({"queue_running": running, "queue_pending": []})
        if asked.path == "/upload/image":
            name, image = asked.form()["image"]
            self._stored[f"{name} (1)"] = image
            return Told({"name": f"{name} (1)", "subfolder": "", "type": "input"})
        if asked.path == "/prompt":
            return self._ordered(asked)
        if asked.path == "/view":
            assert (asked.query["type"], asked.query["subfolder"]) == ("output", "mesh")
            return Told(mesh_of(self.jobs[asked.query["filename"].removesuffix("_00001_.glb")][1]))
        return self._state(asked.path.removeprefix("/api/jobs/"))

    def _ordered(self, asked: Asked) -> Told:
        graph = asked.json()["prompt"]
        assert graph["10"]["class_type"] == "LoadImage"
        if self.trap == "invalid":
            words = {
                "type": "prompt_outputs_failed_validation",
                "message": "Prompt outputs failed validation",
            }
            return Told({"error": words, "node_errors": {"20": {}}}, 400)
        job_id = self.begin(self._stored[graph["10"]["inputs"]["image"]])
        self._unknown.add(job_id)
        return Told({"prompt_id": job_id, "number": 1, "node_errors": {}})

    def _state(self, job_id: str) -> Told:
        if job_id in self._unknown:
            self._unknown.remove(job_id)
            return Told({"error": "Job not found"}, 404)
        if not self.is_done(job_id):
            return Told({"id": job_id, "status": "in_progress"})
        if self.trap == "failed":
            error = {"exception_message": "Allocation on device", "node_id": "12"}
            return Told({"id": job_id, "status": "failed", "execution_error": error})
        file = {"filename": f"{job_id}_00001_.glb", "subfolder": "mesh", "type": "output"}
        stamps = {"execution_start_time": 1_000, "execution_end_time": 1_150}
        return Told({"id": job_id, "status": "completed", **stamps, "outputs": {"20": {"3d": [file]}}})


class Gradio(Imitation):
    """A Gradio app of one function: an upload, a call, its events. Traps: ``failed`` (an event says so);
    ``cut``: the events end too soon."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/config":
            return Told({"version": "5.49.1", "api_prefix": "/gradio_api"})
        way = asked.path.removeprefix("/gradio_api/")
        if way == "upload":
            name, image = asked.form()["files"]
            job_id = self.begin(image)
            return Told([f"/cache/gradio/{job_id}/{name}"])
        if way == "call/generate":
            file, seed = asked.json()["data"]
            assert file["meta"] == {"_type": "gradio.FileData"} and isinstance(seed, int)
            return Told({"event_id": file["path"].split("/")[3]})
        if way.startswith("file="):
            return Told(mesh_of(self.jobs[way.split("/")[-2]][1]))
        time.sleep(WORK_S)
        return Told(self._events(way.rpartition("/")[2]), headers={"Content-Type": "text/event-stream"})

    def _events(self, job_id: str) -> bytes:
        begun = "event: heartbeat\ndata: null\n\n" + "event: generating\ndata: [null]\n\n"
        if self.trap == "cut":
            return begun.encode()
        if self.trap == "failed":
            return f'{begun}event: error\ndata: "CUDA out of memory"\n\n'.encode()
        file = {"path": f"/cache/gradio/{job_id}/out.glb", "url": "http://0.0.0.0:7860/out.glb"}
        return f"{begun}event: complete\ndata: {json.dumps([file])}\n\n".encode()


IMITATIONS: dict[str, Callable[[str], Imitation]] = {
    "sglang_meshes": SglangMeshes,
    "hunyuan3d": Hunyuan3D,
    "hunyuan3d_send": Hunyuan3D,
    "localai_3d": LocalAi,
    "trellis_nim": TrellisNim,
    "comfyui": ComfyUi,
    "gradio": Gradio,
}
"""By the suite that speaks to it."""
WORKFLOW = {
    "10": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "20": {"class_type": "SaveGLB", "inputs": {"filename_prefix": "mesh/model", "mesh": ["10", 0]}},
}
