"""The word error rate, with numbers and case written alike."""

from __future__ import annotations

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.words.transcript import edits, word_error_rate, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", "hello world"),
        ("It's O’Brien's", "its obriens"),
        ("twenty-one", "twenty one"),
        ("0 7 13 40", "zero seven thirteen forty"),
        ("99 and 105", "ninety nine and one hundred five"),
        ("1,234", "one thousand two hundred thirty four"),
        ("120000", "one hundred twenty thousand"),
        ("007", "zero zero seven"),
        ("1234567", "one two three four five six seven"),
        ("3.14", "three point one four"),
        ("… – ?", ""),
    ],
)
def test_numbers_and_case_are_as_they_are_spoken(text: str, words: str) -> None:
    assert words_of(text) == words.split()


@pytest.mark.parametrize(
    ("heard", "rate"),
    [
        ("the red door is open", 0.0),
        ("the door is open", 1 / 5),
        ("the red red door is open", 1 / 5),
        ("the bed door is open", 1 / 5),
        ("", 1.0),
        ("the red door is open the red door is open", 1.0),
        ("a b c d e f g h i j", 2.0),
    ],
)
def test_the_rate_counts_words_left_out_put_in_and_changed(heard: str, rate: float) -> None:
    assert word_error_rate("The red door is open.", heard.split()) == pytest.approx(rate)


def test_a_text_without_words_has_no_rate() -> None:
    assert isnan(word_error_rate("…", ["well"]))


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_edits_are_a_distance(one: str, other: str) -> None:
    assert edits(one, other) == edits(other, one)
    assert (edits(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= edits(one, other) <= max(len(one), len(other))
    assert edits(one, "b" + other, from_anywhere=True) <= edits(one, other)
    assert edits(one, other + one, from_anywhere=True) == 0
