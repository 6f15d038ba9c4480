"""The subjects of speech on hand-made runs, whose numbers are computed by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import RequestRecord
from genload.settings.metrics.spoken import speech_metrics

from .memory_log import MemoryLog
from .speech_log import speech_run, spoken

Judge = Callable[..., CriterionVerdict]


def labelled(record: RequestRecord, **labels: str) -> RequestRecord:
    record.labels = labels
    return record


def failed(record: RequestRecord, error_class: str) -> RequestRecord:
    record.outcome, record.error_class = "failed", error_class
    return record


STREAMED = {"streamed": 1.0, "valid": 1.0}

RECORDS = [
    labelled(
        spoken(0, 0.0, 1.0, characters=50, ttfa_s=0.1, audio_duration_s=4.0, rtf=0.25, stalls=0, **STREAMED),
        voice="af_heart",
    ),
    labelled(
        spoken(1, 5.0, 2.0, characters=100, ttfa_s=0.3, audio_duration_s=5.0, rtf=0.4, stalls=2, **STREAMED),
        voice="am_puck",
    ),
    labelled(
        spoken(2, 10.0, 4.0, characters=200, ttfa_s=0.5, audio_duration_s=8.0, rtf=0.5, stalls=1, **STREAMED),
        voice="af_heart",
    ),
    labelled(failed(spoken(3, 15.0, 3.0, characters=50, valid=0.0), "silent_audio"), voice="am_puck"),
    labelled(failed(spoken(4, 20.0, 0.1, characters=50), "refused"), voice="am_puck"),
    labelled(failed(spoken(5, 25.0, 9.0, characters=50), "truncated"), voice="af_heart"),
    labelled(failed(spoken(6, 30.0, 0.1, characters=50), "rejected"), voice="af_heart"),
    labelled(  # begun inside the load, ended after it
        spoken(7, 58.0, 7.0, characters=300, ttfa_s=0.7, audio_duration_s=7.0, rtf=1.0, stalls=0, **STREAMED),
        voice="af_heart",
    ),
]


def run() -> MemoryLog:
    return speech_run(RECORDS)


@pytest.mark.parametrize(
    ("subject", "unit", "value"),
    [
        ("valid_rate", "ratio", 4 / 5),
        ("valid_rate{voice=am_puck}", "ratio", 1 / 2),
        ("connection_errors", "count", 2),
        ("connection_errors{voice=am_puck}", "count", 1),
        ("connection_errors{last(30s)}", "count", 0),
        ("error_rate", "ratio", 4 / 8),
        ("error_rate{voice=af_heart}", "ratio", 2 / 5),
        ("audio_throughput", "", (4 + 5 + 8) / 60),
        ("audio_throughput{voice=am_puck}", "", 5 / 60),
        ("audio_throughput{first(10s)}", "", (4 + 5) / 10),
        ("audio_per_character", "s", (4 / 50 + 5 / 100 + 8 / 200 + 7 / 300) / 4),
        ("audio_per_character{voice=am_puck}", "s", 5 / 100),
        ("ttfa.mean", "s", 0.4),
        ("ttfa.p50", "s", 0.7),  # of eight, four of them infinite
        ("ttfa.p(51)", "s", np.inf),
        ("rtf.max", "", 1.0),
        ("stalls.mean", "count", 0.75),
        ("stalls.p(25)", "count", 0.0),
        ("characters.max", "count", 300.0),
        ("characters.p50", "count", 50.0),  # of all eight: known before anything can fail
        ("audio_duration.p95", "s", 8.0),  # of the successes: more of it is not slower
    ],
)
def test_numbers_of_speech(judge_one: Judge, subject: str, unit: str, value: float) -> None:
    zero = {"count": "0", "ratio": "0%", "s": "0s", "": "0"}[unit]
    verdict = judge_one(run(), f"speech.{subject} >= {zero}")
    assert verdict.value == pytest.approx(value)
    assert verdict.unit == unit


def test_every_metric_of_speech_is_in_the_docs() -> None:
    document = Path(__file__).parents[2] / "docs" / "criteria.md"
    section = document.read_text(encoding="utf-8").split("## Speech")[1].split("## Machines")[0]
    described = set(re.findall(r"^\| `(\w+)(?:\.STAT)?` \|", section, re.MULTILINE))
    assert {metric.name.removeprefix("speech.") for metric in speech_metrics("speech")} == described


def test_every_metric_of_speech_has_a_value_or_a_reason(judge_one: Judge) -> None:
    for metric in speech_metrics("speech"):
        statistic = ".p95" if metric.stats else ""
        zero = "0s" if metric.dimension.value == "s" else "0"
        verdict = judge_one(run(), f"{metric.name}{statistic} >= {zero}")
        assert (verdict.result == "inconclusive") == (verdict.value is None), metric.name
        assert verdict.value is not None or verdict.needs, metric.name


def test_a_failure_of_the_inspection_is_in_no_connection_error(judge_one: Judge) -> None:
    verdict = judge_one(run(), "speech.connection_errors == 2")
    assert (verdict.result, verdict.evidence) == ("pass", "exact")


def test_nothing_inspected_is_never_valid(judge_one: Judge) -> None:
    verdict = judge_one([spoken(n, n / 10) for n in range(20)], "speech.valid_rate == 100%")
    assert (verdict.result, verdict.evidence) == ("inconclusive", None)
    log = speech_run([spoken(n, n / 10) for n in range(20)])
    verdict = judge_one(log, "speech.valid_rate == 100%")
    assert (verdict.result, verdict.value) == ("inconclusive", None)
    assert "whose output was inspected" in (verdict.needs or "")


@pytest.mark.parametrize("metric", ["stalls.max <= 3", "underrun.p95 < 50ms", "startup_buffer.mean < 1s"])
def test_what_is_not_streamed_has_no_stalls_to_pass_with(judge_one: Judge, metric: str) -> None:
    whole = [spoken(n, n / 10, streamed=0.0, valid=1.0) for n in range(40)]
    verdict = judge_one(speech_run(whole), f"speech.{metric}")
    assert (verdict.result, verdict.value) == ("inconclusive", None)
    assert "none of 40 were" in (verdict.needs or "") and "whole answer" in (verdict.needs or "")
    for record in whole[:20]:
        record.numbers |= {"streamed": 1.0, "stalls": 0.0, "underrun_s": 0.0, "startup_buffer_s": 0.0}
    assert "20 of 40 were" in (judge_one(speech_run(whole), f"speech.{metric}").needs or "")
    for record in whole:
        record.numbers |= {"streamed": 1.0, "stalls": 0.0, "underrun_s": 0.0, "startup_buffer_s": 0.0}
    assert judge_one(speech_run(whole), f"speech.{metric}").result == "pass"


def test_a_planned_stratum_without_a_request_is_not_left_out(judge_one: Judge) -> None:
    only = [labelled(spoken(n, n / 10), voice="af_heart") for n in range(50)]
    for condition in (
        "speech.error_rate < 50%",
        "speech.failed == 0",
        "speech.connection_errors == 0",
        "speech.unfinished == 0",
        "speech.duration.p95 < 5s",
        "speech.throughput < 100/s",
    ):
        verdict = judge_one(speech_run(only), f"each(voice): {condition}")
        assert verdict.result == "inconclusive", condition
        assert "voice=am_puck" in (verdict.needs or ""), condition
        log = speech_run(only, labels={"voice": ["af_heart"]})
        assert judge_one(log, f"each(voice): {condition}").result == "pass", condition
    # How many there were is known of the empty one, too.
    verdict = judge_one(speech_run(only), "each(voice): speech.attempted >= 10")
    assert (verdict.result, verdict.evidence, verdict.value) == ("fail", "exact", 0.0)


def test_a_planned_phase_that_never_began_is_not_left_out(judge_one: Judge) -> None:
    log = speech_run([spoken(n, n / 10) for n in range(50)])
    log.header.phases = [
        {"name": "steady", "duration_s": 60.0, "users": 2},
        {"name": "after", "duration_s": 60.0, "users": 2},
    ]
    verdict = judge_one(log, "each(phase): speech.error_rate < 50%")
    assert verdict.result == "inconclusive"
    assert "phase=after" in (verdict.needs or "")


def test_strata_of_two_labels_are_judged_apart(judge_one: Judge) -> None:
    records = [
        labelled(
            spoken(n, n / 10), voice=("af_heart", "am_puck")[n % 2], length=("short", "long")[n % 4 // 2]
        )
        for n in range(80)
    ]
    for record in records[3::4]:  # am_puck and long
        failed(record, "server")
    log = speech_run(records)
    assert judge_one(log, "speech.error_rate{voice=am_puck,length=long} >= 100%").value == 1.0
    assert judge_one(log, "each(voice): speech.error_rate{length=short} < 20%").result == "pass"
    verdict = judge_one(log, "each(length): speech.error_rate < 20%")
    assert (verdict.result, verdict.value) == ("fail", 0.5)


def test_an_open_schedule_counts_from_the_intended_start(judge_one: Judge) -> None:
    records = [spoken(n, n * 0.2 + 0.05 * n, 1.0) for n in range(10)]
    for n, record in enumerate(records):
        record.intended_s = record.start_s - 0.05 * n
    log = speech_run(records)
    assert judge_one(log, "speech.duration.max <= 1.45s").value == pytest.approx(1.45)
    assert judge_one(log, "speech.start_delay.max <= 450ms").value == pytest.approx(0.45)
    assert judge_one(log, "speech.attempted{first(1.7s)} == 9").value == 9  # by the intended start
    ends = judge_one(log, "speech.throughput{first(3s)} >= 0/s")
    assert ends.value == pytest.approx(9 / 3)  # by the real end, 3.0 s that of the ninth: 0.25 × 8 + 1


def test_the_delay_that_a_record_states_counts_once() -> None:
    record = spoken(0, 1.0, start_delay_s=0.5)
    record.intended_s = record.start_s - 0.5
    judged = judge_log(speech_run([record, spoken(1, 2.0)]))
    assert judged.overall.max_duration == pytest.approx(1.5)


def test_a_run_of_an_older_version_says_the_same(judge_one: Judge) -> None:
    older = run()
    five = ("name", "dimension", "stats", "source", "help")
    older.header.metrics = [{name: fields[name] for name in five} for fields in older.header.metrics]
    for subject in (
        "audio_duration.p95",
        "characters.p50",
        "ttfa.p50",
        "stalls.mean",
        "rtf.max",
        "valid_rate",
    ):
        zero = "0s" if subject.startswith(("audio", "ttfa")) else "0"
        expression = f"speech.{subject} >= {zero}"
        assert judge_one(older, expression) == judge_one(run(), expression)
