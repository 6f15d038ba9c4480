"""Loads that plan their requests one by one: a burst, a sequence, an open schedule. Was each what it says?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from genload.analysis.evidence.chance import queue_times
from genload.analysis.judge import judge_log
from genload.runlog.records import ClientHealth, LoadEnded, Notice, RequestRecord, RunEnded, Users

from .memory_log import LOAD_START_S, MemoryLog, codes
from .speech_log import speech_run, spoken

BURST = {"name": "burst", "duration_s": None, "users": 20, "iterations": 20, "per_user": 1}
SEQUENCE = {"name": "sequence", "duration_s": None, "users": 1, "iterations": 15}
PACED = {"name": "paced", "duration_s": 10.0, "users": 50, "every_s": 0.2}


def planned(records: list[RequestRecord], phase: dict[str, object], load_s: float) -> MemoryLog:
    """A load of one phase, which ended after so long."""
    log = speech_run(records, {"all": "speech.error_rate < 50%"}, phases=[phase])
    for record in records:
        record.phase = str(phase["name"])
    end_s = LOAD_START_S + load_s
    log.happened = [event for event in log.happened if event.t_s < end_s]
    log.happened += [LoadEnded(t_s=end_s), RunEnded(t_s=end_s + 1, records={})]
    return log


def burst(count: int = 20, spread_s: float = 0.002, duration_s: float = 0.3) -> MemoryLog:
    step_s = spread_s / 19
    return planned([spoken(n, n * step_s, duration_s) for n in range(count)], BURST, duration_s)


def paced(late_s: Callable[[int], float] = lambda n: 0.001, count: int = 50) -> MemoryLog:
    records = [spoken(n, n * 0.2 + late_s(n), 0.5) for n in range(count)]
    for n, record in enumerate(records):
        record.intended_s = LOAD_START_S + n * 0.2
    return planned(records, PACED, 10.0)


@pytest.mark.parametrize("rates", [[1.74, 1.74], None], ids=["at random", "even"])
def test_what_chance_did_is_taken_off_where_a_schedule_was_drawn(rates: list[float] | None) -> None:
    """One slot that works for 0.4 s, and callers at random: all that makes a request slow is chance."""
    rng = np.random.default_rng(4)
    starts = np.sort(rng.uniform(0, 2300, 4000))
    took = queue_times(starts[:, None], np.full((4000, 1), 0.4), 1)[:, 0]
    records = [spoken(n, float(at_s), float(s)) for n, (at_s, s) in enumerate(zip(starts, took, strict=True))]
    for record, at_s in zip(records, starts, strict=True):
        record.intended_s, record.labels = LOAD_START_S + float(at_s), {"voice": "am_puck"}
    arrivals = {"name": "arrivals", "duration_s": 2300.0, "users": 60, "arrivals": 4000, "rates_per_s": rates}
    log = planned(records, arrivals, 2310.0)
    limit_s = 1.2 * float(np.quantile(took, 0.95))
    rules = {
        "seldom_slow": f"speech.duration.p95 < {limit_s}s",
        "part": f"speech.duration.p95{{voice=am_puck}} < {limit_s}s",
    }
    log.header.suite["scenarios"]["normal"]["criteria"] = rules
    slow, part = judge_log(log).verdict.criteria
    assert part.assumption and "what chance" not in part.assumption  # when they would have come, nobody knows
    assert ("what chance in their schedule did is taken off" in (slow.assumption or "")) == bool(rates)
    assert slow.evidence == "proven" or not rates


def test_a_burst_that_is_over_before_anybody_looked_is_sound() -> None:
    judged = judge_log(burst())
    assert not any(isinstance(event, Users | ClientHealth) for event in burst().happened)
    assert codes(judged) == []
    assert judged.verdict.exit_code == 0


def test_a_burst_owes_no_user_seconds() -> None:
    log = burst(duration_s=30.0)
    for event in log.happened:
        if isinstance(event, Users):
            event.working = 3  # the others have done theirs
    judged = judge_log(log)
    assert codes(judged) == []
    assert judged.client.user_seconds_target == 0


def test_a_burst_of_too_few_or_too_far_apart_is_none() -> None:
    judged = judge_log(burst(count=18))
    assert codes(judged) == ["not_started"]
    assert "18 of the 20 requests of phase burst" in judged.verdict.reasons[0].text
    judged = judge_log(burst(spread_s=0.2))
    assert codes(judged) == ["burst_spread"]
    assert "started 200 ms apart, 50 ms are allowed" in judged.verdict.reasons[0].text
    assert all(reason.remedy for reason in judged.verdict.reasons)


def test_starts_may_be_a_tenth_of_an_answer_apart() -> None:
    assert codes(judge_log(burst(spread_s=0.2, duration_s=2.1))) == []
    log = burst(spread_s=0.2)
    log.header.suite["validity"] = {"burst_spread_floor": "250ms"}
    assert codes(judge_log(log)) == []


@pytest.mark.parametrize("length_s", [0.3, 1.5, 45.0])
def test_a_sequence_of_one_user_is_sound_however_short(length_s: float) -> None:
    step_s = length_s / 15
    log = planned([spoken(n, n * step_s, step_s * 0.9) for n in range(15)], SEQUENCE, length_s)
    for event in log.happened:
        if isinstance(event, Users):
            event.target = event.working = 1
    assert codes(judge_log(log)) == []
    log.records = log.records[:14]
    judged = judge_log(log)
    assert codes(judged) == ["not_started"]
    assert "14 of the 15" in judged.verdict.reasons[0].text


def test_a_load_that_could_not_be_passed_any_more_need_not_start_the_rest() -> None:
    log = planned([spoken(n, n * 1.0, 0.9) for n in range(5)], SEQUENCE, 5.0)
    for event in log.happened:
        if isinstance(event, Users):
            event.target = event.working = 1
    log.happened.append(Notice(t_s=LOAD_START_S + 5, code="hopeless", text="it cannot hold any more"))
    assert codes(judge_log(log)) == []


def test_an_open_schedule_owes_starts_and_not_users() -> None:
    log = paced()
    for event in log.happened:
        if isinstance(event, Users):
            event.working = 0
    judged = judge_log(log)
    assert codes(judged) == []
    assert (judged.client.user_seconds_target, judged.overall.total_requests) == (0, 50)
    assert codes(judge_log(paced(count=44))) == ["not_started"]


def test_starts_that_the_hands_were_too_few_for_make_it_invalid() -> None:
    judged = judge_log(paced(late_s=lambda n: 0.1 * max(n - 20, 0)))
    assert codes(judged) == ["late_starts"]
    reason = judged.verdict.reasons[0]
    assert "2.9 s after their moment" in reason.text and "20 ms are allowed" in reason.text
    assert "max_users" in reason.remedy
    # A tenth of the interval is nobody's fault, and what it cost is in the latency.
    assert codes(judge_log(paced(late_s=lambda n: 0.019))) == []
    log = paced(late_s=lambda n: 0.05)
    log.header.suite["validity"] = {"late_share": "30%"}
    assert codes(judge_log(log)) == []


def test_an_arrival_that_found_no_hand_is_a_failure_that_was_not_started() -> None:
    log = paced()
    left = log.records[-1]
    left.outcome, left.error_class = "unfinished", "not_started"
    left.start_s, left.duration_s = LOAD_START_S + 10.0, 0.0
    judged = judge_log(log)
    assert codes(judged) == ["not_started"]
    assert "49 of the 50" in judged.verdict.reasons[0].text
    assert (judged.overall.total_requests, judged.overall.failed_requests) == (50, 1)


def test_an_interrupted_load_is_told_by_its_interruption_alone() -> None:
    log = burst(count=3)
    log.happened = [event for event in log.happened if not isinstance(event, RunEnded)]
    assert codes(judge_log(log)) == ["not_ended"]


def test_how_an_open_load_was_kept_is_told_of_those_that_were_started() -> None:
    log = paced(late_s=lambda n: 0.5 if n == 40 else 0.001 * (n + 1))
    log.records[49].outcome, log.records[49].error_class = "unfinished", "not_started"
    kept = judge_log(log).arrivals
    assert kept is not None
    assert (kept.planned, kept.started, kept.max_in_flight) == (50, 49, 50)
    assert kept.late == 39  # by more than 10 ms: those from 11 ms on
    assert kept.p50_start_delay == pytest.approx(0.025)
    assert kept.max_start_delay == kept.p99_start_delay == pytest.approx(0.5)
    assert judge_log(burst()).arrivals is None


def test_a_record_of_older_versions_says_how_many_were_planned_by_their_interval() -> None:
    newer = {**PACED, "every_s": None, "arrivals": 50}
    kept = [judge_log(planned([], phase, 10.0)).arrivals for phase in (PACED, newer)]
    assert [each and each.planned for each in kept] == [50, 50]
