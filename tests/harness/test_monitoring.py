"""The monitors' process as a run looks after it: how long it watches a service at rest, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genload.harness.monitoring import Monitoring, idle_time_s
from genload.harness.plan import RunPlan
from genload.runlog.records import MonitorPlan
from genload.sampler import SamplerHandle
from genload.settings.wing_models import MonitorSettings


def plan(interval_s: float, *metrics: str) -> MonitorPlan:
    return MonitorPlan(name="some", interval_s=interval_s, metrics=list(metrics))


@pytest.mark.parametrize(
    ("plans", "limit_s", "expected_s"),
    [
        ([plan(1.0, "server.up", "server.memory")], 15.0, 3.0),
        ([plan(5.0, "server.memory")], 15.0, 15.0),
        ([plan(5.0, "server.memory")], 14.9, 0.0),
        # The slowest that can have its samples decides; of one that cannot, waiting would help nothing.
        (
            [plan(60.0, "server.memory"), plan(0.5, "gpu.memory_used"), plan(2.0, "gpu.memory_used")],
            15.0,
            6.0,
        ),
        ([plan(1.0, "service.up")], 15.0, 0.0),
        ([plan(1.0, "server.memory")], 0.0, 0.0),
        ([], 15.0, 0.0),
    ],
)
def test_a_service_at_rest_is_watched_for_three_ticks(
    plans: list[MonitorPlan], limit_s: float, expected_s: float
) -> None:
    assert idle_time_s(plans, limit_s) == expected_s


@dataclass
class Sampler:
    """Stands in for the process."""

    plans: list[MonitorPlan]
    running: bool = True
    exit_code: int | None = None
    stopped: int = 0

    def stop(self) -> None:
        self.stopped += 1


@dataclass
class World:
    sampler: Sampler = field(default_factory=lambda: Sampler([plan(2.0, "gpu.memory_used")]))
    notices: list[tuple[str, str]] = field(default_factory=list)

    def started(self) -> Monitoring:
        monitoring = Monitoring(Path("run"), lambda *words: self.notices.append(words), self._start)
        suite = SimpleNamespace(monitors={"gpu": MonitorSettings(interval_s=2.0)}, watch_idle_s=7.0)
        plans = monitoring.start(
            cast(
                RunPlan,
                SimpleNamespace(suite=suite, requested=suite, service=SimpleNamespace(host="http://x")),
            ),
            1.0,
        )
        assert plans is self.sampler.plans
        return monitoring

    def _start(self, *arguments: Any, longest_s: dict[str, float]) -> SamplerHandle:
        assert longest_s == {}
        assert arguments[:3] == (Path("run"), 1.0, "http://x")
        assert arguments[3].keys() == {"gpu"}
        return cast(SamplerHandle, self.sampler)


def test_without_monitors_there_is_no_process() -> None:
    def start(*_: Any, **__: Any) -> SamplerHandle:
        raise AssertionError("nothing is to be sampled")

    monitoring = Monitoring(Path("run"), lambda *words: None, start)
    suite = SimpleNamespace(monitors={}, watch_idle_s=7.0)
    assert monitoring.start(cast(RunPlan, SimpleNamespace(suite=suite, requested=suite)), 1.0) == []
    monitoring.look_after()
    monitoring.stop(told=False)
    assert monitoring.idle_s == 0.0


def test_its_own_end_is_told_once() -> None:
    world = World()
    monitoring = world.started()
    assert monitoring.idle_s == 6.0
    monitoring.look_after()
    assert world.notices == []
    world.sampler.running, world.sampler.exit_code = False, -9
    monitoring.look_after()
    monitoring.look_after()
    monitoring.stop(told=False)
    assert [code for code, _ in world.notices] == ["monitors_ended"]
    assert "code -9" in world.notices[0][1]


@pytest.mark.parametrize(("code", "told", "notices"), [(0, False, 0), (2, False, 1), (2, True, 0)])
def test_samples_that_could_not_be_written_are_told_unless_they_are_already(
    code: int, told: bool, notices: int
) -> None:
    world = World()
    monitoring = world.started()
    world.sampler.exit_code = code
    monitoring.stop(told=told)
    assert (world.sampler.stopped, len(world.notices)) == (1, notices)


def test_a_run_that_was_refused_has_nothing_to_stop() -> None:
    notices: list[tuple[str, str]] = []
    Monitoring(Path("run"), lambda *words: notices.append(words)).stop(told=False)
    assert notices == []
