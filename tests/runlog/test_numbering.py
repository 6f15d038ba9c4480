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
