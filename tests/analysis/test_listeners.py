"""Listeners who left: in their own count alone, and what the service did, with answers worked out by hand."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict, JudgedRun
from genload.analysis.judged.listeners import Walkout
from genload.extensions import load
from genload.reporting.request_wording import listener_findings
from genload.runlog.records import MonitorPlan, PhaseStarted, RequestRecord, Sample

from .memory_log import LOAD_START_S, MemoryLog
from .speech_log import speech_run, spoken

GAUGE = "prom.running"
PHASES = [
    {"name": "stay", "duration_s": 20.0, "users": 4, "leave_share": 0.0},
    {"name": "mixed", "duration_s": 26.0, "users": 4},
    {"name": "walkout", "duration_s": 4.0, "users": 4, "leave_share": 0.0, "all_leave": True},
    {"name": "after", "duration_s": 10.0, "users": 0},
]


def heard(n: int, start_s: float, phase: str, duration_s: float, listener: str = "stays") -> RequestRecord:
    record = spoken(n, start_s, duration_s, ttfa_s=duration_s / 10, attempts=1.0)
    record.phase, record.labels = phase, {"listener": listener}
    return record


def records() -> list[RequestRecord]:
    """Answers of 4 s where all stay and of 5 s beside leavers, two of whom are gone after 1 s while a third
    heard a short one; at 50 s four are cut off that began at 46, 46.2, 46.4 and 49.5 s.
    """
    found = [heard(n, n / 2, "stay", 4.0) for n in range(30)]
    found += [heard(30 + n, 20 + n / 2, "mixed", 5.0) for n in range(20)]
    found.append(heard(50, 21.0, "mixed", 0.9, "leaves"))
    found += [heard(51 + n, 22.0 + n, "mixed", 1.0, "leaves") for n in range(2)]
    starts_s = (46.0, 46.2, 46.4, 49.5)
    found += [heard(53 + n, at_s, "walkout", 50.0 - at_s) for n, at_s in enumerate(starts_s)]
    for record in found[51:]:
        record.outcome = "left"
        del record.numbers["ttfa_s"]
    return found


def left_run(
    criteria: dict[str, Any] | None = None,
    gauge: list[float] | None = None,
    metric: str = GAUGE,
    *,
    interval_s: float = 0.5,
    reconcile: bool = True,
) -> MemoryLog:
    """With a gauge that is right until the listeners leave, and then what is said."""
    log = speech_run(
        records(), criteria, labels={"listener": ["stays", "leaves"]}, phases=PHASES,
        reconcile={"in_flight": GAUGE} if reconcile else {},
    )  # fmt: skip
    begins_s = (0.0, 20.0, 46.0, 50.0)
    log.happened[2:3] = [
        PhaseStarted(t_s=LOAD_START_S + into_s, phase=phase["name"])
        for into_s, phase in zip(begins_s, PHASES, strict=True)
    ]
    log.header.suite["scenarios"]["normal"]["leave"] = {"share": 0.1, "after": {"min_s": 0.5, "max_s": 3.0}}
    if gauge is not None:
        log.header.monitors.append(MonitorPlan(name="own", interval_s=interval_s, metrics=[metric]))
        ticks = round((LOAD_START_S + 50) / interval_s)
        told = [_under_way(n * interval_s - LOAD_START_S) for n in range(ticks)] + gauge
        log.ticks += [
            Sample(t_s=n * interval_s + 0.1, monitor="own", values={metric: value})
            for n, value in enumerate(told)
        ]
    return log


def _under_way(into_s: float) -> float:
    return 0.0 if into_s < 0 or 18 <= into_s < 21 or 34 <= into_s < 46.5 else 3.0


def walkout_of(log: MemoryLog) -> Walkout:
    found = judge_log(log).listeners
    assert found is not None
    (walkout,) = found.walkouts
    return walkout


def criterion(log_criteria: str, **options: Any) -> CriterionVerdict:
    (verdict,) = judge_log(left_run({"it": log_criteria}, **options)).verdict.criteria
    return verdict


def test_who_left_is_in_no_number_but_their_own() -> None:
    judged = judge_log(left_run())
    assert (judged.overall.total_requests, judged.overall.failed_requests) == (51, 0)
    assert judged.overall.left_requests == 6
    assert {phase.name: phase.summary.left_requests for phase in judged.phases} == {
        "stay": 0, "mixed": 2, "walkout": 4, "after": 0,
    }  # fmt: skip
    assert judged.errors == [] and judged.overall.max_duration == 5.0
    assert criterion("speech.left == 6").evidence == "exact"
    assert criterion("speech.left{phase=mixed} == 2").result == "pass"
    assert criterion("speech.left{listener=leaves} == 2").result == "pass", "the others left with everybody"
    assert criterion("speech.attempted == 51").result == "pass"
    assert criterion("speech.success_rate >= 100%").value == 1.0
    # At 50 s the four that were cut off were under way, with nobody else.
    assert criterion("speech.in_flight.max{phase=walkout} == 4").result == "pass"


def test_those_who_stay_are_compared_with_the_same_load_without_leavers() -> None:
    found = judge_log(left_run()).listeners
    assert found is not None and found.stayed is not None and found.alone is not None
    assert (found.alone.requests, found.alone.p50_duration, found.alone.p95_ttfa) == (30, 4.0, 0.4)
    # Not with the leaver who happened to hear a short answer.
    assert (found.stayed.requests, found.stayed.p50_duration, found.stayed.p95_ttfa) == (20, 5.0, 0.5)
    words = dict(listener_findings(found))["listeners who stay"]
    assert words == (
        "beside 10 % who leave: first audio after 500 ms (p95 500 ms), all after 5 s (p95 5 s), 20 requests; "
        "the same load without: first audio after 400 ms (p95 400 ms), all after 4 s (p95 4 s), 30 requests"
    )


def test_a_service_that_notices_is_at_rest_with_the_next_sample() -> None:
    walkout = walkout_of(left_run(gauge=[0.0] * 20))
    # The median of whole answers is 4 s; the last began half a second before.
    assert (walkout.answers, walkout.would_go_on) == (4, pytest.approx(3.5))
    (fall,) = walkout.falls
    assert (fall.busy, fall.rest) == (3.0, 0.0)
    assert (fall.after_low, fall.after_high) == (0.0, pytest.approx(0.1))
    assert walkout.noticed is True
    verdict = criterion("speech.released < 1s", gauge=[0.0] * 20)
    assert (verdict.result, verdict.evidence) == ("pass", "exact")
    assert verdict.value == pytest.approx(0.1)


def test_a_service_that_does_not_goes_on_with_the_work() -> None:
    still = [4.0, 4.0, 3.0, 2.0, 2.0, 1.0, 1.0] + [0.0] * 13
    walkout = walkout_of(left_run(gauge=still))
    assert walkout.noticed is False
    (fall,) = walkout.falls
    assert (fall.after_low, fall.after_high) == (pytest.approx(3.1), pytest.approx(3.6))
    assert criterion("speech.released < 1s", gauge=still).result == "fail"
    walkout = walkout_of(left_run(gauge=[4.0] * 20))
    assert (walkout.falls[0].after_high, walkout.noticed) == (None, False)
    verdict = criterion("speech.released < 1h", gauge=[4.0] * 20)
    assert (verdict.result, verdict.value) == ("fail", float("inf"))


def test_a_tick_that_ends_in_the_load_does_not_tell_of_rest() -> None:
    log = left_run(gauge=[3.0] * 7 + [0.0] * 13)
    log.ticks = [sample for sample in log.ticks if sample.monitor != "own" or sample.t_s > 9.5]
    early = next(sample for sample in log.ticks if sample.monitor == "own")
    early.t_s, early.took_s, early.values[GAUGE] = LOAD_START_S - 0.1, 0.3, 3.0
    (fall,) = walkout_of(log).falls
    assert (fall.rest, fall.after_high) == (0.0, pytest.approx(3.6))


def test_samples_too_far_apart_do_not_tell() -> None:
    walkout = walkout_of(left_run(gauge=[3.0] + [0.0] * 4, interval_s=2.6))
    assert walkout.noticed is None
    assert "sample it more often" in walkout.why


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "prom.running: no sample of it came"),
        ({"reconcile": False}, "no gauge of requests in flight (`reconcile.in_flight`), and no GPU or CPU"),
        ({"gauge": [0.0] * 20, "metric": "gpu.utilisation"}, "prom.running: no sample of it came"),
    ],
)
def test_what_cannot_be_measured_is_said(options: dict[str, Any], said: str) -> None:
    walkout = walkout_of(left_run(**options))
    missing = [f"{fall.metric}: {fall.missing}" for fall in walkout.falls if fall.missing]
    assert any(said in each for each in missing)
    if "gauge" not in options:
        assert walkout.noticed is None and said in walkout.why
        verdict = criterion("speech.released < 1s", **options)
        assert verdict.result == "inconclusive" and said in (verdict.needs or "")


def test_a_gpu_shows_it_where_the_service_counts_nothing() -> None:
    log = left_run(gauge=[0.5, 0.05, 0.0, 0.02] + [0.0] * 16, metric="gpu.utilisation", reconcile=False)
    for sample in log.ticks:
        if sample.values.get("gpu.utilisation") == 3.0:
            sample.values["gpu.utilisation"] = 0.9
    walkout = walkout_of(log)
    assert walkout.noticed is True
    assert walkout.falls[0].after_high == pytest.approx(0.6), "half of the work is over with that sample"


def test_the_services_own_counts_may_hold_those_who_left() -> None:
    still = [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0] + [0.0] * 13
    (count,) = judge_log(left_run(gauge=still)).reconciliation
    assert (count.count, count.result) == ("in_flight", "differs")
    assert count.meaning == ["4 requests whose listener had left, which the service went on with"]
    (count,) = judge_log(left_run(gauge=[0.0] * 20)).reconciliation
    assert count.result == "equal"


@pytest.mark.parametrize(
    ("count", "ends_at", "meaning"),
    [
        ("completed", 57.0, "which the service went on with to the end, and counts as successes"),
        ("failed", 6.0, "which the service counts as failures"),
    ],
)
def test_counters_may_hold_them_as_either(count: str, ends_at: float, meaning: str) -> None:
    log = left_run(reconcile=False)
    log.header.suite["reconcile"] = {count: "prom.counted"}
    log.header.monitors.append(MonitorPlan(name="own", interval_s=1.0, metrics=["prom.counted"]))
    for t_s, value in ((5.0, 0.0), (69.0, ends_at)):
        log.ticks.append(Sample(t_s=t_s, monitor="own", values={"prom.counted": value}))
    (found,) = judge_log(log).reconciliation
    assert (found.difference, found.result) == (6.0, "differs")
    assert found.meaning == [f"6 requests whose listener left, {meaning}"]


def test_the_results_file_has_all_of_it() -> None:
    results = load("reports", "results_json")
    judged: JudgedRun = judge_log(left_run({"it": "speech.released < 1s"}, gauge=[0.0] * 20))
    written = msgspec.json.decode(results.encode(results.results(judged)))
    jsonschema.validate(written, results.schema())
    assert written["left_requests"] == 6 and written["phases"]["mixed"]["left_requests"] == 2
    assert written["listeners"]["walkouts"][0]["noticed"] is True
    alone = judge_log(speech_run([spoken(0, 1.0)]))
    assert alone.listeners is None and "left_requests" not in results.results(alone)
