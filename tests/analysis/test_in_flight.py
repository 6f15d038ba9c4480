"""Requests in flight, from the records alone: known answers, and the backlog that durations do not show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.in_flight import InFlight
from genload.analysis.judged import CriterionVerdict
from genload.runlog.records import RequestRecord
from genload.settings.criteria.ast import Subject

from .memory_log import MemoryLog, job, sound_run
from .speech_log import speech_run, spoken

Judge = Callable[..., CriterionVerdict]


def three_jobs() -> MemoryLog:
    """Of 60 s: one from 0 to 30 s, one from 10 to 70, one from 20 to 25 that failed."""
    bad = job(2, 20.0, 5.0, "failed", error_class="job_failed", labels={"voice": "b"})
    return sound_run([job(0, 0.0, 30.0), job(1, 10.0, 60.0, labels={"voice": "a"}), bad])


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        ("last", 1.0),
        ("max", 3.0),
        ("min", 0.0),  # before the first began
        ("mean", (30 + 50 + 5) / 60),
        ("p50", 1.0),
        ("count", 101.0),
        ("last{last(20s)}", 1.0),
        ("last{first(25s)}", 3.0),
        ("min{last(20s)}", 1.0),
        ("mean{first(10s)}", 1.0),
        ("last{phase=steady}", 1.0),
        ("max{voice=b}", 1.0),
        ("last{voice=b}", 0.0),
    ],
)
def test_known_answers(judge_one: Judge, subject: str, value: float) -> None:
    verdict = judge_one(three_jobs(), f"generate.in_flight.{subject} >= 0")
    assert (verdict.value, verdict.unit) == (pytest.approx(value), "count")


def test_its_slope_is_a_rate(judge_one: Judge) -> None:
    # Two begin each second, and one of them ends.
    records = [job(n, n / 2, 0.1 if n % 2 else 600.0, "ok" if n % 2 else "unfinished") for n in range(120)]
    verdict = judge_one(sound_run(records), "generate.in_flight.slope < 30/min")
    assert (verdict.result, verdict.unit) == ("fail", "1/s")
    assert verdict.value == pytest.approx(1.0, rel=0.02)


def test_a_count_at_the_end_is_exact(judge_one: Judge) -> None:
    verdict = judge_one(three_jobs(), "generate.in_flight.last <= 1")
    assert (verdict.result, verdict.evidence) == ("pass", "exact")


def test_without_requests_nothing_is_said(judge_one: Judge) -> None:
    verdict = judge_one(sound_run([]), "generate.in_flight.last <= 1")
    assert (verdict.result, verdict.needs) == ("inconclusive", "at least one request attempted")


def scheduled(latency_s: Callable[[int], float]) -> list[RequestRecord]:
    """50 requests in 10 s, by a schedule."""
    return [spoken(n, n * 0.2, latency_s(n)) for n in range(50)]


NO_BACKLOG = "speech.in_flight.last <= 20% of speech.attempted"
"""What the built-in suites ask of an open schedule."""


@pytest.mark.parametrize(
    ("latency_s", "result", "left"),
    [
        (lambda n: 1.0, "pass", 5),  # keeps up
        (lambda n: 20 + 0.2 * n, "fail", 50),  # none was done in time
        (lambda n: 0.2 + 0.04 * n, "pass", 9),  # five a second come, a little more than four are done
        (lambda n: 0.5 + 0.2 * n, "fail", 26),  # five come, two and a half are done
    ],
)
def test_a_backlog_is_what_is_in_flight_at_the_end(
    judge_one: Judge, latency_s: Callable[[int], float], result: str, left: int
) -> None:
    log = speech_run(scheduled(latency_s), load_s=10.0)
    verdict = judge_one(log, NO_BACKLOG)
    assert (verdict.result, verdict.value, verdict.evidence) == (result, left / 50, "exact")


def test_durations_that_grow_alike_do_not_show_it(judge_one: Judge) -> None:
    """None of 50 requests was done in time, and the last ones took 1.4 times as long as the first ones."""
    log = speech_run(scheduled(lambda n: 20 + 0.2 * n), load_s=10.0)
    grown = judge_one(log, "speech.duration.mean{last(3s)} <= 150% of speech.duration.mean{first(3s)}")
    assert (grown.result, round(grown.value or 0, 2)) == ("pass", 1.33)
    assert judge_one(log, NO_BACKLOG).result == "fail"


def test_what_never_found_a_user_is_in_flight_at_the_end(judge_one: Judge) -> None:
    records = scheduled(lambda n: 1.0)
    for record in records[:30]:
        record.intended_s, record.start_s, record.duration_s = record.start_s, 20.0, 0.0
        record.outcome, record.error_class = "unfinished", "not_started"
    log = speech_run(records, load_s=10.0)
    assert judge_one(log, "speech.in_flight.last == 35").result == "pass"


SPANS = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 40)), max_size=12)


@given(SPANS, st.integers(0, 50), st.integers(1, 50))
def test_it_is_what_counting_gives(spans: list[tuple[int, int]], low: int, length: int) -> None:
    begins = np.sort(np.array([float(begin) for begin, _ in spans]))
    ends = np.sort(np.array([float(begin + size) for begin, size in spans]))
    high = low + length
    flight = InFlight(begins, ends, [(float(low), float(high))])

    def at(moment: float) -> int:
        return sum(begin < moment <= begin + size for begin, size in spans)

    def value(stat: str) -> Any:
        return flight.estimate(Subject("generate.in_flight", stat)).value

    halves = [low + step / 2 for step in range(2 * length + 1)]
    assert value("last") == at(high)
    assert value("max") == max(map(at, halves))
    assert value("min") == min(map(at, halves))
    assert value("mean") == pytest.approx(np.mean([at(low + step + 0.5) for step in range(length)]))
