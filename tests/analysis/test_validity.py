"""Each reason why a measurement is not valid, and what is not one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genload.analysis.judge import judge_log
from genload.runlog.records import (
    GIVEN_UP,
    NOT_READY,
    ClientHealth,
    ClockOffset,
    Event,
    Interrupted,
    LoadEnded,
    LoadStarted,
    Notice,
    PhaseStarted,
    RunEnded,
    Users,
    WorkerLost,
)

from .memory_log import LOAD_START_S, MemoryLog, codes, job, jobs, sound_run

Change = Callable[[MemoryLog], None]


def events_of(log: MemoryLog, kind: type) -> list:  # type: ignore[type-arg]
    return [event for event in log.happened if isinstance(event, kind)]


def without(kind: type) -> Change:
    def change(log: MemoryLog) -> None:
        log.happened = [event for event in log.happened if not isinstance(event, kind)]

    return change


def with_event(event: object) -> Change:
    return lambda log: log.happened.append(event)  # type: ignore[arg-type]


def records_missing(log: MemoryLog) -> None:
    log.missing = {"w0": 3}


def too_few_users(log: MemoryLog) -> None:
    for users in events_of(log, Users)[20:30]:
        users.working = 1


def slow_loop(log: MemoryLog) -> None:
    for health in events_of(log, ClientHealth)[:10]:
        health.lags_ms = [12.0, 0.3]


def busy_client(log: MemoryLog) -> None:
    for health in events_of(log, ClientHealth)[10:15]:
        health.cpu = 0.95


def stopped_early(log: MemoryLog) -> None:
    for ended in events_of(log, LoadEnded):
        ended.t_s -= 10


def asleep(user_seconds: float) -> Change:
    """Of the 120 there are; slept evenly."""

    def change(log: MemoryLog) -> None:
        for second, users in enumerate(events_of(log, Users), start=1):
            users.asleep_s = user_seconds * second / 60

    return change


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (with_event(WorkerLost(t_s=30.0, source="w1")), "worker_lost", "its last sign came 30 s"),
        (records_missing, "records_missing", "3 of w0"),
        (without(RunEnded), "not_ended", "killed"),
        (with_event(Interrupted(t_s=40.0, by="SIGINT")), "interrupted", "SIGINT after 40 s"),
        (without(LoadStarted), "no_load", "never began"),
        (too_few_users, "user_seconds", "of the 120 user-seconds"),
        (stopped_early, "user_seconds", "100 of the 120"),
        (asleep(7.2), "asleep", "slept 6 % of their time because requests had failed, and 5 % is the most"),
        (without(Users), "users_unknown", "never recorded"),
        (with_event(ClockOffset(t_s=20.0, source="w0", offset_s=9.0, bound_s=0.011)), "clock_bound", "11 ms"),
        (slow_loop, "lag", "the load generator did what was due up to 12 ms late (p99)"),
        (busy_client, "cpu", "90 % of a core for 5 s"),
        (without(ClientHealth), "client_unknown", "never recorded"),
    ],
)
def test_each_reason(change: Change, code: str, text: str) -> None:
    log = sound_run(jobs(["ok"] * 100), {"all": "generate.attempted >= 100"})
    assert judge_log(log).verdict.valid
    change(log)
    verdict = judge_log(log).verdict
    assert not verdict.valid
    assert [reason.code for reason in verdict.reasons] == [code]
    assert text in verdict.reasons[0].text
    assert verdict.reasons[0].remedy
    assert verdict.exit_code in (3, 130)


@pytest.mark.parametrize(
    ("cpus", "expected"),
    [
        ([0.98], "--workers 2`"),
        ([0.95, 0.94, 0.95], "--workers 5`"),  # 2.84 cores of work at 0.6 each
        ([0.2], "took at most 20 % of one itself"),
    ],
)
def test_a_load_generator_that_lags_names_how_many_processes_to_take(
    cpus: list[float], expected: str
) -> None:
    log = sound_run(jobs(["ok"] * 100), {"all": "generate.attempted >= 100"})
    without(ClientHealth)(log)
    log.happened[-1:-1] = [
        ClientHealth(t_s=20.0, source=f"w{rank}", lags_ms=[12.0], cpu=cpu, rss_bytes=10**8)
        for rank, cpu in enumerate(cpus)
    ]
    reasons = judge_log(log).verdict.reasons
    assert "lag" in {reason.code for reason in reasons}
    assert all(expected in reason.remedy for reason in reasons)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([Notice(t_s=0.1, code="client_error", text="mine.py:7 in ready: KeyError")], ["client_error"]),
        ([Interrupted(t_s=1.0, by="SIGINT")], ["interrupted"]),
        (
            [
                Notice(t_s=0.1, code="client_error", text="mine.py:9 in in_flight: KeyError"),
                Notice(t_s=60.0, code=NOT_READY, text="not ready"),
            ],
            ["no_load", "client_error"],
        ),
    ],
    ids=["the test's own code", "Ctrl-C", "a service that was not ready, and a mistake beside"],
)
def test_a_load_that_never_began_is_no_reason_beside_what_kept_it(
    events: list[Event], expected: list[str]
) -> None:
    log = sound_run([], {"all": "generate.attempted >= 100"})
    without(LoadStarted)(log)
    log.happened += events
    assert [reason.code for reason in judge_log(log).verdict.reasons] == expected


def one_busy_tick_less(log: MemoryLog) -> None:
    busy_client(log)
    events_of(log, ClientHealth)[12].cpu = 0.5


def few_users_for_a_second(log: MemoryLog) -> None:
    events_of(log, Users)[20].working = 0


def lag_below_the_threshold(log: MemoryLog) -> None:
    for health in events_of(log, ClientHealth):
        health.lags_ms = [9.9]


@pytest.mark.parametrize(
    "change",
    [
        one_busy_tick_less,
        few_users_for_a_second,
        lag_below_the_threshold,
        asleep(6.0),
        # 1 % of a median of 1 s is 10 ms.
        with_event(ClockOffset(t_s=20.0, source="w0", offset_s=9.0, bound_s=0.0094)),
    ],
)
def test_what_is_within_the_limits(change: Change) -> None:
    log = sound_run(jobs(["ok"] * 100), {"all": "generate.attempted >= 100"})
    change(log)
    assert codes(judge_log(log)) == []


def test_lag_may_be_a_hundredth_of_the_smallest_time_judged() -> None:
    coarse = {
        "a": "generate.duration.mean < 2s and generate.duration.p95 in 0.1s..5s",
        "b": "generate.duration.max < 3s",
    }
    fine = {"a": "generate.duration.mean < 2s"}
    for criteria, valid in ((fine, True), (coarse, False)):
        log = sound_run(jobs(["ok"] * 100), criteria)
        slow_loop(log)
        assert judge_log(log).verdict.valid is valid


def test_a_suite_sets_its_own_limits() -> None:
    log = sound_run(
        jobs(["ok"] * 100), validity={"lag_floor": "20ms", "max_cpu_for": "6s", "min_user_seconds": "50%"}
    )
    for change in (slow_loop, busy_client, too_few_users):
        change(log)
    assert judge_log(log).verdict.valid
    assert judge_log(log).effective["validity"]["lag_floor"] == "20ms"


def test_a_reading_at_the_very_boundary_of_a_phase_costs_nothing() -> None:
    log = sound_run(jobs(["ok"] * 100), load_s=10.0)
    log.header.phases = [
        {"name": "low", "duration_s": 5.0, "users": 1},
        {"name": "high", "duration_s": 5.0, "users": 20},
    ]
    log.happened.append(PhaseStarted(t_s=LOAD_START_S + 5, phase="high"))
    for users in events_of(log, Users):
        # The reading at 5 s is taken just before the users of the new phase are let go.
        users.working = 1 if users.t_s - LOAD_START_S <= 5 else 20
    judged = judge_log(log)
    assert codes(judged) == []
    assert judged.client.user_seconds_target == 105
    for users in events_of(log, Users):
        users.working = min(users.working, 17)
    assert codes(judge_log(log)) == ["user_seconds"]


def test_a_run_that_was_given_up_has_no_advice_to_let_it_run_on() -> None:
    log = sound_run(jobs(["ok"] * 100))
    stopped_early(log)
    with_event(Notice(t_s=50.0, code=GIVEN_UP, text="nothing succeeded any more"))(log)
    assert codes(judge_log(log)) == [GIVEN_UP]


def test_a_load_that_counts_iterations_owes_users_until_it_ends() -> None:
    log = sound_run([job(n, n * 10.0) for n in range(5)], load_s=50.0)
    log.header.phases = [
        {"name": "steady", "duration_s": None, "users": 1, "users_from": None, "iterations": 5}
    ]
    for users in events_of(log, Users):
        users.working = 1
    judged = judge_log(log)
    assert codes(judged) == []
    assert judged.client.user_seconds_target == judged.client.user_seconds_worked == 50
