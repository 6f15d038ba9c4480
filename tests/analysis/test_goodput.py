"""Goodput: requests that keep several limits at once, as a share with evidence and as a number a minute."""

from __future__ import annotations

from typing import Any

import pytest

from genload.analysis.judge import judge_log
from genload.analysis.judged import CriterionVerdict
from genload.settings.goodput import Limit

from .memory_log import MemoryLog
from .speech_log import speech_run, spoken


def run(limits: dict[str, str], criteria: dict[str, Any], count: int = 100) -> MemoryLog:
    """Every fifth answer takes 3 s instead of 1 s, every tenth begins late, and one in 25 fails."""
    records = [spoken(n, n * 0.1, 3.0 if n % 5 == 0 else 1.0) for n in range(count)]
    for n, record in enumerate(records):
        record.numbers["ttfa_s"] = 0.9 if n % 10 == 1 else 0.2
        if n % 25 == 2:
            record.outcome, record.error_class = "failed", "timeout"
    log = speech_run(records, criteria)
    log.header.suite["goodput"] = limits
    return log


def judged(limits: dict[str, str], *holds: str) -> list[CriterionVerdict]:
    return judge_log(run(limits, {f"c{n}": text for n, text in enumerate(holds)})).verdict.criteria


def test_good_is_what_ended_well_within_all_limits_at_once() -> None:
    # 100 − 20 slow − 10 late (none of them slow) − 4 failed (none of them either).
    share, rate, slow, late = judged(
        {"duration": "2s", "ttfa": "300ms"},
        "speech.goodput >= 60%",
        "speech.goodput_throughput > 0/s",
        "speech.goodput < 70%",
        "speech.error_rate < 10%",
    )
    assert (share.value, share.unit, share.result, share.evidence) == (0.66, "ratio", "pass", "unproven")
    assert share.needs is not None and "requests at this rate" in share.needs
    assert rate.unit == "1/s" and rate.value is not None and rate.value > 0
    assert (slow.result, slow.evidence) == ("pass", "unproven")
    assert late.value == pytest.approx(0.04)
    assert [each.value for each in judged({"duration": "2s"}, "speech.goodput > 0%")] == [0.76]
    assert [each.value for each in judged({"ttfa": "300ms"}, "speech.goodput > 0%")] == [0.86]


def test_its_evidence_is_that_of_a_rate() -> None:
    (criterion,) = judged({"duration": "2s", "ttfa": "300ms"}, "speech.goodput >= 40%")
    assert criterion.evidence == "proven" and criterion.bound is not None
    assert 0.5 < criterion.bound < 0.66
    assert criterion.assumption is not None and "served requests" in criterion.assumption


def test_where_every_success_is_good_it_is_the_throughput_and_the_success_rate() -> None:
    rate, throughput, share, success = judged(
        {"duration": "9s"},
        "speech.goodput_throughput > 0/min",
        "speech.throughput > 0/min",
        "speech.goodput{phase=steady} > 0%",
        "speech.success_rate{phase=steady} > 0%",
    )
    assert rate.value == throughput.value
    assert share.value == success.value


def test_the_other_direction_and_a_number_that_is_not_there() -> None:
    assert [each.value for each in judged({"duration": ">= 2s"}, "speech.goodput > 0%")] == [0.2]
    (nothing,) = judged({"stalls": "0"}, "speech.goodput > 0%")
    assert (nothing.result, nothing.value) == ("inconclusive", None)


def test_without_a_limit_nothing_is_good_or_bad() -> None:
    (criterion,) = judged({}, "speech.goodput > 0%")
    assert criterion.result == "inconclusive"
    assert criterion.needs == "limits of a good request: goodput in the suite"


@pytest.mark.parametrize("text", ["300ms", "<= 300ms", "< 1/3", ">= 1000", "> 2MiB"])
def test_a_limit_is_written_as_it_is_read(text: str) -> None:
    limit = Limit.model_validate(text)
    assert limit.model_dump() == text
    assert Limit.model_validate(limit.with_quantity(limit.quantity).holds).quantity == limit.quantity
