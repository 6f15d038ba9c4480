"""Criteria on one of several machines: the labels of the monitors' series."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import MonitorPlan, Sample

from .memory_log import LOAD_START_S, MemoryLog, jobs, sound_run


@pytest.fixture
def replicas() -> MemoryLog:
    """Two replicas with 100 and 300 bytes, in the second half 300 and 500; one name needs quotes."""
    log = sound_run(jobs(["ok"] * 20), load_s=20.0)
    log.header.monitors = [MonitorPlan(name="exposition", interval_s=1.0, metrics=["server.memory"])]
    log.ticks = [
        Sample(
            t_s=LOAD_START_S + second + 0.5,
            monitor="exposition",
            values={
                "server.memory": 400.0 + grown,
                "server.memory{replica=10.0.0.7:5000}": 100.0 + grown,
                'server.memory{replica="[::1]:5000"}': 300.0 + grown,
            },
        )
        for second in range(20)
        for grown in [200.0 if second >= 10 else 0.0]
    ]
    return log


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        ("server.memory.max", 600.0),
        ("server.memory.max{replica=10.0.0.7:5000}", 300.0),
        ('server.memory.mean{replica="[::1]:5000"}', 400.0),
        ("server.memory.max{replica=10.0.0.7:5000, first(10s)}", 100.0),
        ("server.memory.min{phase=steady, replica=10.0.0.7:5000}", 100.0),
    ],
)
def test_a_label_chooses_its_series(
    replicas: MemoryLog, judge_one: Callable[..., CriterionVerdict], subject: str, value: float
) -> None:
    judged = judge_one(replicas, f"{subject} < 1MiB")
    assert (judged.value, judged.result) == (value, "pass")


def test_a_machine_that_was_not_there_is_no_pass_and_the_others_are_named(
    replicas: MemoryLog, judge_one: Callable[..., CriterionVerdict]
) -> None:
    judged = judge_one(replicas, "server.memory.max{replica=c} < 1MiB")
    assert judged.result == "inconclusive"
    assert str(judged.needs).startswith(
        "samples of server.memory{replica=c}: this run has server.memory, server.memory{replica="
    )


def test_a_series_with_holes_is_judged_by_its_own_ticks(
    replicas: MemoryLog, judge_one: Callable[..., CriterionVerdict]
) -> None:
    for sample in replicas.ticks[5:]:
        del sample.values["server.memory{replica=10.0.0.7:5000}"]
    judged = judge_one(replicas, "server.memory.max{replica=10.0.0.7:5000} < 1MiB")
    assert judged.result == "inconclusive"
    assert "samples of server.memory{replica=10.0.0.7:5000}: 5 of 20 ticks" in str(judged.needs)
    assert judge_one(replicas, "server.memory.max < 1MiB").result == "pass"
