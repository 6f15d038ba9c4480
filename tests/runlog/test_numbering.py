"""Holes in numbers, against the plain definition with sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genload.runlog.numbering import Numbering


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(0, 40))
def test_it_equals_the_definition_with_sets(noted: list[int], said: int) -> None:
    numbering, seen = Numbering(), set[int]()
    for n in noted:
        assert numbering.note(n) is (n not in seen)
        seen.add(n)
    expected = set(range(max(said, max(seen, default=-1) + 1))) - seen
    assert numbering.missing(said) == len(expected)


def test_a_damaged_number_costs_no_memory() -> None:
    numbering = Numbering()
    assert numbering.note(10**15)
    assert numbering.note(7)
    assert numbering.holes == [(0, 7), (8, 10**15)]
    assert numbering.missing(0) == 10**15 - 1


@given(st.lists(st.integers(0, 30), max_size=40), st.lists(st.integers(0, 30), max_size=40))
def test_two_are_joined_where_no_number_is_in_both(some: list[int], others: list[int]) -> None:
    pair = Numbering(), Numbering()
    for numbering, numbers in zip(pair, (some, others), strict=True):
        for n in numbers:
            numbering.note(n)
    joined = pair[0].joined(pair[1])
    if set(some) & set(others):
        assert joined is None
        return
    together = Numbering()
    for n in [*some, *others]:
        together.note(n)
    assert joined is not None
    assert (joined.following, joined.holes) == (together.following, together.holes)
