"""A described service whose every answer a test says in advance."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

from genload.drivers.job_result import JobResult
from genload.service import JobInput

FILE = b"a file"
FILE_BASE64 = base64.b64encode(FILE).decode()
_VIEWS = {view: JobInput(f"{view[0]}.png", b"\x89PNG", "image/png") for view in ("front", "left", "back")}
IMAGE = JobInput("a.png", b"\x89PNG", "image/png", _VIEWS)
IMAGE_BASE64 = base64.b64encode(IMAGE.content).decode()
VALUES = {"queued": "pending", "working": "running", "done": "completed", "error": "failed"}
ORDER = {"path": "/jobs", "json": {"image": "{image.base64}"}, "capture": {"id": "id"}}
POLL = {"path": "/jobs/{id}", "state": "status", "values": VALUES}
POLLED = {**ORDER, "poll": POLL, "result": {"path": "/jobs/{id}/file"}}
ONE_CALL = {"path": "/generate", "json": {"image": "{image.base64}"}}
OCTETS = {"Content-Type": "application/octet-stream"}


class Everywhere(dict[str, Any]):
    """A script that has the file for every path."""

    def get(self, path: str, default: Any = None) -> list[Any]:
        return [(200, FILE, OCTETS)]


ANY = Everywhere()


def failed(result: JobResult) -> tuple[str, str]:
    assert result.outcome == "failed"
    return result.error_class, result.error


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()
