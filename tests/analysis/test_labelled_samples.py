"""Criteria on one of several machines: the labels of the monitors' series."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import MonitorPlan, Sample

from .memory_log import LOAD_START_S, MemoryLog, jobs, sound_run

GIB = float(2**30)


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


def two_gpus(*, second: dict[str, float]) -> MemoryLog:
    """GPU 0 at 20 GiB throughout; of the other what `second` says."""
    log = sound_run(jobs(["ok"] * 20), load_s=20.0)
    plan = MonitorPlan(
        name="gpu",
        interval_s=1.0,
        metrics=["gpu.memory_used", "gpu.memory_total", "gpu.power"],
        labels={"gpu": ["gpu."], "process": ["gpu.process_memory"]},
    )
    log.header.monitors = [plan]
    other = {f"gpu.{name}{{gpu=1}}": value for name, value in second.items()}
    values = {
        "gpu.memory_used": 40 * GIB,
        "gpu.memory_used{gpu=0}": 20 * GIB,
        "gpu.memory_total{gpu=0}": 24 * GIB,
    }
    log.ticks = [
        Sample(t_s=LOAD_START_S + second + 0.5, monitor="gpu", values=values | other) for second in range(20)
    ]
    return log


EACH_GPU = "each(gpu): gpu.memory_used.max < 22GiB"


@pytest.mark.parametrize(
    ("used", "result", "decides"),
    [(21 * GIB, "pass", 1), (19 * GIB, "pass", 0), (23 * GIB, "fail", 1)],
)
def test_each_gpu_is_judged_and_the_one_that_decides_is_named(
    judge_one: Callable[..., CriterionVerdict], used: float, result: str, decides: int
) -> None:
    judged = judge_one(two_gpus(second={"memory_used": used}), EACH_GPU)
    assert (judged.result, judged.evidence) == (result, "exact")
    assert judged.value == (used if decides else 20 * GIB)
    assert judged.assumption == f"about the samples seen (for gpu={decides})"


def test_a_gpu_that_does_not_tell_is_no_pass(judge_one: Callable[..., CriterionVerdict]) -> None:
    judged = judge_one(two_gpus(second={"power": 70.0}), EACH_GPU)
    assert judged.result == "inconclusive"
    assert str(judged.needs).startswith(
        "for gpu=1: samples of gpu.memory_used{gpu=1}: this run has gpu.memory_used,"
    )


def test_each_goes_over_both_sides_of_a_comparison(judge_one: Callable[..., CriterionVerdict]) -> None:
    log = two_gpus(second={"memory_used": 9 * GIB, "memory_total": 10 * GIB})
    judged = judge_one(log, "each(gpu): gpu.memory_used.max <= 85% of gpu.memory_total.max")
    assert (judged.result, judged.value) == ("fail", pytest.approx(0.9))
    assert "gpu=1" in str(judged.assumption)


def test_each_condition_of_each_replica_must_hold(
    replicas: MemoryLog, judge_one: Callable[..., CriterionVerdict]
) -> None:
    judged = judge_one(replicas, "each(replica): server.memory.max < 1MiB and server.memory.growth < 100%")
    assert (judged.result, judged.value) == ("fail", pytest.approx(2.0))
    assert "replica=10.0.0.7:5000" in str(judged.assumption or judged.needs)
    assert judge_one(replicas, "each(replica): server.memory.max < 1MiB").result == "pass"


@pytest.mark.parametrize("metric", ["server.memory", "prom.queue"])
def test_without_a_series_that_has_the_label_nothing_passes(
    judge_one: Callable[..., CriterionVerdict], metric: str
) -> None:
    judged = judge_one(sound_run(jobs(["ok"] * 20)), f"each(replica): {metric}.max < 1GB")
    assert (judged.result, judged.value) == ("inconclusive", None)
    there = {"server.memory": "this run has server.memory", "prom.queue": "no monitor fills prom.queue"}
    assert judged.needs == f"series of {metric} with the label replica: {there[metric]}"


def test_series_with_more_labels_are_judged_one_by_one(judge_one: Callable[..., CriterionVerdict]) -> None:
    """As of a Prometheus, whose labels no monitor declares; another query's pods are none of this one's."""
    log = sound_run(jobs(["ok"] * 20), load_s=20.0)
    log.header.monitors = [
        MonitorPlan(name="prometheus", interval_s=1.0, metrics=["prom.queue", "prom.other"])
    ]
    values = {
        "prom.queue{gpu=0, pod=a}": 1.0,
        "prom.queue{gpu=0, pod=b}": 7.0,
        "prom.queue{gpu=1, pod=a}": 3.0,
        "prom.other{pod=c}": 90.0,
    }
    log.ticks = [
        Sample(t_s=LOAD_START_S + second + 0.5, monitor="prometheus", values=values) for second in range(20)
    ]
    judged = judge_one(log, "each(pod): prom.queue.max < 5")
    assert (judged.result, judged.value) == ("fail", 7.0)
    assert "(for gpu=0, pod=b)" in str(judged.assumption)
    judged = judge_one(log, "each(gpu): prom.queue.max{pod=a} < 5")
    assert (judged.result, judged.value) == ("pass", 3.0)
    assert "(for gpu=1)" in str(judged.assumption)
