"""A metrics page that a test can change, break and bring back."""

from __future__ import annotations

import gzip
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genload.runlog.records import Sample

from .fake_driver import NVML, FakeNvml, build_nvml


@dataclass
class MetricsPage:
    """A small HTTP server.

    Attributes:
        body: what it answers with.
        status: its status code.
        cut: True to promise one byte more than it sends.
        packing: what it says it packed the body with; gzip really does.
        ahead_s: how far its clock is ahead.
        seen: the headers of each request.
    """

    port: int
    body: str | bytes = ""
    status: int = 200
    cut: bool = False
    packing: str = ""
    ahead_s: float = 0.0
    address: str = "127.0.0.1"
    seen: list[dict[str, str]] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    @property
    def host(self) -> str:
        return f"http://{self.address}:{self.port}"

    def start(self) -> None:
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page.seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                content = page.body.encode() if isinstance(page.body, str) else page.body
                if page.packing == "gzip":
                    content = gzip.compress(content)
                self.send_response(page.status)
                if page.packing:
                    self.send_header("Content-Encoding", page.packing)
                self.send_header("Content-Length", str(len(content) + page.cut))
                self.end_headers()
                self.wfile.write(content)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(time.time() + page.ahead_s)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer((self.address, self.port), Handler)
        self.port = self._server.server_port  # the same again, should it start again
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def pages() -> Iterator[Callable[..., MetricsPage]]:
    """A factory of running metrics pages: ``pages(body)``."""
    running: list[MetricsPage] = []

    def make(body: str = "", port: int = 0, address: str = "127.0.0.1") -> MetricsPage:
        running.append(MetricsPage(port, body, address=address))
        running[-1].start()
        return running[-1]

    yield make
    for one in running:
        one.stop()


@pytest.fixture
def page(pages: Callable[..., MetricsPage]) -> MetricsPage:
    """A running metrics page."""
    return pages()


def read_samples(folder: Path) -> list[Sample]:
    """The whole lines of samples.jsonl so far."""
    path = folder / "samples.jsonl"
    content = path.read_bytes() if path.exists() else b""
    return msgspec.json.Decoder(Sample).decode_lines(content[: content.rfind(b"\n") + 1])


@pytest.fixture
def wait_for_samples(tmp_path: Path) -> Callable[..., list[Sample]]:
    """Wait until the samples of a run directory (`tmp_path`) satisfy a condition; the samples."""

    def wait(condition: Callable[[list[Sample]], bool], folder: Path = tmp_path) -> list[Sample]:
        deadline_s = time.monotonic() + 30.0
        while not condition(samples := read_samples(folder)):
            assert time.monotonic() < deadline_s, f"not within 30 s; the last samples: {samples[-3:]}"
            time.sleep(0.02)
        return samples

    return wait


@pytest.fixture(scope="session")
def nvml_build(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """Builds the fake library, as new or as an old driver brings it; once each."""
    built: dict[bool, Path] = {}

    def build(old: bool) -> Path:
        if old not in built:
            built[old] = build_nvml(c_compiler, tmp_path_factory.mktemp("nvml"), old=old)
        return built[old]

    return build


@pytest.fixture
def make_nvml(nvml_build: Callable[[bool], Path], tmp_path: Path) -> Callable[..., FakeNvml]:
    """A fake driver of the test's own: the library remembers which events it has delivered."""

    def make(*, old: bool = False) -> FakeNvml:
        folder = tmp_path / "driver"
        folder.mkdir()
        shutil.copy(nvml_build(old), folder / NVML)
        return FakeNvml(folder / NVML, folder / "answers")

    return make
