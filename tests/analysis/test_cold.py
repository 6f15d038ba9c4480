"""The first answer after a time without work, beside warm ones: answers worked out by hand."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.analysis.judged.cold import ColdStart
from genload.extensions import load
from genload.reporting.findings import findings
from genload.reporting.request_wording import cold_findings
from genload.runlog.records import RequestRecord

from .memory_log import MemoryLog, job, sound_run
from .speech_log import speech_run, spoken


def before(n: int, at_s: float, duration_s: float, phase: str, **fields: Any) -> RequestRecord:
    """A request before the load, `at_s` seconds into the run."""
    record = spoken(n, 0.0, duration_s, ttfa_s=duration_s / 4)
    record.start_s, record.phase, record.warmup = at_s, phase, True
    return msgspec.structs.replace(record, labels={"length": "short"}, **fields)


def cold_run(criteria: dict[str, Any] | None = None, **cold: Any) -> MemoryLog:
    """One warm-up that took 6 s from 1 s on, 2 s without a request, and an answer of 0.8 s; warm short ones
    take 0.2 s, long ones 2 s.
    """
    records = [before(0, 1.0, 6.0, "warmup"), before(1, 9.0, 0.8, "cold", **cold)]
    for n in range(40):
        record = spoken(2 + n, n / 2, (0.2, 2.0)[n % 2], ttfa_s=(0.1, 0.5)[n % 2])
        record.labels = {"length": ("short", "long")[n % 2]}
        records.append(record)
    return speech_run(records, criteria)


def starts_of(log: MemoryLog) -> list[ColdStart]:
    return judge_log(log).cold_starts


def criterion(text: str, **cold: Any) -> CriterionVerdict:
    (verdict,) = judge_log(cold_run({"it": text}, **cold)).verdict.criteria
    return verdict


def test_the_first_of_the_run_and_the_one_behind_an_idle_time_beside_warm_ones_of_their_length() -> None:
    first, cold = starts_of(cold_run())
    assert (first.after, first.idle, first.duration, first.ttfa) == ("start", None, 6.0, 1.5)
    assert (cold.after, cold.idle) == ("idle", pytest.approx(2.0))
    assert (cold.duration, cold.ttfa, cold.error_class) == (0.8, 0.2, "")
    assert (cold.warm_requests, cold.warm_p50, cold.warm_p95, cold.warm_p50_ttfa) == (20, 0.2, 0.2, 0.1)
    assert cold.times_slower == pytest.approx(4.0) and first.times_slower == pytest.approx(30.0)


def test_they_are_in_no_other_number() -> None:
    judged = judge_log(cold_run())
    assert (judged.overall.total_requests, judged.warmup.total_requests) == (40, 2)
    assert judged.overall.max_duration == 2.0


def test_a_criterion_is_about_the_one_behind_the_idle_time() -> None:
    verdict = criterion("speech.cold_start < 1s")
    assert (verdict.result, verdict.value, verdict.evidence) == ("pass", 0.8, "exact")
    assert criterion("speech.cold_ttfa < 100ms").result == "fail"
    share = criterion("speech.cold_start <= 500% of speech.duration.p50{length=short}")
    assert (share.result, share.value) == ("pass", pytest.approx(4.0))
    assert criterion("speech.cold_start{length=short} < 1s").result == "inconclusive"


def test_one_that_failed_was_never_answered() -> None:
    failed: dict[str, Any] = {"outcome": "failed", "error_class": "timeout", "numbers": {}}
    verdict = criterion("speech.cold_start < 1h", **failed)
    assert (verdict.result, verdict.value) == ("fail", float("inf"))
    _, cold = starts_of(cold_run(**failed))
    assert (cold.duration, cold.error_class, cold.times_slower) == (None, "timeout", None)
    words = dict(cold_findings([cold]))["cold start"]
    assert words.startswith("failed after 2 s without a request: timeout; warm p50")


def test_without_an_idle_time_it_is_the_runs_first_and_without_either_it_is_nothing() -> None:
    records = [job(0, -8.0, 3.0, warmup=True, phase="warmup"), *(job(1 + n, n / 2, 1.0) for n in range(20))]
    judged = judge_log(sound_run(records, {"it": "generate.cold_start < 5s"}))
    assert judged.verdict.criteria[0].value == 3.0
    assert "first request" in (judged.verdict.criteria[0].assumption or "")
    judged = judge_log(sound_run(records[1:], {"it": "generate.cold_start < 5s"}))
    assert judged.cold_starts == [] and judged.verdict.criteria[0].result == "inconclusive"


def test_reports_say_it_and_a_terminal_leaves_out_a_first_answer_that_was_quick() -> None:
    judged = judge_log(cold_run())
    told = dict(findings(judged))["Cold"]
    assert [each.title for each in told] == ["first answer", "cold start"]
    assert told[1].text == (
        "800 ms after 2 s without a request, first audio 200 ms; "
        "warm p50 200 ms, p95 200 ms, first audio p50 100 ms (20 requests); 4 × as long as warm"
    )
    assert [title for title, _ in cold_findings(judged.cold_starts, notable=True)] == [
        "first answer",
        "cold start",
    ]
    quick = msgspec.structs.replace(judged.cold_starts[0], duration=0.3, times_slower=1.5, ttfa=0.15)
    assert list(cold_findings([quick], notable=True)) == []
    late = msgspec.structs.replace(quick, ttfa=0.2)
    assert len(list(cold_findings([late], notable=True))) == 1, "its first audio took twice as long"
    results = load("reports", "results_json")
    written = msgspec.json.decode(results.encode(results.results(judged)))
    jsonschema.validate(written, results.schema())
    assert written["cold_starts"][1]["times_slower"] == pytest.approx(4.0)
