"""A warm-up that goes on until its durations have come to rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genload.harness.gate import Stage
from genload.harness.population import Population
from genload.harness.recorder import Recorder
from genload.harness.tickets import COLD, WARMUP, Share, Ticket, Tickets
from genload.runlog.records import RequestRecord
from genload.service import ServiceClient
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Scenario, Warmup
from genload.steadiness import LEAST_VALUES, at_rest_from

STEADY = Timeline((Phase("steady", 60.0, users=1),))


@pytest.mark.parametrize(
    ("values", "left_out"),
    [
        ([1.0] * LEAST_VALUES, 0),
        ([1.0] * (LEAST_VALUES - 1), None),
        ([9.0, 5.0, 3.0] + [1.0, 1.1] * 4, 3),
        ([9.0] * 6 + [1.0] * 4, None),  # the step lies in the second half
        ([9.0] * 6 + [1.0] * 6, 6),
        ([2.0 - n / 20 for n in range(20)], None),  # still getting faster
    ],
)
def test_a_series_is_at_rest_when_the_best_beginning_lies_in_its_first_half(
    values: list[float], left_out: int | None
) -> None:
    assert at_rest_from(values) == left_out


@given(st.lists(st.floats(0.001, 1000.0), max_size=40), st.floats(0.5, 8.0))
def test_the_one_pass_finds_what_the_formula_says(values: list[float], unit: float) -> None:
    found = at_rest_from(values)
    if found is None:
        return

    def mser(first: int) -> float:
        rest = values[first:]
        mean = sum(rest) / len(rest)
        return sum((value - mean) ** 2 for value in rest) / len(rest) ** 2

    least = min(mser(first) for first in range(len(values) - 2))
    assert mser(found) == pytest.approx(least, rel=1e-6, abs=1e-9)
    assert found <= len(values) / 2
    assert at_rest_from([value * 2.0**3 for value in values]) == found, "whatever its unit"


def made(users: Population, duration_s: float, outcome: str = "ok") -> None:
    """The next request of the warm-up, from its number to its end."""
    gate = users.gate
    assert gate.reserve(0) is not None
    turn = gate.start(0)
    assert turn is not None and turn.warmup
    users.warmed(
        RequestRecord(source="", n=0, name="speech", warmup=True, duration_s=duration_s, outcome=outcome)
    )
    gate.end(0)


def users_with(idle_s: float | None = None, **warmup: object) -> Population:
    """At their warm-up."""
    scenario = SimpleNamespace(warmup=Warmup.model_validate(warmup), idle_s=idle_s)
    plan: Any = SimpleNamespace(client_class=ServiceClient, timeline=STEADY, scenario=scenario)
    users = Population(
        plan, Share(), Recorder(lambda record: None), lambda output: None, lambda error, request_id: None
    )
    users.gate.join()
    users.gate.warm_up()
    return users


def count_until_warm(users: Population, durations_s: list[float]) -> int:
    for number, duration_s in enumerate(durations_s):
        if users.gate.warmed_up:
            return number
        made(users, duration_s)
    return len(durations_s)


def test_it_ends_when_its_durations_are_at_rest() -> None:
    assert count_until_warm(users_with(until="steady"), [1.0] * 50) == LEAST_VALUES
    assert count_until_warm(users_with(until="steady", jobs=12), [1.0] * 50) == 12
    # Seven slow ones: at rest when at least as many have come after them.
    assert count_until_warm(users_with(until="steady"), [8.0] * 7 + [1.0] * 50) == 14


def test_it_ends_when_it_has_had_as_many_as_it_may() -> None:
    faster = [100.0 - n for n in range(60)]
    assert count_until_warm(users_with(until="steady", at_most=20), faster) == 20
    assert count_until_warm(users_with(jobs=3), faster) == 3, "a number is a number"


def test_a_failure_lets_it_begin_anew() -> None:
    users = users_with(until="steady")
    for number in range(9):
        made(users, 1.0, outcome="failed" if number == 8 else "ok")
    assert count_until_warm(users, [1.0] * 50) == LEAST_VALUES


def test_a_cold_start_still_follows() -> None:
    users = users_with(idle_s=60.0, until="steady")
    gate = users.gate
    count_until_warm(users, [1.0] * 50)
    assert gate.warmed_up and gate.reserve(0) == -LEAST_VALUES - 1
    gate.start_cold()
    assert not gate.warmed_up
    turn = gate.start(0)
    assert turn is not None and (turn.phase, gate.stage) == (COLD, Stage.COLD)
    gate.end(0)
    assert gate.warmed_up


def test_what_was_given_back_is_handed_out_again() -> None:
    tickets = Tickets(STEADY, Share(), warmups=1, cold_start=True)
    first = tickets.take(0)
    assert first == Ticket(-1, WARMUP)
    tickets.give_back(0, first)
    assert [tickets.take(0), tickets.take(0)] == [Ticket(-1, WARMUP), Ticket(-2, COLD)]
    tickets.give_back(0, Ticket(-2, COLD))
    assert tickets.take(0) == Ticket(-2, COLD)


def test_the_settings_are_read_back_and_say_what_cannot_be() -> None:
    warmup = Warmup.model_validate({"until": "steady", "at_most": 30})
    assert Warmup.model_validate(warmup.model_dump(mode="json")) == warmup
    assert (warmup.most, Warmup(jobs=4).most) == (30, 4)
    with pytest.raises(ValidationError, match="it must not be less than jobs"):
        Warmup.model_validate({"until": "steady", "at_most": 9})
    with pytest.raises(ValidationError, match="it must not be less than jobs"):
        Scenario.model_validate({"shape": {"kind": "normal"}, "warmup": {"until": "steady", "jobs": 60}})
