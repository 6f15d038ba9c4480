"""Run directories of two builds, made to differ in a known way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from genload.runlog.records import MonitorPlan, RunHeader, Sample
from genload.settings.metrics.meshes import mesh_metrics

from ..memory_log import LOAD_START_S, MemoryLog, job, sound_run, write

NOISE = (1.0, 1.012, 0.99, 1.006, 0.985)
"""What the runs of a build differ by."""


def run_log(
    factor: float = 1.0,
    *,
    minute: int = 0,
    requests: int = 100,
    failed: Sequence[str] = (),
    faces: float = 5000.0,
    memory: float | None = 1e9,
    facts: dict[str, str] | None = None,
    header: dict[str, Any] | None = None,
    criteria: dict[str, Any] | None = None,
    **settings: Any,
) -> MemoryLog:
    """A run of jobs that take from `factor` to 2 × `factor` seconds each.

    Args:
        minute: of the day at which it began.
        failed: the classes of errors with which its first requests fail.
        memory: of the service, bytes; None: nobody watched.
        facts: what the monitors told.
    """
    records = [
        job(
            n,
            n / 2,
            factor * (1 + n % 11 / 10),
            "failed" if n < len(failed) else "ok",
            error_class=failed[n] if n < len(failed) else "",
            numbers={} if n < len(failed) else {"valid": 1.0, "faces": faces},
        )
        for n in range(requests)
    ]
    log = sound_run(records, criteria, **settings)
    own = {
        "salt": f"salt{minute}",
        "started_at": f"2026-11-21T10:{minute:02}:00+00:00",
        "monitors": [MonitorPlan(name="exposition", interval_s=1.0, metrics=["server.memory"])],
        "metrics": [msgspec.to_builtins(metric) for metric in mesh_metrics("generate")],
    }
    log.header = with_header(log.header, **{**own, **(header or {})})
    values = {} if memory is None else {"server.memory": memory}
    log.ticks = [
        Sample(t_s=LOAD_START_S + 0.5 + tick, monitor="exposition", values=values, facts=facts or {})
        for tick in range(60)
    ]
    return log


def with_header(header: RunHeader, **changes: Any) -> RunHeader:
    return msgspec.structs.replace(header, **changes)


def side(folder: Path, factors: Sequence[float], *, minutes: Sequence[int], **what: Any) -> list[Path]:
    """The runs of one build, each in a folder of its own."""
    return [
        write(run_log(factor, minute=minute, **what), folder / f"run{minute}")
        for factor, minute in zip(factors, minutes, strict=True)
    ]


def rounds(
    folder: Path,
    slower: float = 1.0,
    *,
    count: int = 5,
    base: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    **both: Any,
) -> tuple[list[Path], list[Path]]:
    """A B B A A B …: NEW takes `slower` times as long; `base` and `new` say what is else of one side."""
    noise = [NOISE[n % len(NOISE)] for n in range(count)]
    first = [2 * n + n % 2 for n in range(count)]
    second = [2 * n + (n + 1) % 2 for n in range(count)]
    ours = side(folder / "base", noise, minutes=first, **both, **(base or {}))
    theirs = [slower * noise[(n + 2) % count] for n in range(count)]
    return ours, side(folder / "new", theirs, minutes=second, **both, **(new or {}))
