"""The conductor leads a load to the level that holds, and the verdict says the same of its record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genload.analysis.capacity.search import End
from genload.analysis.judge import judge_log
from genload.analysis.judged.capacity import Capacity
from genload.analysis.load import load_of
from genload.analysis.plan import constant, plan_scenario
from genload.analysis.plan.assumed import AssumedService
from genload.errors import ExitCode
from genload.runlog.records import Acknowledged, Announced, LevelEnded
from genload.settings.criteria.criterion import Criterion
from genload.settings.suite import Suite

from .simulated_search import START_S, Searched, plan_of, search

USERS = "{of: users, from: 1, to: 16, step: {settle: 10s, measure: 30s}, holds: [fast]}"
RATE = (
    "{of: rate, process: constant, from: 30/min, to: 480/min, step: {settle: 20s, measure: 60s},"
    " holds: [fast], drain: true}"
)


def answer(searched: Searched) -> Capacity:
    found = judge_log(searched.log).capacity
    assert found is not None
    return found


def test_three_slots_hold_three_users(tmp_path: Path) -> None:
    searched = search(plan_of(tmp_path, USERS), constant(1.0, 3))
    assert searched.values == [1, 2, 4, 3, 3]
    assert searched.conductor.end is End.FOUND
    assert searched.conductor.told == "level 5, 3 users (so far: holds 3, not 4)"
    found = answer(searched)
    assert (found.end, found.highest_observed, found.lowest_observed_not) == ("found", 3, 4)
    assert found.sentence == (
        "holds 3 users; at 4 fast does not hold (1.5 s, must be < 1.2 s); 3 is not proven: fast needs about "
        "106 requests, none of them slower (90 so far)"
    )
    assert found.lowest_proven_not == 4  # every answer of 90 was too slow
    assert [level.outcome for level in found.levels] == [one.outcome for one in searched.conductor.seen]


def test_a_rate_is_held_as_far_as_its_slots_go(tmp_path: Path) -> None:
    searched = search(plan_of(tmp_path, RATE), constant(1.0, 3))
    found = answer(searched)
    assert found.highest_observed is not None and found.lowest_observed_not is not None
    assert found.highest_observed <= 3.0 * (1 + 1e-9) < found.lowest_observed_not <= 3.0 * 1.15
    assert {event.why for event in searched.log.happened if isinstance(event, Announced)} == {
        "level",
        "rest",
        "end",
    }
    assert searched.told[:4] == [
        "level 1, 30/min",
        "draining before 1/s (so far: holds 30/min)",
        "level 2, 1/s (so far: holds 30/min)",
        "draining before 2/s (so far: holds 1/s)",
    ]


def test_a_service_that_never_lets_go_ends_the_range(tmp_path: Path) -> None:
    searched = search(plan_of(tmp_path, USERS), constant(1.0, 64))
    run = judge_log(searched.log)
    assert run.capacity is not None and run.capacity.end == "beyond the range"
    assert (run.capacity.highest_observed, run.capacity.lowest_observed_not) == (16, None)
    assert run.verdict.exit_code == ExitCode.PASSED


def test_not_even_one_fails(tmp_path: Path) -> None:
    run = judge_log(search(plan_of(tmp_path, USERS), constant(2.0, 3)).log)
    assert run.capacity is not None and run.capacity.end == "not even one"
    assert run.capacity.sentence.startswith("does not even hold 1 user: fast does not hold (2 s,")
    [criterion] = run.verdict.criteria
    assert (criterion.name, criterion.value, criterion.result) == ("capacity", 0, "fail")
    assert run.verdict.exit_code == ExitCode.FAILED


def test_a_criterion_may_ask_for_more_than_the_lowest_level(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, USERS, more='eight: "capacity.users >= 8"')
    run = judge_log(search(plan, constant(1.0, 3)).log)
    assert [(c.name, c.result) for c in run.verdict.criteria] == [("eight", "fail")]
    assert run.verdict.exit_code == ExitCode.FAILED


def test_a_level_is_measured_for_longer_until_it_has_its_requests(tmp_path: Path) -> None:
    few = USERS.replace("measure: 30s", "measure: 30s, at_least: 50 jobs")
    searched = search(plan_of(tmp_path, few), constant(1.0, 3))
    levels = answer(searched).levels
    assert [round(level.measured_seconds) for level in levels] == [60, 30, 30, 30, 30]
    assert all(level.total_requests >= 50 for level in levels)
    bounded = search(plan_of(tmp_path, few.replace("50 jobs", "5000 jobs")), constant(1.0, 3))
    assert {round(level.measured_seconds) for level in answer(bounded).levels} == {90}


def test_so_is_a_level_of_a_rate_with_callers_of_its_own(tmp_path: Path) -> None:
    few = RATE.replace("measure: 60s", "measure: 60s, at_least: 80 jobs").replace("480", "120")
    found = answer(search(plan_of(tmp_path, few), constant(1.0, 3)))
    assert found.end == "beyond the range"
    # Of 30, 60 and 120 a minute.
    assert [(round(level.measured_seconds), level.total_requests) for level in found.levels] == [
        (180, 90),
        (120, 120),
        (60, 120),
    ]


def test_every_level_is_written_before_it_begins_and_read_from_the_record(tmp_path: Path) -> None:
    searched = search(plan_of(tmp_path, USERS), constant(1.0, 3))
    events = searched.log.happened
    announced = [event for event in events if isinstance(event, Announced)]
    assert all(event.t_s <= START_S + event.at_s for event in announced)
    assert [event.number for event in announced] == list(range(1, len(announced) + 1))
    acknowledged = {event.number: event.t_s for event in events if isinstance(event, Acknowledged)}
    assert announced[-1].why == "end"
    assert all(acknowledged[e.number] <= START_S + e.at_s for e in announced if e.to)
    load = load_of(events, searched.log.header.phases, 0.0)
    assert load is not None
    assert [p.name for p in load.timeline.phases[:6]] == [
        *("level1_settling", "level1", "level1_ending", "level2_settling", "level2", "level2_ending")
    ]
    assert load.timeline.duration_s == pytest.approx(load.duration_s)
    judged = [level.users for level in load.phases if level.name.isalnum()]
    assert judged == searched.values


def test_a_worker_that_did_not_hear_makes_the_level_invalid_and_the_second_ends_it(tmp_path: Path) -> None:
    searched = search(plan_of(tmp_path, USERS), constant(1.0, 3), deaf_from=3)
    assert [one.outcome for one in searched.conductor.seen] == ["holds", "holds", "invalid", "invalid"]
    run = judge_log(searched.log)
    assert run.capacity is not None and run.capacity.end == "invalid"
    assert [reason.code for reason in run.verdict.reasons] == ["level"]
    assert "w0 had not heard of level 4 when it began" in run.verdict.reasons[0].text
    assert run.verdict.exit_code == ExitCode.INVALID


def test_a_load_generator_that_lags_once_costs_one_level_and_no_verdict(tmp_path: Path) -> None:
    searched = search(
        plan_of(tmp_path, USERS), constant(1.0, 3), lag_ms=lambda into_s: 80.0 if 60 < into_s < 65 else 0.1
    )
    assert [one.outcome for one in searched.conductor.seen].count("invalid") == 1
    run = judge_log(searched.log)
    assert run.verdict.valid and run.capacity is not None and run.capacity.highest_observed == 3
    assert [level.reasons[0].code for level in run.capacity.levels if level.reasons] == ["lag"]


def test_other_criteria_judge_the_same_levels_again(tmp_path: Path) -> None:
    searched = search(plan_of(tmp_path, USERS), constant(1.0, 3))
    run = judge_log(searched.log, criteria={"fast": Criterion(holds="generate.duration.p95 < 0.5s")})
    assert run.capacity is not None and run.capacity.end == "not even one"


def test_the_settings_of_a_run_are_those_it_is_judged_by(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, RATE)
    again = Suite.model_validate(plan.suite.model_dump(mode="json"))
    kept, own = again.scenarios["search"], plan.suite.scenarios["search"]
    assert kept.capacity == own.capacity
    assert kept.criteria["capacity"].holds == "capacity.arrivals >= 30/min"


def test_what_has_not_ended_when_a_level_is_over_counts_against_it(tmp_path: Path) -> None:
    """Of ten requests one hangs for longer than it is waited for: of those that have ended, none was slow."""
    service = AssumedService(16, np.array([1.0] * 9 + [100.0]), np.zeros(10, dtype=np.bool_))
    searched = search(plan_of(tmp_path, USERS.replace("from: 1", "from: 12")), service)
    assert [one.outcome for one in searched.conductor.seen] == ["does not hold"]
    assert answer(searched).end == "not even one"


def test_an_outcome_that_is_open_is_waited_for(tmp_path: Path) -> None:
    """Requests take longer than a level settles, so that some are under way when it would be over."""
    searched = search(plan_of(tmp_path, USERS, limit="20s"), constant(17.0, 4))
    found = answer(searched)
    assert (found.highest_observed, found.lowest_observed_not) == (4, 5)
    assert [level.outcome for level in found.levels] == [one.outcome for one in searched.conductor.seen]


@pytest.mark.parametrize("seed", range(6))
def test_live_outcomes_are_those_of_the_record_however_near_to_the_limit(tmp_path: Path, seed: int) -> None:
    """Limits within 0.4 % of a p95 that occurs: nearer than a display of rounded values could tell."""
    times_s = 1.0 + np.random.default_rng(seed).uniform(0, 0.008, 400)
    service = AssumedService(3, times_s, np.zeros(400, dtype=np.bool_))
    searched = search(plan_of(tmp_path, USERS, limit="1.0076s", seed=seed), service)
    told = [event.outcome for event in searched.log.happened if isinstance(event, LevelEnded)]
    assert [level.outcome for level in answer(searched).levels] == told


def test_live_outcomes_are_those_of_the_record(tmp_path: Path) -> None:
    times_s = np.random.default_rng(5).gamma(4.0, 0.25, 400)
    service = AssumedService(4, times_s, np.zeros(400, dtype=np.bool_))
    searched = search(plan_of(tmp_path, USERS, limit="3s"), service)
    told = [event.outcome for event in searched.log.happened if isinstance(event, LevelEnded)]
    assert [level.outcome for level in answer(searched).levels] == told


@pytest.mark.parametrize(
    ("capacity", "service"),
    [
        (USERS, constant(1.0, 3)),
        (USERS.replace("16", "2"), constant(1.0, 3)),  # beyond the range
        (USERS, constant(2.0, 3)),  # not even one
        (USERS.replace("measure: 30s", "measure: 30s, at_least: 100"), constant(1.0, 3)),
        (RATE, constant(1.0, 3)),
        (RATE.replace("constant", "poisson"), constant(0.5, 3)),
        (RATE.replace("drain: true", "drain: false"), constant(1.0, 3)),
    ],
    ids=["users", "beyond", "not even one", "at least", "rate", "at random", "without rests"],
)
def test_a_plan_goes_the_way_that_a_run_goes(tmp_path: Path, capacity: str, service: AssumedService) -> None:
    seed = 3  # that the simulated crew draws by
    plan = plan_of(tmp_path, capacity, seed=seed)
    searched = search(plan, service)
    # As a caller saw it: no poll adds to its times.
    planned = plan_scenario(plan.suite, "search", replace(service, observed=True), seed)
    ran = [(level.value, level.outcome) for level in answer(searched).levels]
    assert ran in [[(level.value, level.outcome) for level in each.levels] for each in planned.searches]
    if "poisson" not in capacity:  # then the one in the middle may be another
        assert planned.figures.load_s == pytest.approx(searched.log.happened[-1].t_s - START_S, rel=0.05)
