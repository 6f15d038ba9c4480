"""Small run directories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genload.runlog.records import (
    LoadStarted,
    MonitorPlan,
    RequestRecord,
    RunEnded,
    RunHeader,
    RunStarted,
    Sample,
)
from genload.runlog.writer import RunWriter


@pytest.fixture
def header() -> RunHeader:
    return RunHeader(
        format=1,
        suite={"name": "demo"},
        requested={"name": "demo"},
        scenario="baseline",
        phases=[{"name": "steady", "duration_s": 10.0, "users": 1}],
        operation="generate",
        stages=["run"],
        monitors=[MonitorPlan(name="host", interval_s=1.0, metrics=["host.cpu"])],
    )


@pytest.fixture
def record() -> Callable[..., RequestRecord]:
    """A factory of request records: ``record(3, "w0", status=200)``."""

    def make(n: int, source: str = "local", **fields: Any) -> RequestRecord:
        return RequestRecord(source=source, n=n, name="generate", **fields)

    return make


@pytest.fixture
def small_run(tmp_path: Path, header: RunHeader, record: Callable[..., RequestRecord]) -> Path:
    """A sound run directory: three requests, three events, two samples."""
    folder = tmp_path / "small"
    writer = RunWriter(folder)
    writer.header(header)
    writer.event(RunStarted(t_s=0.0, wall_time="2026-11-21T20:00:00Z"))
    writer.event(LoadStarted(t_s=0.5))
    for n in range(3):
        writer.requests([record(n, error="gefällt nicht", stages={"run": 0.25 * n})])
    writer.event(RunEnded(t_s=9.0, records={"local": 3}))
    writer.close()
    samples = [Sample(t_s=float(t), monitor="host", values={"host.cpu": 0.5}) for t in range(2)]
    (folder / "samples.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(samples))
    return folder
