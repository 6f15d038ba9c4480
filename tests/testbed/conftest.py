"""A testbed in a process of its own, and a client that knows nothing of genload's."""

from __future__ import annotations

import http.client
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 30.0


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """A running testbed and the calls of its API."""

    process: subprocess.Popen[str]
    port: int
    line: str
    truth: Path
    scaled_service_s: float

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def upload(
        self,
        content: bytes,
        filename: str = "image.png",
        *,
        name: str = "image",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        boundary = uuid.uuid4().hex
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        media_type = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.call("POST", "/api/upload-image", body, media_type | dict(headers or {}))

    def generate(self, job_id: str, *, headers: Mapping[str, str] | None = None, **fields: Any) -> Answer:
        body = json.dumps({"job_id": job_id, **fields}).encode()
        media_type = {"Content-Type": "application/json"}
        return self.call("POST", "/api/generate-3d", body, media_type | dict(headers or {}))

    def status(self, job_id: str) -> Answer:
        return self.get(f"/api/job-status/{job_id}")

    def wait(self, job_id: str) -> dict[str, Any]:
        """Poll until the job has ended; its last status."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            answer = self.status(job_id)
            if answer.status == 200 and answer.json()["status"] in ("completed", "failed"):
                return dict(answer.json())
            time.sleep(0.01)
        raise AssertionError(f"job {job_id} did not end within {LIMIT_S} s")

    def job(
        self, content: bytes, *, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> tuple[str, dict[str, Any]]:
        """Upload, submit, wait: the job's id and its last status."""
        job_id = self.upload(content).json()["job_id"]
        answer = self.generate(job_id, headers=headers, **fields)
        assert answer.status == 200, answer.body
        return job_id, self.wait(job_id)

    def metric(self, sample: str) -> float | None:
        """The value of one sample, by its name with labels as the page writes them; None when absent."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.rpartition(" ")[0] == sample:
                return float(line.rpartition(" ")[2])
        return None

    def truths(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.truth.read_text().splitlines()]

    def fetch(self, status: dict[str, Any]) -> bytes:
        """The output of a completed job."""
        answer = self.get(status["download_url"])
        assert answer.status == 200, answer.body
        return answer.body

    def truth_of(self, job_id: str) -> list[dict[str, Any]]:
        return [line for line in self.truths() if line["job_id"] == job_id]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


Serve = Callable[..., Service]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start testbeds: ``serve(slots=1)``. Jobs take 0.1 s unless told otherwise. They end with
    the session, unless a test ends them."""
    running: list[Service] = []

    def start(*, wait_ready: bool = True, **options: Any) -> Service:
        options = {"service_time": "100s", "time_scale": 0.001, "slots": 3} | options
        truth = tmp_path_factory.mktemp("truth") / "truth.jsonl"
        faults = [f"--fault={fault}" for fault in options.pop("faults", ())]
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "testbed", "--port=0", f"--truth={truth}", *words, *faults],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        port = int(line.split()[2].rpartition(":")[2])
        scaled_s = float(str(options["service_time"]).rstrip("s")) * float(options["time_scale"])
        service = Service(process, port, line, truth, scaled_s)
        running.append(service)
        deadline = time.monotonic() + LIMIT_S
        while wait_ready and service.get("/ready").status != 200:
            assert time.monotonic() < deadline, "never ready"
            time.sleep(0.02)
        return service

    yield start
    for service in running:
        service.process.terminate()  # all at once, then wait
    for service in running:
        service.end()
        if service.process.stdout is not None:
            service.process.stdout.close()


