"""When a load has ended, whatever the processes with its users say of the moment in which they hear of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from genload.harness.crew import CrewStatus
from genload.harness.gate_status import GateStatus
from genload.harness.plan import make_plan
from genload.harness.run import Run
from genload.runlog.records import Event, LoadEnded, Users
from genload.targets import RunRequest

from ..clock import Clock

SUITE = """
extends: orfeas
monitors: {gpu: null, host: null, exposition: null, readiness: null}
reconcile: {}
scenarios: {short: {shape: {kind: baseline, users: 2, iterations: 8}, criteria: {none: generate.failed == 0}}}
"""
TELLING_S = 0.25


def test_users_who_have_heard_of_the_end_are_not_missing_in_the_load(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(SUITE)
    clock, heard_s = Clock(), list[float]()

    def close() -> None:
        """The users hear of it, and say so, before it has been told to all."""
        heard_s.append(clock())
        clock.sleep(TELLING_S)

    def status() -> CrewStatus:
        return CrewStatus(at_s=heard_s[0], users=GateStatus())

    crew: Any = SimpleNamespace(close=close, status=status, finish=lambda: None, hand_on=lambda: None)
    plan = make_plan(RunRequest((f"{tmp_path / 'own.yaml'}/short",)))
    run = Run(plan, tmp_path / "run", crew, lambda: 2, clock)
    run.journal.begin()
    events: list[Event] = []
    run.journal.event = events.append  # type: ignore[method-assign]
    run.load.origin_s = clock()
    clock.sleep(0.75)
    run._drain()
    [ended_s] = [event.t_s for event in events if isinstance(event, LoadEnded)]
    [users] = [event for event in events if isinstance(event, Users)]
    assert (ended_s, users.working) == (0.75, 0)
    assert users.t_s >= ended_s
