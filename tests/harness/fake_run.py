"""A run for those who only look at it: its totals are real, the rest is set by the test."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from genload.harness.crew import CrewStatus
from genload.harness.gate_status import GateStatus
from genload.harness.live import LiveStats, followed
from genload.runlog.records import RequestRecord
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.requests import request_metrics
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Scenario

CRITERIA = {
    "fast": "generate.duration.p95 < 2s",
    "few_errors": {"must": False, "holds": "generate.error_rate{phase=steady} < 10%"},
    "memory": "server.memory.growth < 5%",
}


WATCHED = ("generate.duration", "generate.stage.upload", "generate.stage.run")


class FakeRun(SimpleNamespace):
    """A run whose clock is set by the test."""

    def __init__(self, folder: Path) -> None:
        scenario = Scenario.model_validate(
            {"shape": {"kind": "normal", "users": 2}, "criteria": CRITERIA, "purpose": "p"}
        )
        catalogue = Catalogue.of(request_metrics("generate", ("upload", "run")))
        timeline = Timeline((Phase("ramp", 10.0, 2, users_from=0), Phase("steady", 20.0, 2)))
        self.samples = folder / "samples.jsonl"
        plan = SimpleNamespace(
            suite=SimpleNamespace(name="probe"),
            scenario_name="normal",
            scenario=scenario,
            service=SimpleNamespace(host="http://gpu1:5000", api="orfeas"),
            timeline=timeline,
            catalogue=catalogue,
            time_scale=1.0,
            seed=7,
        )
        side = self._side("", plan)
        super().__init__(
            plan=plan,
            live=side.live,
            sides=[side],
            ending=SimpleNamespace(interrupted_by=""),
            crew=SimpleNamespace(status=lambda: self.status),
            status=CrewStatus(at_s=0.0, users=GateStatus(working=2, in_flight=1)),
            health={},
            shape=SimpleNamespace(elapsed_s=lambda: self.now_s - 5.0),
            journal=SimpleNamespace(now_s=lambda: self.now_s),
            conductor=None,
            stage="load",
            unready="",
            load_began_s=5.0,
            load=SimpleNamespace(phase="steady", remaining_s=12.0, timeline=timeline, origin_s=5.0),
        )
        self.now_s = 23.0

    def _side(self, name: str, plan: SimpleNamespace) -> SimpleNamespace:
        live = LiveStats("generate", self.samples, followed(plan.scenario, plan.catalogue, WATCHED))
        return SimpleNamespace(
            name=name,
            plan=plan,
            timeline=plan.timeline,
            live=live,
            users=lambda status: status.users,
            arrived=lambda *_: None,
        )

    def part(self, *names: str) -> None:
        """Let it have populations of these names; what is added is of the first."""
        self.sides = [self._side(name, self.plan) for name in names]
        self.live = self.sides[0].live

    def add(
        self,
        duration_s: float,
        outcome: str = "ok",
        error_class: str = "",
        phase: str = "steady",
        **stages: float,
    ) -> None:
        ended = RequestRecord(
            source="local",
            n=0,
            name="generate",
            operation="generate",
            phase=phase,
            stages=stages,
            duration_s=duration_s,
            outcome=outcome,
            error_class=error_class,
        )
        self.live.add([ended])
