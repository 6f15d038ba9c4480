"""Runs of speech in memory, for tests of the analysis: a sound one of one phase, changed by each test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from genload.runlog.records import RequestRecord
from genload.settings.metrics.spoken import speech_metrics

from .memory_log import LOAD_START_S, MemoryLog, sound_run

LABELS = {
    "voice": ["af_heart", "am_puck"],
    "length": ["short", "long"],
    "text": ["new", "repeat"],
    "cache": ["hit", "miss"],
}


def spoken(
    n: int, start_s: float, duration_s: float = 1.0, outcome: str = "ok", **numbers: float
) -> RequestRecord:
    """One request, `start_s` after the load began; numbers as the record has them."""
    return RequestRecord(
        source="local",
        n=n,
        name="speech",
        operation="speech",
        type="POST",
        phase="steady",
        start_s=LOAD_START_S + start_s,
        duration_s=float(duration_s),
        outcome=outcome,
        numbers={name: float(value) for name, value in numbers.items()},  # numpy's are none of a record's
    )


def speech_run(
    records: Sequence[RequestRecord],
    criteria: dict[str, Any] | None = None,
    *,
    load_s: float = 60.0,
    labels: dict[str, list[str]] | None = None,
    phases: list[dict[str, Any]] | None = None,
    **settings: Any,
) -> MemoryLog:
    """A run with nothing to object to; `labels` and `phases` as run.json has them."""
    log = sound_run(list(records), criteria, load_s=load_s, **settings)
    log.header.operation, log.header.stages = "speech", []
    log.header.labels = LABELS if labels is None else labels
    log.header.metrics = [msgspec.to_builtins(metric) for metric in speech_metrics("speech")]
    if phases is not None:
        log.header.phases = phases
    return log
