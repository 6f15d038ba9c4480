"""Runs in memory, for tests of the analysis: a sound one, changed by each test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from genload.analysis.judged import JudgedRun
from genload.runlog.reader import Later
from genload.runlog.records import (
    ClientHealth,
    Event,
    LoadEnded,
    LoadStarted,
    MonitorPlan,
    Notice,
    PhaseStarted,
    RequestRecord,
    RunEnded,
    RunHeader,
    RunStarted,
    Sample,
    Users,
)
from genload.runlog.rows import Row, rows_of
from genload.runlog.writer import RunWriter

LOAD_START_S = 10.0


@dataclass
class MemoryLog:
    """Stands in for a run directory."""

    header: RunHeader
    records: list[RequestRecord] = field(default_factory=list)
    happened: list[Event] = field(default_factory=list)
    ticks: list[Sample] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    folder: Path = Path()

    def rows(self, later: Later | None = None) -> Iterator[list[Row]]:
        yield rows_of(self.records)

    def events(self) -> Iterator[Event]:
        return iter(self.happened)

    def samples(self) -> Iterator[Sample]:
        return iter(self.ticks)

    def missing_records(self) -> dict[str, int]:
        return self.missing


def job(n: int, start_s: float, duration_s: float = 1.0, outcome: str = "ok", **more: Any) -> RequestRecord:
    """A logical request, `start_s` seconds after the load began."""
    return RequestRecord(
        source="local",
        n=n,
        name="generate",
        operation="generate",
        start_s=LOAD_START_S + start_s,
        duration_s=duration_s,
        outcome=outcome,
        **{"phase": "steady", **more},
    )


def jobs(outcomes: Sequence[str], duration_s: float = 1.0, **more: Any) -> list[RequestRecord]:
    """One job a tenth of a second; their durations differ by up to a tenth, in no order."""
    return [
        job(n, n / 10, duration_s * (1 + (n * 37 % 101 - 50) / 1000), outcome, **more)
        for n, outcome in enumerate(outcomes)
    ]


def suite_of(criteria: dict[str, Any], **settings: Any) -> dict[str, Any]:
    scenario = {"shape": {"kind": "normal", "users": 2}, "criteria": criteria, "purpose": "A test"}
    return {
        "name": "probe",
        "service": {"api": "orfeas"},
        "locustfile": "generation3d",
        "scenarios": {"normal": scenario},
        **settings,
    }


def sound_run(
    records: list[RequestRecord],
    criteria: dict[str, Any] | None = None,
    *,
    load_s: float = 60.0,
    **settings: Any,
) -> MemoryLog:
    """A run of one phase with two users, with nothing to object to; readings once a second."""
    header = RunHeader(
        format=1,
        suite=suite_of(criteria or {}, **settings),
        requested={"scenarios": {"normal": {}}},
        scenario="normal",
        phases=[{"name": "steady", "duration_s": load_s, "users": 2, "users_from": None, "iterations": None}],
        operation="generate",
        stages=["queue", "run"],
        started_at="2026-11-21T10:00:00+00:00",
        seed=7,
        monitors=[MonitorPlan(name="exposition", interval_s=1.0, metrics=["server.up", "server.memory"])],
    )
    end_s = LOAD_START_S + load_s
    events: list[Event] = [
        RunStarted(t_s=0.0, wall_time=header.started_at),
        LoadStarted(t_s=LOAD_START_S),
        PhaseStarted(t_s=LOAD_START_S, phase="steady"),
    ]
    for second in range(1, int(load_s) + 1):
        t_s = LOAD_START_S + second
        events.append(Users(t_s=t_s, target=2, working=2, in_flight=2, leaving=0))
        events.append(ClientHealth(t_s=t_s, source="local", lags_ms=[0.2, 0.4], cpu=0.3, rss_bytes=10**8))
    events += [LoadEnded(t_s=end_s), RunEnded(t_s=end_s + 1, records={"local": len(records)})]
    ticks = [
        Sample(
            t_s=LOAD_START_S + 0.5 + tick,
            monitor="exposition",
            values={"server.up": 1.0, "server.memory": 1e9},
        )
        for tick in range(int(load_s))
    ]
    return MemoryLog(header, records, events, ticks)


def write(log: MemoryLog, folder: Path) -> Path:
    """The run as a real run directory."""
    writer = RunWriter(folder)
    writer.header(log.header)
    for record in log.records:
        writer.requests([record])
    for event in log.happened:
        writer.event(event)
    writer.close()
    lines = b"".join(msgspec.json.encode(sample) + b"\n" for sample in log.ticks)
    (folder / "samples.jsonl").write_bytes(lines)
    return folder


def never_ready() -> MemoryLog:
    """A run whose service never came."""
    log = sound_run([], {"all": "generate.attempted >= 5"})
    log.happened = [
        RunStarted(t_s=0.0, wall_time=""),
        Notice(t_s=5.0, code="not_ready", text="it was not ready within 5 s"),
        RunEnded(t_s=5.1, records={}),
    ]
    return log


def codes(run: JudgedRun) -> list[str]:
    """The codes of the reasons why a run is not valid."""
    return [reason.code for reason in run.verdict.reasons]
