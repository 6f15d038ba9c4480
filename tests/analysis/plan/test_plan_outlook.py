"""What a plan says of criteria: the specification's suite at 82 s, by hand, and each kind of answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genload import extensions
from genload.analysis.plan import (
    AssumedService,
    CriterionOutlook,
    Outlook,
    ScenarioPlan,
    constant,
    plan_scenario,
)
from genload.settings.loader import load_suite

CALM = """
service: {{api: orfeas, poll: {{interval: 1ms}}}}
locustfile: generation3d
gpu_hour_cost: {{amount: 3.6, currency: EUR}}
scenarios:
  calm:
    shape: {{kind: normal, users: 2, duration: 100s}}
    warmup: {{jobs: 0}}
    {think}
    {goodput}
    criteria: {{it: "{criterion}"}}
"""

LEAVING = """
service: {api: speech, request: {dialect: kokoro}}
locustfile: speech
scenarios:
  hang_up:
    shape: {kind: walkout, users: 4, stay: 0, mixed: 40s, until: 5s, watch: 5s}
    leave: {share: 50%, after: 2s}
    criteria: {some: speech.left >= 4, soon: speech.duration.max <= 10s}
"""


def of_the_specification(scenario: str, slots: int) -> ScenarioPlan:
    suite = load_suite("orfeas", folders=extensions.suite_folders(), wings=extensions.Wings()).suite
    return plan_scenario(suite, scenario, constant(82, slots))


def lost(plan: ScenarioPlan) -> list[str]:
    return [each.name for each in plan.lost]


def named(plan: ScenarioPlan, name: str) -> CriterionOutlook:
    return next(each for each in plan.criteria if each.name == name)


@pytest.fixture
def calm(tmp_path: Path) -> Callable[..., ScenarioPlan]:
    def plan(
        criterion: str, service: AssumedService | None = None, think: str = "", goodput: str = ""
    ) -> ScenarioPlan:
        path = tmp_path / "own.yaml"
        keys = {"think": think, "goodput": goodput}
        told = {key: f"{key}: {value}" if value else "" for key, value in keys.items()}
        path.write_text(CALM.format(criterion=criterion, **told))
        suite = load_suite(str(path), folders=extensions.suite_folders(), wings=extensions.Wings()).suite
        return plan_scenario(suite, "calm", service or constant(10, 2))

    return plan


@pytest.mark.parametrize("scenario", ["baseline", "normal", "spike", "sustained"])
def test_at_82_s_a_service_with_a_slot_for_each_user_can_pass_all_but_peak(scenario: str) -> None:
    assert lost(of_the_specification(scenario, 20)) == []


def test_no_service_of_82_s_can_make_the_50_jobs_of_peak() -> None:
    plan = of_the_specification("peak", 20)
    assert lost(plan) == ["minimum_attempted", "minimum_successes"]
    asked = named(plan, "minimum_successes")
    assert asked.judgement.value == 10 * 4  # the fourth begins at 3 × (82 s + 1 s until a poll sees it)
    # No more slots help, for nobody waits. 50 jobs are five of each user, begun before 300 s: 4 × (t + 1 s);
    # or four of 13 users; or eight in twice the time.
    service_time, users, length = asked.changes
    assert float(service_time.split()[0]) == pytest.approx(74, abs=0.5) and "service time" in service_time
    assert (users, length) == ("13 users", "10 min of load")


def test_a_spike_that_queues_leaves_no_recovery_to_judge() -> None:
    # 3 slots. From 120 s 18 users more: one runs, 17 wait; the first two users come again at 164 s and wait
    # behind them. Two jobs are done every 82 s from 164 s and one from 202 s: nine of the spike's 20 before
    # the others are given up, at 420 s and 464 s: nobody begins anything in the recovery.
    plan = of_the_specification("spike", 3)
    assert lost(plan) == ["spike_error_rate_ok", "recovery_error_rate_ok", "performance_recovered"]
    assert named(plan, "spike_error_rate_ok").judgement.value == pytest.approx(11 / 20)
    recovered = named(plan, "performance_recovered")
    assert recovered.judgement.needs and "phase=recovery" in recovered.judgement.needs
    assert recovered.changes
    assert (plan.figures.attempted, plan.figures.completed, plan.figures.timed_out) == (2 + 2 + 20, 13, 11)
    assert plan.figures.queue_most == 17


def test_a_spike_with_half_the_slots_it_takes_is_slower_afterwards() -> None:
    recovered = named(of_the_specification("spike", 10), "performance_recovered")
    assert recovered.outlook is Outlook.CANNOT


def test_what_so_few_requests_cannot_prove_says_how_many_would() -> None:
    plan = of_the_specification("normal", 3)
    p95 = named(plan, "p95_time_ok")
    assert p95.outlook is Outlook.UNPROVEN
    assert p95.judgement.needs == "about 59 requests, none of them slower (24 so far)"
    # 24 in 10 minutes: 59 take three times as long.
    assert p95.changes == ("30 min of load, or the requests of 3 such runs together",)


def test_it_says_nothing_of_what_no_simulated_request_has() -> None:
    assert named(of_the_specification("normal", 3), "uptime_ok").outlook is Outlook.SILENT
    assert named(of_the_specification("sustained", 5), "memory_stable").outlook is Outlook.SILENT


@pytest.mark.parametrize(
    "criterion",
    ["generate.rejections == 0", "generate.valid_rate >= 99%", "generate.stage.run.p95 < 90s"],
)
def test_a_count_that_only_a_real_run_has_is_not_taken_for_0(
    criterion: str, calm: Callable[..., ScenarioPlan]
) -> None:
    assert named(calm(criterion), "it").outlook is Outlook.SILENT


def test_what_is_served_within_limits_of_time_can_be_told_before(calm: Callable[..., ScenarioPlan]) -> None:
    def outlook(limits: str) -> Outlook:
        return named(calm("generate.goodput >= 90%", goodput=limits), "it").outlook

    assert outlook("{duration: 8s}") is Outlook.CANNOT  # of 10 s of work
    assert outlook("{duration: 15s}") is not Outlook.CANNOT
    assert outlook("{duration: 15s, faces: '>= 1000'}") is Outlook.SILENT
    served = calm("generate.goodput_throughput >= 11/min", goodput="{duration: 15s}")
    assert named(served, "it").judgement.value == pytest.approx(18 / 100)  # two ended after the load
    assert calm("generate.goodput >= 90%", goodput="{duration: 8s}").figures.completed == 20


def test_listeners_who_leave_are_in_no_number_but_their_own(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(LEAVING)
    suite = load_suite(str(path), folders=extensions.suite_folders(), wings=extensions.Wings()).suite
    plan = plan_scenario(suite, "hang_up", constant(10, 4))
    figures = plan.figures
    assert figures.left >= 8 and figures.completed >= 1 and figures.attempted == figures.completed
    assert named(plan, "some").outlook is Outlook.LIKELY
    assert named(plan, "soon").runs == 9


def test_a_criterion_of_two_parts_cannot_hold_when_the_known_one_cannot(
    calm: Callable[..., ScenarioPlan],
) -> None:
    plan = calm("server.restarts.max == 0 and generate.completed >= 1000")
    assert named(plan, "it").outlook is Outlook.CANNOT


def test_what_depends_on_the_draw_is_probable_and_not_impossible(calm: Callable[..., ScenarioPlan]) -> None:
    # 100 s with pauses of 0 to 10 s and 10 s of work: 14 of two users on average, never 30.
    assert named(calm("generate.attempted >= 10", think="0s"), "it").outlook is Outlook.LIKELY
    pauses = "{min: 0s, max: 10s}"
    unlikely = named(calm("generate.attempted >= 19", think=pauses), "it")
    assert unlikely.outlook is Outlook.UNLIKELY  # 20 without any pause
    assert named(calm("generate.attempted >= 30", think=pauses), "it").outlook is Outlook.CANNOT


def test_failures_of_an_earlier_run_count(calm: Callable[..., ScenarioPlan]) -> None:
    half = AssumedService(2, np.array([10.0, 10.0]), np.array([True, False]), observed=True)
    plan = calm("generate.error_rate < 1%", half)
    assert named(plan, "it").outlook is Outlook.UNLIKELY  # of 20 none may fail, which luck could bring
    assert plan.runs == 9 and 0 < plan.figures.failed < 20


def test_what_a_load_costs_and_takes(calm: Callable[..., ScenarioPlan]) -> None:
    plan = calm("generate.failed == 0")
    # Two users, ten jobs of 10 s each; half a poll of 1 ms every time, so that the tenth begins before 100 s.
    assert (plan.figures.attempted, plan.figures.drained, plan.figures.timed_out) == (20, 2, 0)
    assert plan.figures.duration_s == pytest.approx(100, abs=0.1)
    assert plan.figures.utilisation == pytest.approx(1, abs=0.01)
    assert plan.cost == pytest.approx(3.6 * 100 / 3600, rel=1e-3)


def test_the_same_seed_gives_the_same_plan(calm: Callable[..., ScenarioPlan]) -> None:
    pauses = "{min: 0s, max: 10s}"
    once, again = (calm("generate.attempted >= 10", think=pauses) for _ in range(2))
    assert once == again
