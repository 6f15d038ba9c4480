"""The whole verdict of a run: results, exit codes, summaries; from memory and from a real run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.filling import Filling
from genload.analysis.judge import judge, judge_log
from genload.analysis.table import table_of
from genload.errors import RunDirectoryError, suite_exit_code
from genload.runlog.records import Interrupted, LoadStarted, Notice, RequestRecord, Sample
from genload.runlog.rows import rows_of
from genload.settings.criteria.criterion import Criterion

from .memory_log import MemoryLog, job, jobs, never_ready, sound_run, write

PROVEN, UNPROVEN = "generate.attempted >= 50", "generate.error_rate < 1%"
FAILED, NO_DATA = "generate.attempted >= 999", "gpu.power.max < 300"


@pytest.mark.parametrize(
    ("criteria", "strict", "result", "code"),
    [
        ([PROVEN], False, "pass", 0),
        ([PROVEN], True, "pass", 0),
        ([UNPROVEN], False, "pass", 0),
        ([UNPROVEN], True, "pass", 3),
        ([FAILED], False, "fail", 1),
        ([FAILED, NO_DATA], False, "fail", 1),
        ([FAILED, UNPROVEN], True, "fail", 1),
        ([NO_DATA], False, "inconclusive", 3),
        ([PROVEN, NO_DATA], False, "inconclusive", 3),
        ([{"must": False, "holds": FAILED}, PROVEN], False, "pass", 0),
        ([{"must": False, "holds": NO_DATA}, PROVEN], False, "pass", 0),
        ([{"must": False, "holds": UNPROVEN}, PROVEN], True, "pass", 0),
        ([], False, "no criteria", 3),
        ([{"must": False, "holds": PROVEN}], False, "no criteria", 3),
    ],
)
def test_result_and_exit_code(
    criteria: list[str | dict[str, object]], strict: bool, result: str, code: int
) -> None:
    log = sound_run(jobs(["ok"] * 60), {f"c{n}": text for n, text in enumerate(criteria)})
    judged = judge_log(log, strict=strict)
    assert (judged.verdict.result, judged.verdict.exit_code, judged.verdict.valid) == (result, code, True)
    log.header.strict = strict
    assert judge_log(log).verdict.exit_code == code


def observed(records: list[RequestRecord], criteria: dict[str, str]) -> MemoryLog:
    log = sound_run(records, criteria)
    log.header.suite["scenarios"]["normal"]["observe"] = True
    return log


def test_what_is_only_observed_needs_no_criteria() -> None:
    verdict = judge_log(observed(jobs(["ok"] * 60), {}), strict=True).verdict
    assert (verdict.result, verdict.exit_code) == ("observed", 0)
    assert judge_log(observed([], {})).verdict.result == "inconclusive"
    for criterion, result in ((FAILED, "fail"), (PROVEN, "pass")):
        assert judge_log(observed(jobs(["ok"] * 60), {"it": criterion})).verdict.result == result


def test_an_unsound_measurement_neither_passes_nor_fails() -> None:
    for criterion in (PROVEN, FAILED):
        log = sound_run(jobs(["ok"] * 60), {"it": criterion})
        log.missing = {"local": 1}
        assert judge_log(log).verdict.exit_code == 3


def test_an_interrupted_run_ends_with_130_even_when_never_ready() -> None:
    log = sound_run(jobs(["ok"] * 60), {"it": FAILED})
    log.happened.append(Interrupted(t_s=50.0, by="SIGTERM"))
    judged = judge_log(log)
    assert (judged.interrupted, judged.verdict.exit_code) == ("SIGTERM", 130)
    log = never_ready()
    log.happened.append(Interrupted(t_s=4.0, by="SIGINT"))
    assert judge_log(log).verdict.exit_code == 130


def test_a_service_that_was_never_ready_ends_with_4_and_no_result() -> None:
    judged = judge_log(never_ready())
    assert (judged.verdict.result, judged.verdict.exit_code) == ("inconclusive", 4)
    assert [c.result for c in judged.verdict.criteria] == ["inconclusive"]
    assert judged.notices == ["it was not ready within 5 s"]
    assert judged.overall.total_requests == 0


def test_a_run_whose_load_never_began_does_not_pass() -> None:
    log = sound_run(jobs(["ok"] * 60), {"none": "generate.failed == 0"})
    log.happened = [event for event in log.happened if not isinstance(event, LoadStarted)]
    judged = judge_log(log)
    assert (judged.verdict.result, judged.verdict.exit_code) == ("inconclusive", 3)


def test_a_load_in_which_nothing_was_attempted_does_not_pass() -> None:
    for criteria in ({}, {"none": "generate.failed == 0"}):
        assert judge_log(sound_run([], criteria)).verdict.result == "inconclusive"


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 1, 0], 1),
        ([1, 4], 4),
        ([4, 2, 1], 2),
        ([0, 1, 2, 3, 4, 130], 130),
        ([], 3),
    ],
)
def test_a_suites_exit_code(codes: list[int], code: int) -> None:
    assert suite_exit_code(codes) == code


def test_other_criteria_may_be_judged_later() -> None:
    log = sound_run(jobs(["ok"] * 60), {"it": FAILED})
    judged = judge_log(log, criteria={"other": Criterion(holds=PROVEN)})
    assert [c.name for c in judged.verdict.criteria] == ["other"]
    assert judged.verdict.exit_code == 0


@given(
    st.lists(
        st.tuples(
            st.floats(0, 59), st.floats(0.01, 50), st.sampled_from(["ok", "ok", "failed", "unfinished"])
        ),
        min_size=1,
        max_size=60,
    )
)
def test_statistics_are_numpys_on_the_records(made: list[tuple[float, float, str]]) -> None:
    records = [job(n, start, length, outcome) for n, (start, length, outcome) in enumerate(made)]
    judged = judge_log(sound_run(records)).overall
    good = np.array([record.duration_s for record in records if record.outcome == "ok"])
    ranked = np.array([record.duration_s if record.outcome == "ok" else np.inf for record in records])
    assert judged.total_requests == len(records)
    assert judged.successful_requests + judged.failed_requests == len(records)
    assert judged.unfinished_requests == sum(record.outcome == "unfinished" for record in records)
    for level, value in ((50, judged.p50_duration), (95, judged.p95_duration), (99, judged.p99_duration)):
        expected = np.sort(ranked)[int(np.ceil(round(len(ranked) * level / 100, 9))) - 1]
        assert value == (expected if np.isfinite(expected) else None)
    if len(good):
        assert judged.avg_duration == pytest.approx(np.mean(good))
        assert (judged.min_duration, judged.max_duration) == (good.min(), good.max())
    else:
        assert judged.avg_duration is judged.min_duration is judged.max_duration is None


def test_warm_up_and_foreign_requests_are_in_no_statistic() -> None:
    records = jobs(["ok"] * 20)
    records.append(job(20, -5.0, 77.0, phase="warmup", warmup=True))
    records.append(msgspec.structs.replace(job(21, 3.0, 99.0, "failed"), operation="", name="upload"))
    judged = judge_log(sound_run(records))
    assert (judged.overall.total_requests, judged.warmup.total_requests) == (20, 1)
    assert (judged.warmup.avg_duration, judged.warmup.throughput_per_minute) == (77.0, None)
    assert (judged.overall.max_duration or 99) < 2
    assert judged.errors == []


@pytest.mark.parametrize(
    ("durations_s", "said"),
    [
        ([9.0, 9.0] + [1.0] * 10, "the warm-up ended after 12 requests: by MSER, at rest after the first 2"),
        ([20.0 - n for n in range(12)], "the warm-up's 12 requests did not come to rest"),
    ],
)
def test_a_warm_up_that_was_to_come_to_rest_is_told_of(durations_s: list[float], said: str) -> None:
    before = [
        job(60 + n, n - 200.0, duration_s, phase="warmup", warmup=True)
        for n, duration_s in enumerate(durations_s)
    ]
    log = sound_run([*jobs(["ok"] * 60), *before])
    assert not judge_log(log).notices, "who asks for a number of requests gets it"
    log.header.suite["scenarios"]["normal"]["warmup"] = {"until": "steady"}
    (notice,) = judge_log(log).notices
    assert notice.startswith(said)


def test_summaries_beside_the_verdict() -> None:
    records = jobs(
        ["ok"] * 40, stages={"queue": 0.25, "run": 0.75}, numbers={"poll_bound_s": 0.1, "rejections": 1.0}
    )
    records += [
        job(40, 5.0, 0.1, "failed", error_class="rejected", error="no room"),
        job(41, 6.0, 0.1, "failed", error_class="rejected", error="no room"),
    ]
    records += [job(42, 7.0, 0.1, "failed", error_class="timeout", error="slow", drained=True)]
    judged = judge_log(sound_run(records))
    assert [(e.error_class, e.count, e.messages) for e in judged.errors] == [
        ("rejected", 2, ["no room"]),
        ("timeout", 1, ["slow"]),
    ]
    assert [(name, s.count, s.mean, s.p95) for name, s in judged.stages.items()] == [
        ("queue", 40, 0.25, 0.25),
        ("run", 40, 0.75, 0.75),
    ]
    assert judged.overall.rejections == 40
    assert judged.overall.drained_requests == 1
    assert judged.client.poll_bound_p95_s == 0.1
    assert (judged.client.cpu_max, judged.client.lag_p99_ms, judged.client.rss_max_bytes) == (0.3, 0.4, 10**8)
    memory = next(series for series in judged.series if series.metric == "server.memory")
    assert (memory.count, memory.coverage, memory.first, memory.growth, memory.unit) == (
        60,
        1.0,
        1e9,
        0.0,
        "bytes",
    )
    assert [(p.name, p.target_users, p.summary.total_requests) for p in judged.phases] == [("steady", 2, 43)]
    assert (judged.start_time, judged.duration_s) == ("2026-11-21T10:00:10.000+00:00", 60.0)
    assert judged.end_time == "2026-11-21T10:01:10.000+00:00"


def test_degradation_compares_first_and_last_sixth_where_parts_are_judged() -> None:
    records = [job(n, float(n), 2.0 if n < 10 else 3.0) for n in range(60)]
    text = "generate.duration.mean{last(10s)} <= 110% of generate.duration.mean{first(10s)}"
    log = sound_run(records, {"stable": text})
    assert judge_log(log).degradation == {
        "first_mean": 2.0,
        "last_mean": 3.0,
        "change_percent": 50.0,
        "change_low_percent": None,  # ten requests on a side bound nothing
        "change_high_percent": None,
        "window_seconds": 10.0,
    }
    assert judge_log(sound_run(records, {"all": PROVEN})).degradation is None


def test_a_run_directory_gives_the_same_verdict_as_its_records(tmp_path: Path) -> None:
    log = sound_run(jobs(["ok"] * 55 + ["failed"] * 5), {"a": UNPROVEN, "b": "generate.duration.p50 < 2s"})
    judged = judge(write(log, tmp_path / "run"))
    for again in (judge_log(log), judge(tmp_path / "run")):
        assert msgspec.structs.replace(again, recorded=judged.recorded) == judged


def test_each_file_of_records_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = sound_run(jobs(["ok"] * 60), {"all": PROVEN})
    folder, read = write(log, tmp_path / "run"), list[str]()
    really_open = Path.open

    def counted(path: Path, *args: Any, **options: Any) -> Any:
        read.append(path.name)
        return really_open(path, *args, **options)

    monkeypatch.setattr(Path, "open", counted)
    judge(folder)
    assert {name: read.count(name) for name in ("requests.jsonl", "samples.jsonl")} == {
        "requests.jsonl": 1,
        "samples.jsonl": 1,
    }


def test_a_run_directory_that_was_cut_off_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    log = sound_run(jobs(["ok"] * 60), {"all": PROVEN})
    folder = write(log, tmp_path / "run")
    for name in ("requests.jsonl", "events.jsonl"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) * 9 // 10])
    judged = judge(folder)
    assert judged.overall.total_requests == 54 or judged.overall.total_requests == 53
    assert "not_ended" in [reason.code for reason in judged.verdict.reasons]
    assert any("requests.jsonl" in notice for notice in judged.notices)
    assert judged.verdict.exit_code == 3


def test_settings_that_cannot_be_read_are_an_error_with_a_remedy(tmp_path: Path) -> None:
    log = sound_run([])
    log.header.suite = {"name": "broken"}
    with pytest.raises(RunDirectoryError, match=r"run\.json") as caught:
        judge(write(log, tmp_path / "run"))
    assert caught.value.remedy


def test_notices_reach_the_report() -> None:
    log = sound_run(jobs(["ok"] * 5))
    log.happened.append(Notice(t_s=20.0, code="monitor_broken", text="gpu: no device"))
    log.problems.append("samples.jsonl: last line cut off")
    assert judge_log(log).notices == ["gpu: no device", "samples.jsonl: last line cut off"]


def test_the_table_is_in_the_order_of_start_and_keeps_what_belongs_together() -> None:
    filling = Filling()
    for n, start in enumerate((3.0, 1.0, 2.0)):
        numbers, labels = {"faces": float(n)} if n else {}, {"voice": "ab"[n % 2]}
        filling.add(rows_of([job(n, start, 10.0 + n, numbers=numbers, labels=labels)]))
    table = table_of(filling)
    assert list(table.duration_s) == [11.0, 12.0, 10.0]
    assert np.array_equal(table.numbers["faces"], [1.0, 2.0, np.nan], equal_nan=True)
    assert list(table.where("voice", "a")) == [False, True, True]
    assert list(table.where("voice", "z")) == [False, False, False]
    assert table.values_of("voice") == ("a", "b")


def test_samples_without_values_are_holes() -> None:
    log = sound_run(jobs(["ok"] * 60), {"up": "server.up.min == 1"})
    for n in range(20, 40):
        log.ticks[n] = Sample(t_s=log.ticks[n].t_s, monitor="exposition", error="connection refused")
    judged = judge_log(log)
    assert judged.verdict.criteria[0].result == "inconclusive"
    assert next(s for s in judged.series if s.metric == "server.up").coverage == pytest.approx(2 / 3)
