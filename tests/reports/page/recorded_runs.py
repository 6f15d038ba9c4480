"""Runs with records, samples, marks and kept outputs, in run directories: what a page is drawn from."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import msgspec

from genload.analysis.judge import judge
from genload.analysis.judged import JudgedRun
from genload.runlog.records import MonitorPlan, Notice, RequestRecord, Sample

from ...analysis.memory_log import LOAD_START_S, job, sound_run, write

STAGES_S = {"queue": 0.2, "run": 0.8}
FAST = {"fast": "generate.duration.p95 < 2s", "few_errors": "generate.error_rate < 10%"}
MACHINES = ["server.memory", "server.restarts", "gpu.utilisation{gpu=0}", "gpu.utilisation{gpu=1}"]


def job_records(count: int = 100, failed_every: int = 0, error: str = "no answer") -> list[RequestRecord]:
    """A job each half second that takes 1 s; every so many-th fails after 3 s."""
    return [
        job(n, n / 2, 3.0, "failed", error_class="job_failed", error=error)
        if failed_every and n % failed_every == 1
        else job(n, n / 2, 1.0, stages=STAGES_S)
        for n in range(count)
    ]


def recorded(
    folder: Path, records: list[RequestRecord] | None = None, notice: str = "the disk is slow"
) -> JudgedRun:
    """A minute of load with two GPUs, one restart of the service and a notice, judged from its directory."""
    log = sound_run(job_records() if records is None else records, FAST)
    log.header = msgspec.structs.replace(
        log.header, monitors=[MonitorPlan(name="exposition", interval_s=1.0, metrics=MACHINES)]
    )
    log.ticks = [
        Sample(
            t_s=LOAD_START_S - 5 + tick,
            monitor="exposition",
            values={
                "server.memory": 1e9 + 1e6 * tick,
                "server.restarts": float(tick > 25),
                "gpu.utilisation{gpu=0}": 0.9,
                "gpu.utilisation{gpu=1}": 0.1,
            },
        )
        for tick in range(70)
        if not 40 < tick < 50
    ]
    log.happened.insert(-2, Notice(t_s=LOAD_START_S + 30, code="input", text=notice))
    return judge(write(log, folder))


def spoken(folder: Path) -> JudgedRun:
    """Requests whose texts have several lengths."""
    records = [
        job(n, n / 2, 0.5 + n % 5 / 10, numbers={"characters": 20.0 + 40 * (n % 5), "ttfa_s": 0.2})
        for n in range(60)
    ]
    return judge(write(sound_run(records), folder))


def keep_box(run: JudgedRun, error_class: str = "job_failed") -> Path:
    """A mesh that was kept: a tetrahedron, as binary STL."""
    points = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    faces = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))
    body = b"".join(
        struct.pack("<12fH", 0, 0, 0, *(float(x) for corner in face for x in points[corner]), 0)
        for face in faces
    )
    return _keep(run, error_class, "1-a.stl", bytes(80) + struct.pack("<I", len(faces)) + body)


def keep_silence(run: JudgedRun, error_class: str = "job_failed") -> Path:
    """Audio that was kept: half a second of nothing."""
    path = _keep(run, error_class, "1-a.wav", b"")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return path


def _keep(run: JudgedRun, error_class: str, name: str, content: bytes) -> Path:
    path = run.recorded.folder / "failures" / error_class / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