@pytest.fixture(scope="session")
def service(serve: Serve) -> Service:
    """One testbed with its defaults, for all tests that need no other."""
    return serve()


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Images that ORFEAS accepts: ``picture(seed, kind="PNG", size=(64, 48))``."""

    def draw(seed: int = 0, kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
        noise = random.Random(seed).randbytes(size[0] * size[1])
        while True:
            buffer = io.BytesIO()
            Image.frombytes("L", size, noise).convert("RGB").save(buffer, kind)
            content = buffer.getvalue()
            if not any(head in content[12:1024] for head in (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe")):
                return content
            noise = noise[1:] + noise[:1]

    return draw


# --- speech ---------------------------------------------------------------------------------------


@dataclass
class Talker:
    """A running speech testbed and what it is asked for."""

    process: subprocess.Popen[str]
    port: int
    truth: Path

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own; `body` is bytes, or goes as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                method, path, content, {"Content-Type": "application/json", **dict(headers or {})}
            )
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.call("GET", path, headers=headers)

    def speak(self, path: str = "/v1/audio/speech", fault: str = "", **fields: Any) -> Answer:
        return self.tell(path, fault, **fields)[0]

    def tell(
        self, path: str = "/v1/audio/speech", fault: str = "", **fields: Any
    ) -> tuple[Answer, dict[str, Any]]:
        """The answer, and its row of the truth log."""
        headers = {"X-Request-ID": str(uuid.uuid4())} | ({"X-Testbed-Fault": fault} if fault else {})
        wanted = {"model": "tts-1", "input": "Hello there.", "voice": "af_heart", "response_format": "wav"}
        body = {name: value for name, value in (wanted | fields).items() if value is not None}
        return self.call("POST", path, body, headers), self.row_of(headers["X-Request-ID"])

    def row_of(self, request_id: str) -> dict[str, Any]:
        """Its row of the truth log, once there is one."""
        deadline = time.monotonic() + LIMIT_S
        while not (found := [row for row in self.truths() if row["request_id"] == request_id]):
            assert time.monotonic() < deadline, "no row"
            time.sleep(0.002)
        return found[0]

    def connect(self, fault: str = "", path: str = "/v1/audio/speech", **fields: Any) -> socket.socket:
        """A connection on which speech was asked for, and nothing was read."""
        wanted = {"model": "tts-1", "input": "Hello there.", "voice": "af_heart", "response_format": "wav"}
        body = json.dumps(wanted | fields).encode()
        lines = [f"POST {path} HTTP/1.1", "Host: testbed", f"Content-Length: {len(body)}"]
        lines += [f"X-Testbed-Fault: {fault}"] if fault else []
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return client

    def truths(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.truth.read_text().splitlines(keepends=True) if "\n" in line]

    def wait_for_truths(self, count: int) -> list[dict[str, Any]]:
        """All rows, once there are that many."""
        deadline = time.monotonic() + LIMIT_S
        while len(self.truths()) < count:
            assert time.monotonic() < deadline, self.truths()
            time.sleep(0.01)
        return self.truths()

    def end(self) -> int:
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_S)


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Talker]]:
    """Speech testbeds: ``talk("kokoro", "--engine=tone")``. The same arguments give the same one, but for a
    ``fresh`` one. All end with the session."""
    running: list[Talker] = []
    known: dict[tuple[str, ...], Talker] = {}

    def start(api: str, *options: str, fresh: bool = False, wait_ready: bool = True) -> Talker:
        if not fresh and (api, *options) in known:
            return known[(api, *options)]
        truth = tmp_path_factory.mktemp("truth") / "truth.jsonl"
        words = ["--port=0", f"--truth={truth}", f"--api={api}", *options]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "testbed", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        talker = Talker(process, int(line.split()[2].rpartition(":")[2]), truth)
        running.append(talker)
        deadline = time.monotonic() + LIMIT_S
        while wait_ready and talker.get("/ready").status != 200:
            assert time.monotonic() < deadline, "never ready"
            time.sleep(0.02)
        if not fresh:
            known[(api, *options)] = talker
        return talker

    yield start
    for talker in running:
        talker.end()
        assert talker.process.stdout is not None
        talker.process.stdout.close()
