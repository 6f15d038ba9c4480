"""From the tree of a criterion to its result and evidence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.reporting.wording import explained
from genload.runlog.records import PhaseStarted
from genload.settings.criteria.comparisons import Observed, observed
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.parse import parse

from .memory_log import job, jobs, sound_run

Judge = Callable[..., CriterionVerdict]


@pytest.mark.parametrize(
    ("failed", "expression", "result", "evidence"),
    [
        (0, "generate.error_rate < 2%", "pass", "proven"),
        (0, "generate.error_rate < 0.5%", "pass", "unproven"),
        (0, "generate.error_rate == 0%", "pass", "unproven"),
        (0, "generate.error_rate <= 0%", "pass", "unproven"),
        (0, "generate.success_rate >= 100%", "pass", "unproven"),
        (0, "generate.success_rate > 98%", "pass", "proven"),
        (0, "generate.failed == 0", "pass", "exact"),
        (0, "generate.completed == 100% of generate.attempted", "pass", "exact"),
        (20, "generate.error_rate == 0%", "fail", "proven"),
        (20, "generate.error_rate != 0%", "pass", "proven"),
        (20, "generate.error_rate < 1%", "fail", "proven"),
        (20, "generate.error_rate < 6%", "fail", "unproven"),
        (20, "generate.error_rate > 1%", "pass", "proven"),
        (20, "generate.error_rate in 1%..20%", "pass", "proven"),
        (20, "generate.error_rate in 6%..20%", "pass", "unproven"),
        (20, "generate.error_rate in 20%..30%", "fail", "proven"),
        (20, "generate.failed == 0", "fail", "exact"),
        (20, "generate.completed == 100% of generate.attempted", "fail", "exact"),
        (20, "generate.attempted >= 300 and generate.error_rate < 6%", "fail", "unproven"),
        (20, "generate.attempted >= 301 and generate.error_rate < 6%", "fail", "exact"),
        (20, "generate.attempted >= 300 and generate.error_rate < 20%", "pass", "proven"),
        (20, "generate.attempted >= 300 and gpu.power.max < 300", "inconclusive", None),
        (20, "generate.attempted >= 301 and gpu.power.max < 300", "fail", "exact"),
    ],
)
def test_result_and_evidence(
    judge_one: Judge, failed: int, expression: str, result: str, evidence: str | None
) -> None:
    # Every 15th of 300 fails, so that they are scattered.
    outcomes = ["failed" if failed and n % 15 == 7 else "ok" for n in range(300)]
    verdict = judge_one(jobs(outcomes), expression)
    assert (verdict.result, verdict.evidence) == (result, evidence)
    assert (verdict.needs is None) == (evidence in ("exact", "proven"))
    assert verdict.assumption or evidence is None


def test_the_bound_lies_between_value_and_threshold_only_when_proven(judge_one: Judge) -> None:
    records = jobs(["ok"] * 300)
    verdict = judge_one(records, "generate.error_rate < 2%")
    assert verdict.value == 0 < (verdict.bound or 0) < 0.02
    verdict = judge_one(records, "generate.error_rate < 0.5%")
    assert (verdict.bound or 0) > 0.005
    assert verdict.needs == "about 598 requests without a failure (300 so far)"


@pytest.mark.parametrize(
    ("expression", "threshold", "margin"),
    [
        ("generate.error_rate < 10%", 0.1, 0.5),
        ("generate.error_rate <= 4%", 0.04, -0.25),
        ("generate.success_rate >= 76%", 0.76, 0.25),
        ("generate.success_rate > 100%", 1.0, -0.05),
        ("generate.error_rate == 5%", 0.05, None),
        ("generate.error_rate <= 0%", 0.0, None),
        ("generate.completed <= 200% of generate.attempted", 2.0, 0.525),
        ("generate.attempted > 200 and generate.error_rate < 4%", 0.04, -0.25),
        ("gpu.power.max < 300", 300.0, None),
    ],
)
def test_the_margin_is_the_share_of_the_threshold_that_is_left(
    judge_one: Judge, expression: str, threshold: float, margin: float | None
) -> None:
    verdict = judge_one(jobs(["failed" if n % 20 == 7 else "ok" for n in range(300)]), expression)
    assert verdict.threshold == threshold
    assert verdict.margin == (None if margin is None else pytest.approx(margin))


def test_a_share_of_another_subject_has_the_ratio_as_its_value(judge_one: Judge) -> None:
    records = [job(n, n / 10, (1.2 if n < 50 else 1.0) * (1 + n % 7 / 100)) for n in range(600)]
    verdict = judge_one(
        records, "generate.duration.mean{first(5s)} <= 110% of generate.duration.mean{last(50s)}"
    )
    assert verdict.result == "fail"
    assert verdict.value == pytest.approx(1.2, abs=0.01)
    assert verdict.unit == "ratio"
    assert verdict.evidence == "proven"
    assert 1.1 < (verdict.bound or 0) < 1.2


def test_each_stratum_is_judged(judge_one: Judge) -> None:
    records = jobs(["ok"] * 100, labels={"voice": "a"})
    records += [
        job(100 + n, n / 10, outcome="ok" if n % 10 else "failed", labels={"voice": "b"}) for n in range(100)
    ]
    assert judge_one(records, "generate.success_rate > 94%").result == "pass"
    verdict = judge_one(records, "each(voice): generate.success_rate > 94%")
    assert verdict.result == "fail"
    assert verdict.value == pytest.approx(0.9)
    assert "voice=b" in (verdict.needs or "")


def test_every_value_for_which_it_does_not_hold_is_named(judge_one: Judge) -> None:
    records = [
        job(n, n / 10, (1.0, 2.0, 3.0, 1.0)[n % 4], labels={"voice": "abcd"[n % 4]}) for n in range(400)
    ]
    log = sound_run(records)
    log.header.labels = {"voice": [*"abcd", "e"]}
    verdict = judge_one(log, "each(voice): generate.duration.p95{phase=steady} < 1.5s")
    assert (verdict.result, verdict.value) == ("fail", 3.0)
    told = [(miss.labels, miss.subject, miss.value, miss.result) for miss in verdict.misses]
    subject = "generate.duration.p95{phase=steady}"
    assert told == [
        ({"voice": "b"}, subject, 2.0, "fail"),
        ({"voice": "c"}, subject, 3.0, "fail"),
        ({"voice": "e"}, subject, None, "inconclusive"),
    ]
    assert explained(verdict).endswith("; fails for voice=b (2 s), voice=c (3 s); is open for voice=e")
    both = "each(voice): generate.duration.p95 < 2.5s and generate.duration.max < 1.5s"
    words = explained(judge_one(sound_run(records), both))
    assert words.endswith(
        "fails for voice=b (generate.duration.max 2 s), voice=c (generate.duration.p95 3 s), "
        "voice=c (generate.duration.max 3 s)"
    )
    alone = judge_one(sound_run(records), "each(voice): generate.duration.p95 < 2.5s")
    assert len(alone.misses) == 1 and "fails for" not in explained(alone), "the evidence names it already"
    assert not judge_one(sound_run(records), "each(voice): generate.duration.p95 < 5s").misses


def test_every_step_of_a_staircase_that_fails_is_named(judge_one: Judge) -> None:
    durations_s = [(0.5, 1.0, 3.0, 4.0)[n // 100] for n in range(400)]
    log = sound_run([job(n, n / 10, s, phase=f"step{n // 100 + 1}") for n, s in enumerate(durations_s)])
    steady = log.header.phases[0]
    log.header.phases = [{**steady, "name": f"step{n}", "duration_s": 10.0} for n in range(1, 5)]
    log.happened = [event for event in log.happened if not isinstance(event, PhaseStarted)]
    verdict = judge_one(log, "each(phase): generate.duration.p95 < 2s")
    assert [(miss.labels["phase"], miss.value) for miss in verdict.misses] == [("step3", 3.0), ("step4", 4.0)]
    assert verdict.value == 4.0


def test_a_declared_stratum_without_requests_does_not_pass(judge_one: Judge) -> None:
    log = sound_run(jobs(["ok"] * 100, labels={"voice": "a"}))
    assert judge_one(log, "each(voice): generate.success_rate > 90%").result == "pass"
    log.header.labels = {"voice": ["a", "b"]}
    assert judge_one(log, "each(voice): generate.success_rate > 90%").result == "inconclusive"
    assert judge_one(log, "each(length): generate.success_rate > 90%").result == "inconclusive"


def test_percentiles_among_the_failed_are_infinite_and_fail(judge_one: Judge) -> None:
    verdict = judge_one(jobs(["ok", "failed"] * 50), "generate.duration.p95 < 1h")
    assert (verdict.result, verdict.value, verdict.evidence) == ("fail", float("inf"), "proven")


@pytest.mark.parametrize("share", [7, 14, 28, 29, 55, 56, 57, 58])
def test_a_share_equals_its_percentage_whatever_binary_makes_of_it(judge_one: Judge, share: int) -> None:
    records = jobs(["ok"] * share + ["failed"] * (100 - share))
    assert judge_one(records, f"generate.success_rate >= {share}%").result == "pass"
    assert judge_one(records, f"generate.success_rate > {share}%").result == "fail"


EXPRESSIONS = (
    "generate.error_rate < 20%",
    "generate.success_rate >= 70%",
    "generate.duration.p50 < 1.1s",
    "generate.duration.p95 < 1.2s",
    "generate.failed <= 3",
    "generate.completed >= 5",
    "generate.throughput >= 5/min",
)


@given(st.lists(st.sampled_from(["ok", "failed", "unfinished"]), min_size=1, max_size=30), st.data())
def test_no_criterion_is_met_by_failing(outcomes: list[str], data: st.DataObject) -> None:
    worse = list(outcomes)
    worse[data.draw(st.integers(0, len(outcomes) - 1))] = data.draw(st.sampled_from(["failed", "unfinished"]))
    criteria = {text: Criterion(holds=text) for text in EXPRESSIONS}
    before = judge_log(sound_run(jobs(outcomes)), criteria=criteria).verdict.criteria
    after = judge_log(sound_run(jobs(worse)), criteria=criteria).verdict.criteria
    for one, other in zip(before, after, strict=True):
        assert not (one.result == "fail" and other.result == "pass"), one.expression


def test_live_views_see_observed_values() -> None:
    values = {"generate.error_rate": 0.02, "generate.attempted": 40.0, "generate.completed": 39.0}
    units = {"generate.error_rate": "ratio", "generate.duration": "s"} | dict.fromkeys(
        ("generate.attempted", "generate.completed"), "count"
    )
    seen = [
        observed(parse(text), lambda subject: values.get(subject.metric), lambda s: units[s.metric])
        for text in (
            "generate.error_rate < 5%",
            "generate.attempted >= 50",
            "generate.attempted >= 30 and generate.error_rate < 1%",
            "generate.duration.mean < 90s",
            "generate.completed >= 90% of generate.attempted",
            "each(voice): generate.error_rate < 5%",
        )
    ]
    assert seen == [
        Observed("pass", 0.02, "ratio"),
        Observed("fail", 40.0, "count"),
        Observed("fail", 0.02, "ratio"),
        Observed("inconclusive", None, "s"),
        Observed("pass", 39 / 40, "ratio"),
        Observed("inconclusive", None, ""),
    ]


def test_beside_an_infinite_percentile_stands_that_of_the_successes() -> None:
    log = sound_run(jobs(["ok"] * 40 + ["failed"] * 10), {"fast": "generate.duration.p95 < 10s"})
    (judged,) = judge_log(log).verdict.criteria
    assert (judged.value, judged.successes) == (float("inf"), pytest.approx(1.0, abs=0.1))
    log = sound_run(jobs(["ok"] * 50), {"fast": "generate.duration.p95 < 10s"})
    assert judge_log(log).verdict.criteria[0].successes is None
