"""The search for the highest level that holds: it brackets, narrows and ends, whatever it is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.capacity.search import Bracket, End, Outcome, Rules, Seen, highest_next, next_level

USERS = Rules(1, 64)


def search(rules: Rules, outcome: Callable[[float], Outcome]) -> tuple[list[Seen], End]:
    seen: list[Seen] = []
    while not isinstance(level := next_level(rules, seen), End):
        seen.append(Seen(level, outcome(level)))
        assert len(seen) < 100
    return seen, level


def holds_up_to(capacity: float) -> Callable[[float], Outcome]:
    return lambda level: "holds" if level <= capacity else "does not hold"


@pytest.mark.parametrize(
    ("capacity", "levels", "end"),
    [
        (3, [1, 2, 4, 3, 3], End.FOUND),
        (5, [1, 2, 4, 8, 6, 5, 5], End.FOUND),
        (1, [1, 2, 1], End.FOUND),
        (64, [1, 2, 4, 8, 16, 32, 64], End.BEYOND),
        (0, [1], End.NOT_EVEN_ONE),
    ],
)
def test_it_doubles_then_narrows_and_measures_the_answer_twice(
    capacity: int, levels: list[float], end: End
) -> None:
    seen, ended = search(USERS, holds_up_to(capacity))
    assert [one.value for one in seen] == levels
    assert ended is end


rules = st.builds(
    lambda lowest, more, resolution, whole, confirm: Rules(
        lowest, lowest + more, resolution, whole=whole, confirm=confirm
    ),
    st.integers(1, 50),
    st.integers(0, 1000),
    st.floats(0.01, 1),
    st.booleans(),
    st.booleans(),
)


@given(rules, st.floats(0, 1200))
def test_the_bracket_holds_the_capacity_and_is_as_narrow_as_asked_for(found: Rules, capacity: float) -> None:
    seen, end = search(found, holds_up_to(capacity))
    bracket = Bracket.of(seen)
    assert (end is End.NOT_EVEN_ONE) == (capacity < found.lowest)
    assert (end is End.BEYOND) == (capacity >= found.highest)
    if end is End.FOUND:
        assert bracket.holds is not None and bracket.fails is not None
        assert bracket.holds <= capacity < bracket.fails
        assert found.is_narrow(bracket.holds, bracket.fails)
    assert all(found.lowest <= one.value <= found.highest for one in seen)
    assert all(one.value == round(one.value) for one in seen) or not found.whole


@given(rules, st.lists(st.sampled_from(["holds", "does not hold", "invalid"]), min_size=60, max_size=60))
def test_whatever_the_outcomes_it_ends_and_looks_no_more_often_than_it_says(
    found: Rules, outcomes: list[Outcome]
) -> None:
    told = iter(outcomes)
    seen, end = search(found, lambda _: next(told))
    valid = [one for one in seen if one.outcome != "invalid"]
    assert len(valid) <= found.most_looks
    assert (end is End.NOT_MONOTONE) == bool(Bracket.of(seen).contradictions and end is not End.INVALID)


def test_an_invalid_level_is_repeated_once_and_then_ends_the_search() -> None:
    outcomes = iter(["holds", "invalid", "holds", "invalid", "invalid"])
    seen, end = search(USERS, lambda _: next(outcomes))  # type: ignore[arg-type]
    assert [one.value for one in seen] == [1, 2, 2, 4, 4]
    assert end is End.INVALID


def test_a_level_that_held_and_does_not_again_is_a_contradiction() -> None:
    outcomes = iter(["holds", "holds", "does not hold", "does not hold", "does not hold"])
    seen, end = search(USERS, lambda _: next(outcomes))  # type: ignore[arg-type]
    assert [one.value for one in seen] == [1, 2, 4, 3, 2]
    assert end is End.NOT_MONOTONE
    assert Bracket.of(seen).contradictions == ((2, 2),)
    trusted = Bracket.trusted(seen)
    assert (trusted.holds, trusted.fails) == (1, 3)


@given(rules, st.floats(0, 1200))
def test_no_level_is_higher_than_was_said_before_it(found: Rules, capacity: float) -> None:
    seen, _ = search(found, holds_up_to(capacity))
    for number, (level, following) in enumerate(pairwise(seen)):
        assert following.value <= highest_next(found, seen[:number], level.value)
