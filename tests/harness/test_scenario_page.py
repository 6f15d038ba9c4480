"""What the page of a scenario is told, of a run in any stage."""

from __future__ import annotations

import io
from math import inf
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from genload.harness.picture import Picture
from genload.harness.scenario_page.history import History
from genload.harness.scenario_page.state import run_shown
from genload.runlog.records import Sample

from .fake_run import FakeRun


@pytest.fixture
def run(tmp_path: Path) -> FakeRun:
    return FakeRun(tmp_path)


@pytest.fixture
def history(run: FakeRun) -> Any:
    """One that takes a moment only when the test says so."""
    made = History(run, every_s=3600.0)  # type: ignore[arg-type]
    yield made
    made.stop()


def take(history: History) -> None:
    history._take()


def test_a_moment_has_users_requests_and_the_mean_of_those_that_just_ended(
    run: FakeRun, history: History
) -> None:
    run.add(1.0)
    run.add(3.0)
    take(history)
    run.add(5.0)
    run.add(0.1, "failed", "timeout")
    run.add(0.1, "left")
    run.now_s = 24.0
    take(history)
    take(history)
    first, second, third = history.since(0)
    assert (first.t_s, first.target, first.working, first.in_flight) == (23.0, 2, 2, 1)
    assert (first.completed, first.failed, first.mean_s) == (2, 0, 2.0)
    assert (second.completed, second.failed, second.mean_s) == (3, 1, 5.0)
    assert (first.left, second.left) == (0, 1)
    assert third.mean_s is None
    assert [moment.number for moment in history.since(2)] == [2]


def test_the_machines_newest_values_are_in_it(run: FakeRun, history: History) -> None:
    for t_s, value in ((6.0, 1e9), (7.0, 2e9)):
        sample = Sample(
            t_s=t_s, monitor="exposition", values={"server.memory": value, "gpu.power{gpu=0}": 300.0}
        )
        with run.samples.open("ab") as file:
            file.write(msgspec.json.encode(sample) + b"\n")
    run.live.read_samples()
    take(history)
    assert history.since(0)[-1].machines == {"server.memory": 2e9, "gpu.power{gpu=0}": 300.0}


def test_of_two_populations_each_is_shown_by_its_name(run: FakeRun, history: History) -> None:
    run.part("meshes", "speech")
    run.add(1.0)
    run.add(0.1, "failed", "timeout")
    take(history)
    shown = run_shown(run, 1, history, 0)  # type: ignore[arg-type]
    assert [each.name for each in shown.criteria] == [
        f"{side}: {name}" for side in ("meshes", "speech") for name in ("fast", "few_errors", "memory")
    ]
    assert [each.result for each in shown.criteria[:4]] == ["fail", "fail", "inconclusive", "inconclusive"]
    assert shown.latency["meshes: p50"] == "1 s" and shown.errors == {"meshes: timeout": 1}
    [moment] = shown.moments
    counts = {name: (each.completed, each.failed) for name, each in moment.sides.items()}
    assert counts == {"meshes": (1, 1), "speech": (0, 0)} and (moment.completed, moment.failed) == (1, 1)


def test_the_picture_has_both_populations_within_a_screen(run: FakeRun) -> None:
    run.part("meshes", "speech")
    run.add(1.0)
    run.add(0.1, "failed", "timeout")
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as drawn:
        console.print(Picture(run, lambda: "steady", console).view())  # type: ignore[arg-type]
    lines = drawn.get().splitlines()
    assert lines[0].startswith("probe/normal  steady, 12 s left")
    assert len(lines) <= 24
    meshes, speech = (
        next(n for n, line in enumerate(lines) if line.startswith(name)) for name in ("meshes", "speech")
    )
    assert "completed 1   errors 1" in lines[meshes] and lines[meshes + 1] == "timeout × 1"
    assert "completed 0   errors 0" in lines[speech]
    assert [line.split()[1] for line in lines[speech + 2 :]] == ["fast", "few_errors", "memory"]


def test_criteria_are_shown_by_what_was_observed(run: FakeRun, history: History) -> None:
    for _ in range(9):
        run.add(1.0)
    run.add(0.1, "failed", "timeout")
    shown = run_shown(run, 3, history, 0)  # type: ignore[arg-type]
    assert (shown.number, shown.name, shown.phase, shown.left_s) == (3, "probe/normal", "steady", 12.0)
    assert [(each.name, each.result, each.observed, each.must) for each in shown.criteria] == [
        ("fast", "fail", "∞", True),
        ("few_errors", "fail", "10 %", False),
        ("memory", "inconclusive", "at the end", True),
    ]
    assert shown.latency == {"p50": "1 s", "p95": "∞"}
    assert shown.errors == {"timeout": 1}
    assert [(each.name, each.length_s, each.load) for each in shown.phases] == [
        ("ramp", 10.0, "2 users"),
        ("steady", 20.0, "2 users"),
    ]
    assert shown.callers == {}
    assert shown.units["generate.duration"] == "s"


def test_before_and_after_the_load_there_is_no_phase_and_no_time_left(run: FakeRun, history: History) -> None:
    run.stage, run.unready, run.load.remaining_s = "waiting", "no one listens\x1b[31m", inf
    shown = run_shown(run, 1, history, 0)  # type: ignore[arg-type]
    assert (shown.stage, shown.phase, shown.left_s) == ("waiting for the service: no one listens", "", None)
    run.stage, run.unready = "draining", ""
    assert run_shown(run, 1, history, 0).stage == "draining"  # type: ignore[arg-type]
