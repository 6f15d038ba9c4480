"""The plan of a search for a capacity, by hand: what it finds, what it says of criteria, how long it takes.

That it goes the way of the conductor is in tests/harness/test_conductor.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genload import extensions
from genload.analysis.plan import AssumedService, Outlook, ScenarioPlan, constant, plan_scenario
from genload.errors import UsageError
from genload.settings.loader import load_suite

SUITE = """
service: {{api: orfeas, poll: {{interval: 1ms}}}}
locustfile: generation3d
scenarios:
  held:
    warmup: {{jobs: 0}}
    capacity: {{of: users, from: 1, to: 16, step: {{settle: 10s, measure: 30s}}, holds: {holds}}}
    criteria:
      fast: generate.duration.p95 < 1.2s
      whole: generate.faces.min >= 100
      enough: capacity.users >= {least}
      steady: generate.error_rate < 1%
"""


@pytest.fixture
def held(tmp_path: Path) -> Callable[..., ScenarioPlan]:
    def of(service: AssumedService, holds: str = "[fast]", least: int = 3) -> ScenarioPlan:
        file = tmp_path / "held.yaml"
        file.write_text(SUITE.format(holds=holds, least=least))
        suite = load_suite(str(file), folders=extensions.suite_folders(), wings=extensions.Wings()).suite
        return plan_scenario(suite, "held", service)

    return of


def outlooks(plan: ScenarioPlan) -> dict[str, Outlook]:
    return {each.name: each.outlook for each in plan.criteria}


def test_three_slots_hold_three_users_each_with_its_own_slot(held: Callable[..., ScenarioPlan]) -> None:
    plan = held(constant(1.0, 3))
    assert plan.search is not None and len(plan.searches) == 1
    levels = [(level.value, level.outcome, level.total_requests) for level in plan.search.levels]
    assert levels == [
        (1, "holds", 30),
        (2, "holds", 60),
        (4, "does not hold", 90),  # three of four at once: 1.33 s each
        (3, "holds", 90),
        (3, "holds", 90),
    ]
    assert plan.search.sentence.startswith("holds 3 users; at 4 fast does not hold")
    # Each level settles for 10 s, is measured for 30 s, and waits about a second for its last requests.
    assert plan.figures.load_s == pytest.approx(5 * 41, rel=0.02)
    # Of the criteria only the capacity's own and those that no level is held to are said of the search.
    assert outlooks(plan) == {
        "whole": Outlook.SILENT,
        "enough": Outlook.UNPROVEN,  # 90 requests, and a proven p95 takes 106 at this number of looks
        "steady": Outlook.LIKELY,
    }


def test_more_than_it_holds_cannot_hold(held: Callable[..., ScenarioPlan]) -> None:
    assert [each.name for each in held(constant(1.0, 3), least=4).lost] == ["enough"]


def test_times_that_are_drawn_make_several_searches(held: Callable[..., ScenarioPlan]) -> None:
    plan = held(AssumedService(3, np.array([0.7, 0.8, 1.0, 1.1]), np.zeros(4, dtype=np.bool_)))
    found = [each.highest_observed or 0.0 for each in plan.searches]
    assert len(found) == plan.runs == 9 and found == sorted(found)
    assert plan.search is plan.searches[4]


def test_what_a_plan_says_nothing_about_is_taken_to_hold_and_named(held: Callable[..., ScenarioPlan]) -> None:
    plan = held(constant(1.0, 3), "[fast, whole]")
    assert plan.search is not None and plan.search.highest_observed == 3
    assert outlooks(plan)["whole"] is Outlook.SILENT
    with pytest.raises(UsageError, match="a plan says nothing about what a level is held to: whole"):
        held(constant(1.0, 3), "[whole]")
