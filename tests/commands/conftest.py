"""Suite folders as `genload run` leaves them, with records written by the real writer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.commands.run import ahead
from genload.runlog.records import (
    ClientHealth,
    LoadEnded,
    LoadStarted,
    PhaseStarted,
    RequestRecord,
    RunEnded,
    RunHeader,
    RunStarted,
    Users,
)
from genload.runlog.writer import RunWriter

LOAD_START_S = 2.0
LOAD_S = 20.0
JOBS = 10

WriteRun = Callable[..., Path]


def _header(
    scenario: str,
    criteria: dict[str, Any],
    time_scale: float,
    seed: int,
    minute: int = 0,
    baseline: str | None = None,
) -> RunHeader:
    load = {"shape": {"kind": "normal", "users": 1, "duration": f"{LOAD_S}s"}, "criteria": criteria}
    others = {"shape": {"kind": "normal", "users": 1, "duration": f"{LOAD_S}s"}}
    suite = {
        "name": "probe",
        "service": {"api": "orfeas"},
        "locustfile": "generation3d",
        "scenarios": {"one": others, "two": others, "three": others, scenario: load},
        "baseline": baseline,
    }
    return RunHeader(
        format=1,
        suite=suite,
        requested=suite,
        scenario=scenario,
        phases=[{"name": "steady", "duration_s": LOAD_S, "users": 1, "users_from": None, "iterations": None}],
        operation="generate",
        stages=["queue", "run"],
        time_scale=time_scale,
        started_at=f"2026-11-21T10:{minute:02}:00+00:00",
        seed=seed,
    )


@pytest.fixture
def write_run() -> WriteRun:
    """Write one sound run of ten jobs of 1.5 s: ``write_run(folder, "one", failed=2, criteria={…})``."""

    def write(
        suite_folder: Path,
        scenario: str,
        *,
        failed: int = 0,
        criteria: dict[str, Any] | None = None,
        time_scale: float = 1.0,
        seed: int = 7,
        minute: int = 0,
        seconds: float = 1.5,
        ended: bool = True,
        baseline: str | None = None,
    ) -> Path:
        writer = RunWriter(suite_folder / scenario)
        rules = {"few_errors": "generate.error_rate < 15%"} if criteria is None else criteria
        writer.header(_header(scenario, rules, time_scale, seed, minute, baseline))
        writer.event(RunStarted(t_s=0.0, wall_time="2026-11-21T10:00:00+00:00"))
        writer.event(LoadStarted(t_s=LOAD_START_S))
        writer.event(PhaseStarted(t_s=LOAD_START_S, phase="steady"))
        for second in range(1, int(LOAD_S) + 1):
            t_s = LOAD_START_S + second
            writer.event(Users(t_s=t_s, target=1, working=1, in_flight=1, leaving=0))
            writer.event(ClientHealth(t_s=t_s, source="local", lags_ms=[0.2], cpu=0.2, rss_bytes=10**8))
        for n in range(JOBS):
            job = RequestRecord(
                source="local",
                n=n,
                name="generate",
                operation="generate",
                phase="steady",
                start_s=LOAD_START_S + n,
                duration_s=seconds,
                outcome="failed" if n < failed else "ok",
                error_class="rejected" if n < failed else "",
                error="full \x1b[31m[/red]" if n < failed else "",
            )
            writer.requests([job])
        writer.event(LoadEnded(t_s=LOAD_START_S + LOAD_S))
        if ended:
            writer.event(RunEnded(t_s=LOAD_START_S + LOAD_S + 1, records={"local": JOBS}))
        writer.flush()
        writer.close()
        return suite_folder / scenario

    return write


@pytest.fixture
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def no_locust_ahead(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What refuses a suite is tested without the process that `genload run` starts while it reads it."""
    if not request.node.get_closest_marker("processes"):
        monkeypatch.setattr(ahead.Ahead, "begin", lambda ahead: None)
