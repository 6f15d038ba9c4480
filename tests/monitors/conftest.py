"""A metrics page that a test can change, break and bring back."""

from __future__ import annotations

import ctypes
import gzip
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import responses
from pathlib import Path
from typing import Any

import msgspec
import pynvml
import pytest

from genload.runlog.records import Sample

from ..scripted_server import Call, Reply, ScriptedServer, answers
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
    _server: ScriptedServer | None = None

    @property
    def host(self) -> str:
        return f"http://{self.address}:{self.port}"

    def start(self) -> None:
        self._server = ScriptedServer(answers(self._answer), address=self.address, port=self.port)
        self.port = self._server.port  # the same again, should it start again

    def _answer(self, call: Call) -> Reply:
        self.seen.append({"path": call.path, **call.headers})
        content = self.body.encode() if isinstance(self.body, str) else self.body
        if self.packing == "gzip":
            content = gzip.compress(content)
        headers = {
            "Date": formatdate(time.time() + self.ahead_s, usegmt=True),
            "Content-Length": str(len(content) + self.cut),
            "Content-Encoding": self.packing or None,
        }
        return Reply(self.status, content, "text/plain", headers, responses[self.status])

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
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


@pytest.fixture
def fake(
    request: pytest.FixtureRequest, make_nvml: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A driver for pynvml in this process; "old" as the parameter for one before 510."""
    made = make_nvml(old=getattr(request, "param", "") == "old")
    monkeypatch.setenv("FAKE_NVML", str(made.script))
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(made.library)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    monkeypatch.setattr(pynvml.NVMLError, "_errcode_to_string", dict(pynvml.NVMLError._errcode_to_string))
    return made
