"""Servers in this process that no service under test should be like."""

from __future__ import annotations

import threading
from collections.abc import Callable

import trimesh

from ..scripted_server import Call, Reply

PAGE = (
    b"<!doctype html><html><head><title>Welcome</title></head><body><h1>Welcome to nginx!</h1></body></html>"
)


def a_web_page(call: Call) -> Reply:
    """The wrong host: a page of HTML with 200 on every path."""
    return Reply(200, PAGE, "text/html; charset=utf-8")


class Orfeas:
    """A minimal ORFEAS that does every job at once, each with another mesh.

    Args:
        failure: what job-status says of a job instead, given the call; None: it is done.
        guard: answers a call instead, or None to let it through.
    """

    def __init__(
        self,
        failure: Callable[[Call], str] | None = None,
        guard: Callable[[Call], Reply | None] = lambda call: None,
    ) -> None:
        self.calls: list[Call] = []
        self._failure, self._guard = failure, guard
        self._jobs = 0
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Reply:
        with self._lock:
            self.calls.append(call)
            self._jobs += call.path == "/api/upload-image"
            number = self._jobs
        return self._guard(call) or self._answer(call, number)

    def _answer(self, call: Call, number: int) -> Reply:
        if call.path == "/metrics":
            return Reply(
                200, b"process_resident_memory_bytes 1e8\nprocess_start_time_seconds 1e9\n", "text/plain"
            )
        if call.path.startswith("/api/download/"):
            sphere = trimesh.creation.icosphere(subdivisions=1, radius=1 + number)
            return Reply(200, bytes(sphere.export(file_type="stl")), "application/octet-stream")
        if call.path.startswith("/api/job-status/"):
            if self._failure is not None:
                return Reply(200, {"status": "failed", "error": self._failure(call)})
            return Reply(200, {"status": "completed", "download_url": f"/api/download/{number}/model.stl"})
        return Reply(200, {"status": "ready", "job_id": f"job-{number}"})
