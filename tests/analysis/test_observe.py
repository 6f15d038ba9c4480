"""Which requests and samples a subject speaks about, and the number they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import LoadEnded, MonitorPlan, PhaseStarted, RequestRecord, RunEnded, Sample

from .memory_log import LOAD_START_S, MemoryLog, job, jobs, sound_run

Judge = Callable[..., CriterionVerdict]

RECORDS = [
    job(0, 0.0, 1.0, phase="low", stages={"queue": 0.2, "run": 0.8}, labels={"voice": "a"}),
    job(1, 10.0, 2.0, phase="low", stages={"queue": 0.5, "run": 1.5}, labels={"voice": "b"}),
    job(2, 20.0, 4.0, phase="high", numbers={"rejections": 2.0, "server_duration_s": 3.5}),
    job(3, 25.0, 0.1, "failed", phase="high", error_class="rejected", numbers={"rejections": 4.0}),
    job(4, 40.0, 3.0, phase="high", numbers={"server_duration_s": 2.5}, labels={"voice": "a"}),
    job(5, 55.0, 10.0, phase="high", drained=True, numbers={"server_duration_s": 9.0}),
    job(6, 59.0, 30.0, "unfinished", phase="high", drained=True, error_class="unfinished"),
    job(7, -5.0, 77.0, phase="warmup", warmup=True),
    RequestRecord(source="local", n=8, name="upload", start_s=12.0, duration_s=99.0, outcome="failed"),
]


def two_phases() -> MemoryLog:
    """The records above, in phases of 20 and 40 s."""
    log = sound_run(RECORDS)
    log.header.phases = [
        {"name": "low", "duration_s": 20.0, "users": 2},
        {"name": "high", "duration_s": 40.0, "users": 2},
    ]
    log.happened = [event for event in log.happened if not isinstance(event, PhaseStarted)]
    log.happened += [
        PhaseStarted(t_s=LOAD_START_S, phase="low"),
        PhaseStarted(t_s=LOAD_START_S + 20, phase="high"),
    ]
    return log


@pytest.mark.parametrize(
    ("subject", "unit", "value"),
    [
        ("attempted", "count", 7),
        ("completed", "count", 5),
        ("failed", "count", 2),
        ("unfinished", "count", 1),
        ("rejections", "count", 6),
        ("error_rate", "ratio", 2 / 7),
        ("success_rate", "ratio", 5 / 7),
        ("error_rate{phase=low}", "ratio", 0.0),
        ("error_rate{phase=high}", "ratio", 2 / 5),
        ("throughput", "1/s", 4 / 60),  # the drained one ended after the window
        ("throughput{phase=low}", "1/s", 2 / 20),
        ("throughput{phase=high}", "1/s", 2 / 40),
        ("throughput{first(20s)}", "1/s", 2 / 20),
        ("duration.mean", "s", 4.0),
        ("duration.min", "s", 1.0),
        ("duration.max", "s", 10.0),
        ("duration.count", "count", 5),
        ("duration.p50", "s", 4.0),  # of seven, two of them infinite
        ("duration.p(71)", "s", 10.0),
        ("duration.p95", "s", np.inf),
        ("duration.mean{phase=low}", "s", 1.5),
        ("duration.mean{voice=a}", "s", 2.0),
        ("duration.mean{voice=a,phase=high}", "s", 3.0),
        ("duration.mean{first(15s)}", "s", 1.5),
        ("duration.mean{last(20s)}", "s", 6.5),
        ("stage.queue.mean{phase=low}", "s", 0.35),
        ("stage.run.max{phase=low}", "s", 1.5),
        ("server_duration.mean{phase=high}", "s", 5.0),
    ],
)
def test_numbers_of_requests(judge_one: Judge, subject: str, unit: str, value: float) -> None:
    zero = {"count": "0", "ratio": "0%", "s": "0s", "1/s": "0/s"}[unit]
    verdict = judge_one(two_phases(), f"generate.{subject} >= {zero}")
    assert verdict.value == pytest.approx(value)
    assert verdict.unit == unit


def test_successes_alone_are_asked_for_with_ok(judge_one: Judge) -> None:
    assert judge_one(two_phases(), "ok.generate.duration.p95 <= 10s").result == "pass"
    assert judge_one(two_phases(), "generate.duration.p95 <= 10s").result == "fail"


@pytest.mark.parametrize(
    ("expression", "needs"),
    [
        ("generate.duration.mean{phase=gone} < 1s", "completed, with a duration in phase=gone"),
        ("generate.error_rate{voice=c} < 1%", "attempted in voice=c"),
        ("generate.error_rate{first(1ms)} < 1%", "attempted in first"),
        ("generate.stage.fetch.mean < 1s", "with a stage.fetch"),
        ("generate.server_duration.mean < 1s", "3 of 5 have it"),
        ("speech.duration.mean < 1s", "speech.duration"),
        ("gpu.memory_used.max < 1GiB", "a monitor that fills gpu.memory_used"),
    ],
)
def test_without_data_nothing_passes(judge_one: Judge, expression: str, needs: str) -> None:
    log = two_phases()
    log.records[0].start_s += 0.5
    verdict = judge_one(log, expression)
    log.records[0].start_s -= 0.5
    assert (verdict.result, verdict.evidence, verdict.value) == ("inconclusive", None, None)
    assert needs in (verdict.needs or "")


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        ("mean", 129.5),
        ("min", 100.0),
        ("max", 159.0),
        ("last", 159.0),
        ("p50", 129.0),
        ("count", 60),
        ("growth", (156.5 - 102.5) / 102.5),
        ("slope", 1.0),
        ("mean{first(10s)}", 104.5),
        ("max{phase=low}", 119.0),
        ("min{phase=high}", 120.0),
    ],
)
def test_numbers_of_samples(judge_one: Judge, subject: str, value: float) -> None:
    log = two_phases()
    # One a second, 100 at the first tick of the load; those before and after it must not count.
    log.ticks = [
        Sample(t_s=LOAD_START_S + 0.5 + t, monitor="exposition", values={"server.memory": 100.0 + t})
        for t in range(-5, 75)
    ]
    assert judge_one(log, f"server.memory.{subject} >= 0").value == pytest.approx(value)


@pytest.mark.parametrize("stat", ["last", "max", "mean", "p95", "growth"])
def test_what_a_monitor_doubts_is_never_exact_nor_proven(judge_one: Judge, stat: str) -> None:
    log = sound_run(jobs(["ok"] * 10))
    assert judge_one(log, "server.memory.last < 2GB").evidence == "exact"
    why = "the server warns: store 7 is down"
    (monitor,) = {tick.monitor for tick in log.ticks if "server.memory" in tick.values}
    log.ticks.append(Sample(t_s=99.0, monitor=monitor, doubts={"server.memory": why}))
    verdict = judge_one(log, f"server.memory.{stat} < 2GB")
    assert (verdict.result, verdict.evidence, verdict.bound) == ("pass", "unproven", None)
    assert why in (verdict.needs or "")
    assert judge_log(log).notices == [f"server.memory: not sure: {why}"]
    assert judge_one(log, "server.up.last == 1").evidence == "exact", "another metric"
    del log.ticks[5:12]
    assert judge_one(log, f"server.memory.{stat} < 2GB").result == "inconclusive"


def test_two_missed_ticks_are_forgiven_and_a_sixth_of_them_is_not(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10), load_s=20.0)
    del log.ticks[5], log.ticks[8]
    assert judge_one(log, "server.memory.max < 2GB").result == "pass"
    del log.ticks[5]
    verdict = judge_one(log, "server.memory.max < 2GB")
    assert verdict.result == "inconclusive"
    assert "17 of 20 ticks" in (verdict.needs or "")


def test_a_state_is_exact_when_every_tick_was_seen(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10))
    verdict = judge_one(log, "server.up.mean >= 100%")
    assert (verdict.result, verdict.evidence, verdict.unit) == ("pass", "exact", "ratio")
    del log.ticks[30]
    verdict = judge_one(log, "server.up.mean >= 100%")
    assert (verdict.result, verdict.evidence) == ("pass", "unproven")
    assert verdict.bound == pytest.approx(59 / 60)
    log.ticks[10].values["server.up"] = 0.0
    verdict = judge_one(log, "server.up.mean >= 100%")
    assert (verdict.result, verdict.evidence) == ("fail", "proven")
    assert judge_one(log, "server.up.last == 1").evidence == "exact"


def test_one_0_refutes_that_the_least_is_1_however_many_ticks_are_missing(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10))
    del log.ticks[20:]
    assert judge_one(log, "server.up.min == 1").result == "inconclusive"
    log.ticks[3].values["server.up"] = 0.0
    verdict = judge_one(log, "server.up.min == 1")
    assert (verdict.result, verdict.evidence, verdict.value) == ("fail", "exact", 0.0)
    assert "20 of 60 ticks came" in (verdict.assumption or "")


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("server.memory.max < 900MB", "fail"),
        ("server.memory.max < 2GB", "inconclusive"),
        ("server.memory.max > 900MB", "pass"),
        ("server.memory.min > 2GB", "fail"),
        ("server.memory.min < 2GB", "pass"),
        ("server.memory.min >= 1MB", "inconclusive"),
        ("server.memory.max != 900MB", "pass"),
        ("server.memory.max == 2GB", "inconclusive"),
        ("server.memory.mean < 900MB", "inconclusive"),
        ("server.memory.last < 900MB", "inconclusive"),
        ("server.up.mean <= 30%", "fail"),
        ("server.up.mean >= 30%", "pass"),
        ("server.up.mean >= 50%", "inconclusive"),
    ],
)
def test_half_of_the_samples_decide_only_what_the_others_cannot_change(
    judge_one: Judge, expression: str, result: str
) -> None:
    log = sound_run(jobs(["ok"] * 10))
    del log.ticks[20:]
    assert judge_one(log, expression).result == result


def test_a_state_whose_slow_ticks_leave_no_time_out_is_covered(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10))
    log.ticks = log.ticks[::3]
    assert judge_one(log, "server.up.mean >= 100%").result == "inconclusive"
    for tick in log.ticks:
        tick.took_s = 2.0
    verdict = judge_one(log, "server.up.mean >= 100%")
    assert (verdict.result, verdict.evidence) == ("pass", "exact")


def test_a_metric_that_a_page_lacks_is_told_from_a_page_that_never_came(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10))
    log.header.monitors[0].metrics.append("prom.waiting")
    log.header.monitors[0].source = "http://gpu1:5000/metrics"
    needs = judge_one(log, "prom.waiting.max <= 5").needs or ""
    assert needs.startswith("samples of prom.waiting: the page came, and has no such series")
    assert needs.endswith("(http://gpu1:5000/metrics)")
    for tick in log.ticks:
        tick.values = {"server.up": 0.0}
    needs = judge_one(log, "prom.waiting.max <= 5").needs or ""
    assert needs == "samples of prom.waiting: the page never came in that time (http://gpu1:5000/metrics)"


def test_ticks_that_take_too_long_are_a_cause_with_its_remedy(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10))
    log.ticks = log.ticks[::2]
    for tick in log.ticks:
        tick.took_s = 1.07
    needs = judge_one(log, "server.memory.mean < 2GB").needs or ""
    assert needs.endswith("a tick took 1.07 s and one was due each 1 s: give the monitor a longer `interval`")


def test_of_two_monitors_the_one_that_covers_the_load_speaks(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10))
    log.header.monitors.append(MonitorPlan(name="page2", interval_s=1.0, metrics=["server.memory"]))
    whole = [Sample(t_s=tick.t_s, monitor="page2", values={"server.memory": 5.0}) for tick in log.ticks]
    log.ticks += whole
    assert judge_one(log, "server.memory.max >= 0B").value == 1e9, "both cover it: the first of the suite"
    del log.ticks[10:30]
    assert judge_one(log, "server.memory.max >= 0B").value == 5.0
    del log.ticks[-30:]
    needs = judge_one(log, "server.memory.mean >= 0B").needs or ""
    assert "40 of 60 ticks came from exposition" in needs, "neither covers it: the one with fewer holes"


@pytest.mark.parametrize("seen_by", ["exposition", "host"])
@pytest.mark.parametrize("missed_of_it", [0, 40])
def test_a_restart_that_any_monitor_saw_is_one(judge_one: Judge, seen_by: str, missed_of_it: int) -> None:
    log = sound_run(jobs(["ok"] * 10))
    log.header.monitors[0].metrics.append("server.restarts")
    log.header.monitors.append(MonitorPlan(name="host", interval_s=1.0, metrics=["server.restarts"]))
    log.ticks = [
        Sample(t_s=LOAD_START_S + t + 0.5, monitor=monitor, values={"server.restarts": float(restarted)})
        for monitor in ("exposition", "host")
        for t in range(60)
        if not (restarted := monitor == seen_by and t >= 10) or t >= 10 + missed_of_it
    ]
    judged = judge_one(log, "server.restarts.max == 0")
    assert (judged.result, judged.value, judged.evidence) == ("fail", 1, "exact")
    assert any("restarted once during the load" in notice for notice in judge_log(log).notices)
    for tick in log.ticks:
        tick.values["server.restarts"] = 0.0
    judged = judge_one(log, "server.restarts.max == 0")
    assert (judged.result, judged.value, judged.evidence) == ("pass", 0, "exact")


def test_of_two_monitors_the_first_planned_with_data_speaks(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 10))
    log.header.monitors[0].metrics.append("gpu.memory_used")
    plan: Any = type(log.header.monitors[0])(name="gpu", interval_s=1.0, metrics=["gpu.memory_used"])
    log.header.monitors.append(plan)
    log.ticks += [
        Sample(t_s=LOAD_START_S + t, monitor="gpu", values={"gpu.memory_used": 5.0}) for t in range(60)
    ]
    assert judge_one(log, "gpu.memory_used.max <= 5B").result == "pass"
    for tick in log.ticks[:60]:
        tick.values["gpu.memory_used"] = 9.0
    assert judge_one(log, "gpu.memory_used.max <= 5B").value == 9.0


def test_a_run_without_an_end_is_judged_to_its_last_sign_of_life(judge_one: Judge) -> None:
    log = two_phases()
    log.happened = [event for event in log.happened if not isinstance(event, LoadEnded | RunEnded)]
    log.records = RECORDS[:5]
    assert judge_one(log, "generate.throughput >= 0/s").value == pytest.approx(4 / 60)


def test_a_series_of_zeros_from_a_page_proves_nothing(judge_one: Judge) -> None:
    # Registered and never written looks like this; so does a queue that is always empty.
    log = two_phases()
    values = [0.0] * 60
    log.ticks = [
        Sample(
            t_s=LOAD_START_S + 0.5 + t, monitor="exposition", values={"prom.queue": v, "server.restarts": v}
        )
        for t, v in enumerate(values)
    ]
    verdict = judge_one(log, "prom.queue.max <= 5")
    assert (verdict.result, verdict.evidence, verdict.value) == ("pass", "unproven", 0.0)
    assert "every sample of prom.queue" in (verdict.needs or "")
    assert judge_one(log, "server.restarts.max == 0").evidence == "exact"
    log.ticks[50].values["prom.queue"] = 1.0
    assert judge_one(log, "prom.queue.max <= 5").evidence == "exact"
    assert judge_one(log, "prom.queue.max{phase=low} <= 5").evidence == "exact"


def test_a_slope_has_the_unit_that_its_criterion_is_checked_by(judge_one: Judge) -> None:
    log = sound_run([])
    for tick in log.ticks:
        tick.values = {"server.cpu": tick.t_s * 0.01, "server.up": 1.0}
    log.header.monitors[0].metrics = ["server.cpu", "server.up"]
    verdict = judge_one(log, "server.cpu.slope < 1/s")
    assert (verdict.unit, verdict.value) == ("1/s", pytest.approx(0.01))
