"""Spoken codes: any two differ in three digits, and each text has its own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genload.artifacts.inputs.codes import Codes, spoken
from genload.artifacts.inputs.texts import TextSource
from genload.errors import ConfigError
from genload.settings.speech import SpeechRequest, Texts


@pytest.mark.parametrize(("digits", "count"), [(5, 539), (6, 4882), (7, 43_912)])
def test_any_two_codes_differ_in_three_digits_at_least(digits: int, count: int) -> None:
    codes = Codes(digits)
    every = np.array([list(codes.code(number).encode()) for number in range(len(codes))], np.uint8)
    some = every if digits < 7 else every[::200]
    nearest = min(int(np.partition((every != one).sum(axis=1), 1)[1]) for one in some)
    assert (len(codes), nearest) == (count, 3)


@pytest.mark.parametrize("digits", [5, 6, 7])
def test_a_turn_of_numbers_goes_through_every_code_once_and_then_again(digits: int) -> None:
    codes = Codes(digits)
    turn = [codes.code(number) for number in range(len(codes))]
    assert len(set(turn)) == len(codes) and all(code in codes for code in turn)
    assert [codes.code(number) for number in (-1, len(codes))] == [turn[-1], turn[0]]


def test_no_digit_follows_itself() -> None:
    codes = Codes(6)
    assert all(a != b for number in range(len(codes)) for a, b in pairwise(codes.code(number)))


def test_the_check_digits_are_those_of_the_two_sums() -> None:
    for number in range(200):
        digits = [int(digit) for digit in Codes(6).code(number)]
        assert sum(digits[:5]) % 11 == 0
        assert (sum(place * digit for place, digit in enumerate(digits[:5], 1)) + digits[5]) % 11 == 0


def test_what_is_no_code_is_none() -> None:
    codes, code = Codes(6), Codes(6).code(7)
    assert code[:5] + str((int(code[5]) + 1) % 10) not in codes
    assert "" not in codes and code[:5] not in codes


def source(**texts: Any) -> TextSource:
    return TextSource(Texts.model_validate(texts), ("anna",), seed=1, salt="run")


@pytest.mark.parametrize(
    ("texts", "begin"),
    [
        ({"lengths": ["medium"]}, ""),
        ({"template": "Hello number {i}"}, "Hello number 3 "),
        ({"template": "Is it {i}?", "salt": False}, "Is it 3? The code is "),
    ],
)
def test_a_code_is_a_sentence_of_its_own_behind_the_text(texts: dict[str, Any], begin: str) -> None:
    utterance = source(code={"digits": 6}, **texts).utterance(3)
    assert utterance.code == Codes(6).code(3)
    assert utterance.text.startswith(begin)
    assert utterance.text.endswith(f" The code is {spoken(utterance.code)}.")


def test_the_text_before_it_is_the_one_without() -> None:
    with_code, without = source(code={}, lengths=["long"]), source(lengths=["long"])
    for number in (-1, 0, 5):
        text = with_code.utterance(number).text.partition(" The code is ")[0]
        assert text == without.utterance(number).text and without.utterance(number).code == ""


def test_a_template_carries_its_code_at_its_end_and_the_word_of_its_own_in_front() -> None:
    utterance = source(code={}, template="Heavy load test number {code}.").utterance(4)
    word, _, rest = utterance.text.partition(". ")
    assert word.isalpha() and rest == f"Heavy load test number {spoken(Codes(6).code(4))}."


@pytest.mark.parametrize("texts", [{"template": "{code} it is", "code": {}}, {"template": "It is {code}"}])
def test_a_template_whose_code_nobody_would_hear_is_refused(texts: dict[str, Any]) -> None:
    with pytest.raises((ConfigError, ValueError), match="at the end of an answer"):
        Texts.model_validate(texts)


def test_a_repeat_says_the_code_of_the_text_that_it_repeats() -> None:
    texts = source(code={}, repeats=0.9)
    repeats = [each for each in map(texts.utterance, range(50)) if each.repeat]
    assert repeats
    for each in repeats:
        assert each.text.endswith(f"{spoken(each.code)}.") and each.code != Codes(6).code(each.number)


def test_texts_in_another_language_have_none() -> None:
    texts = source(code={}, language="de-AT", template="Nummer {code}", salt=False)
    assert (texts.utterance(1).text, texts.utterance(1).code) == ("Nummer", "")


def test_lines_of_a_file_have_one_too(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"text": "Good evening", "voice": "ben"}\n', encoding="utf-8")
    utterance = source(code={}, file=str(file), salt=False).utterance(9)
    assert (
        utterance.text == f"Good evening. The code is {spoken(Codes(6).code(9))}."
        and utterance.voice == "ben"
    )


@pytest.mark.parametrize(
    ("request_", "jobs"),
    [
        ({}, 1),
        ({"texts": {"code": {}}}, 20),
        ({"texts": {"code": {}}, "voices": ["anna", "ben"]}, 40),
        ({"texts": {"code": {}, "language": "de"}}, 1),
        ({"texts": {"code": {}}, "validate": "off"}, 1),
    ],
)
def test_the_warm_up_speaks_twenty_codes_a_voice(request_: dict[str, Any], jobs: int) -> None:
    assert SpeechRequest.model_validate(request_).warmup_jobs() == jobs
