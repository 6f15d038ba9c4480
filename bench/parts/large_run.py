"""A run directory of very many requests, made with the real writer: one operation, failures in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from genload.harness.header import run_header
from genload.harness.plan import make_plan
from genload.runlog.records import (
    ClientHealth,
    LoadEnded,
    LoadStarted,
    RequestRecord,
    RunEnded,
    RunStarted,
    Users,
)
from genload.runlog.writer import RunWriter
from genload.targets import RunRequest

FLUSH_EVERY = 10_000


def write_run(folder: Path, count: int, *, slower: float = 1.0) -> None:
    """So many jobs of orfeas/normal, of which one in a thousand fails.

    Args:
        slower: how many times as long each takes.
    """
    plan = make_plan(RunRequest(("orfeas/normal",), seed=1))
    began = datetime.now(UTC).isoformat(timespec="milliseconds")
    writer = RunWriter(folder)
    writer.header(run_header(plan, began))
    writer.event(RunStarted(t_s=0.0, wall_time=began))
    writer.event(LoadStarted(t_s=0.0))
    length_s = plan.timeline.duration_s
    rng = np.random.default_rng(1)
    starts = np.sort(rng.uniform(0, length_s, count))
    durations = slower * rng.lognormal(0.0, 0.3, count)
    failed = rng.random(count) < 0.001
    for n in range(count):
        writer.requests([_record(rng, n, float(starts[n]), float(durations[n]), bool(failed[n]))])
        if n % FLUSH_EVERY == 0:
            writer.flush()
    for second in range(int(length_s)):
        t_s = float(second)
        writer.event(Users(t_s=t_s, target=3, working=3, in_flight=3, leaving=0))
        writer.event(ClientHealth(t_s=t_s, source="local", lags_ms=[0.2], cpu=0.3, rss_bytes=10**8))
    writer.event(LoadEnded(t_s=length_s))
    writer.event(RunEnded(t_s=length_s + 10, records={"local": count}))
    writer.close()


def _record(
    rng: np.random.Generator, n: int, start_s: float, duration_s: float, failed: bool
) -> RequestRecord:
    some_s = rng.uniform(0.0, 0.01, 4).tolist()
    stages = dict(zip(("connect", "upload", "accept", "download"), some_s, strict=True)) | {"queue": 0.0}
    return RequestRecord(
        source="local",
        n=n,
        name="generate",
        operation="generate",
        type="JOB",
        request_id=rng.bytes(16).hex(),
        job_id=rng.bytes(16).hex(),
        phase="steady",
        start_s=start_s,
        duration_s=duration_s,
        outcome="failed" if failed else "ok",
        error_class="job_failed" if failed else "",
        error="out of memory" if failed else "",
        status=200,
        stages=stages | {"run": duration_s - sum(stages.values())},
        numbers={"attempts": 1.0, "rejections": 0.0, "polls": 40.0, "poll_bound_s": 0.1, "faces": 5000.0},
    )
