"""What is spoken: exact lengths, new words, turns, repeats, the user's own file."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genload.artifacts.inputs.texts import RECENT, TextSource
from genload.artifacts.inputs.words import Words
from genload.errors import CollectedConfigError, ConfigError
from genload.service import Utterance
from genload.settings.speech import LENGTHS, Texts

SENTENCE = re.compile(r"[A-Z][a-z]*( [a-z]+)*\.")


def source(
    run: str = "of this run", seed: int = 1, voices: tuple[str, ...] = ("anna", "ben"), **texts: Any
) -> TextSource:
    return TextSource(Texts.model_validate(texts), voices, seed=seed, salt=run)


def exactly(characters: int, **texts: Any) -> TextSource:
    return source(lengths=("it",), classes={"it": characters}, **texts)


def utterances(texts: TextSource, count: int) -> list[Utterance]:
    return [texts.utterance(number) for number in range(count)]


# Lengths.


def test_fifty_characters_unless_the_suite_says() -> None:
    assert {len(one.text) for one in utterances(source(), 50)} == {50}


def test_the_classes_of_the_specification() -> None:
    assert LENGTHS == {"short": 5, "medium": 50, "long": 246, "very_long": 320}


@pytest.mark.parametrize("characters", [*LENGTHS.values(), 2800, 5000])
def test_a_length_is_kept_to_the_character_in_whole_sentences(characters: int) -> None:
    for one in utterances(exactly(characters), 20):
        check(one, characters)


def test_every_length_there_is() -> None:
    for characters in range(5, 400):
        texts = exactly(characters)
        for number in range(10):
            check(texts.utterance(number), characters)


def check(one: Utterance, characters: int) -> None:
    assert len(one.text) == characters
    assert one.text.isascii()
    assert SENTENCE.sub("", one.text).strip() == "", one.text


@settings(max_examples=200)
@given(
    characters=st.integers(5, 6000),
    seed=st.integers(0, 2**31),
    number=st.integers(-10, 10**9),
    salt=st.text(),
)
def test_any_length_of_any_request(characters: int, seed: int, number: int, salt: str) -> None:
    texts = exactly(characters), exactly(characters)
    made = [TextSource(one._texts, ("v",), seed=seed, salt=salt).utterance(number).text for one in texts]
    assert len(made[0]) == characters and made[0].isascii() and made[0] == made[1]


@pytest.mark.parametrize("characters", [1, 2, 3, 4])
def test_the_shortest_texts_are_no_new_ones_and_so_need_leave(characters: int) -> None:
    assert {len(one.text) for one in utterances(exactly(characters, salt=False), 20)} == {characters}
    with pytest.raises(ValueError, match="too few"):
        exactly(characters)


def test_long_texts_have_several_sentences() -> None:
    assert all(one.text.count(".") >= 4 for one in utterances(exactly(246), 50))


def test_lengths_from_a_range_are_drawn_evenly() -> None:
    lengths = [len(one.text) for one in utterances(source(characters={"min": 20, "max": 119}), 4000)]
    assert (min(lengths), max(lengths)) == (20, 119)
    # 4000 draws of 100 lengths: the mean 69.5 has a standard error of 0.46.
    assert sum(lengths) / len(lengths) == pytest.approx(69.5, abs=2.5)


def test_lengths_about_a_median_are_drawn_log_normally() -> None:
    about = {"min": 5, "max": 100_000, "median": 200, "spread": 0.5}
    lengths = sorted(len(one.text) for one in utterances(source(characters=about), 2001))
    # Half below 200; e^0.5 = 1.65 above and below are the bounds of the middle 68 %.
    assert lengths[1000] == pytest.approx(200, rel=0.08)
    assert lengths[320] == pytest.approx(121, rel=0.1) and lengths[1680] == pytest.approx(330, rel=0.1)


# New texts.


@pytest.mark.parametrize("letters", [4, 5, 8])
def test_no_word_comes_twice_in_a_hundred_thousand(letters: int) -> None:
    words = Words("key", letters)
    assert words.count >= 100_000
    made = {words.word(number) for number in range(-10, 100_000)}
    assert len(made) == 100_010
    assert {len(word) for word in made} == {letters}


def test_words_of_four_letters_are_all_used_before_one_comes_again() -> None:
    words = Words("key", 4)
    assert len({words.word(number) for number in range(words.count)}) == words.count
    assert words.word(words.count) == words.word(0)


@pytest.mark.parametrize(
    "texts",
    [
        {"lengths": ["short"]},
        {"lengths": ["medium", "long"]},
        {"template": "Load test {i}"},
        {"template": "Hello."},
    ],
    ids=lambda texts: next(iter(texts)),
)
def test_no_text_comes_twice_nor_in_another_run(texts: dict[str, Any]) -> None:
    first = {one.text for one in utterances(source("a", **texts), 2000)}
    second = {one.text for one in utterances(source("b", **texts), 2000)}
    assert len(first) == 2000
    # Of five characters there are 120 000: a few meet by chance.
    assert len(first & second) < 100


def test_the_same_seed_and_salt_say_the_same_and_each_alone_something_else() -> None:
    said = [one.text for one in utterances(source("s", 7), 20)]
    assert said == [one.text for one in utterances(source("s", 7), 20)]
    assert not set(said) & {one.text for one in utterances(source("t", 7), 20)}
    assert said != [one.text for one in utterances(source("s", 8), 20)]


def test_without_salt_another_run_says_the_same() -> None:
    texts = {"lengths": ("medium",), "salt": False}
    assert utterances(source("s", **texts), 20) == utterances(source("t", **texts), 20)


@pytest.mark.parametrize(
    ("template", "begin", "end"),
    [
        ("Light load test {i}", "Light load test 3 ", ""),
        ("Is {i} enough?", "Is 3 enough? ", "?"),
        ("{x} {{i}}", "{x} {3} ", ""),
    ],
)
def test_a_template_has_its_number_and_a_word(template: str, begin: str, end: str) -> None:
    said = source(template=template).utterance(3).text
    assert said.startswith(begin) and said.endswith(end)
    assert re.fullmatch(r"[A-Z][a-z]{7}", said.removeprefix(begin).removesuffix(end))


def test_a_template_without_salt_is_what_it_says() -> None:
    assert source(template="Test {i} ", salt=False).utterance(3).text == "Test 3 "


# Turns.


def test_every_voice_speaks_every_length_in_turn() -> None:
    made = utterances(source(lengths=("short", "long")), 8)
    assert [(one.length, one.voice) for one in made[:5]] == [
        ("short", "anna"),
        ("long", "anna"),
        ("short", "ben"),
        ("long", "ben"),
        ("short", "anna"),
    ]
    assert Counter((one.length, one.voice) for one in made).most_common()[0][1] == 2


def test_a_warm_up_has_a_text_of_its_own() -> None:
    texts = source(lengths=("short", "long"))
    assert (texts.utterance(-1).voice, texts.utterance(-1).length) == ("ben", "long")
    assert texts.utterance(-1).text not in {one.text for one in utterances(texts, 100)}


# Repeats.


def test_repeats_say_an_earlier_text_again_voice_and_all() -> None:
    made = utterances(source(lengths=("short", "long"), repeats="40%"), 3000)
    first: dict[tuple[str, str, str], int] = {}
    for one in made:
        key = (one.text, one.voice, one.length)
        assert one.repeat == (key in first)
        first.setdefault(key, one.number)
    share = sum(one.repeat is True for one in made) / len(made)
    assert share == pytest.approx(0.4, abs=0.04)


def test_repeats_are_of_recent_texts() -> None:
    made = utterances(source(repeats="50%"), 2000)
    last: dict[str, int] = {}
    for one in made:
        if one.repeat:
            assert one.number - last[one.text] <= RECENT
        last[one.text] = one.number


def test_a_scenario_without_repeats_says_nothing_about_them() -> None:
    assert source().utterance(3).repeat is None
    assert source(repeats="10%").utterance(0).repeat is False
    assert source(repeats="100%").utterance(-1).repeat is False


# The user's own file.


def written(folder: Path, *lines: Any) -> str:
    path = folder / "texts.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return str(path)


def test_lines_are_drawn_by_weight_with_their_voice_and_length(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"text": "Guten Tag, schöne Welt!", "weight": 3, "length": "greeting", "voice": "klara"},
        {"text": "And goodbye"},
    )
    made = utterances(source(file=path), 2000)
    greetings = [one for one in made if one.text.startswith("Guten Tag, schöne Welt! ")]
    rest = [one for one in made if one not in greetings]
    assert len(greetings) / len(made) == pytest.approx(0.75, abs=0.04)
    assert {(one.length, one.voice) for one in greetings} == {("greeting", "klara")}
    assert all(one.text.startswith("And goodbye ") and one.length == "" for one in rest)
    assert {one.voice for one in rest} == {"anna", "ben"}
    assert len({one.text for one in made}) == 2000


def test_a_mark_at_the_beginning_and_empty_lines_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "one"}\r\n\n  \n{"text": "two"}')
    made = utterances(source(file=str(path), salt=False), 100)
    assert {one.text for one in made} == {"one", "two"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"text": "caf\xe9"}', "not UTF-8 text (byte 14 of the line)"),
        (b'{"text": "cut', "not a text"),
        (b'{"words": "x"}', "not a text"),
        (b'{"text": 5}', "not a text"),
        (b'"text"', "not a text"),
        (b'{"text": " "}', "empty"),
        (b'{"text": "a\\ud800b"}', "not a text"),
        (b'{"text": "a", "weight": 0}', "not above 0"),
        (b'{"text": "a", "weight": 1e400}', "not a text"),
        (b'{"text": "a", "weigth": 1}', "weigth"),
        (b'{"text": "' + b"a" * 100_001 + b'"}', "more than 100000"),
        (b"[" * 100_000, "not a text"),
    ],
    ids=range(12),
)
def test_a_line_that_is_no_text_is_named(tmp_path: Path, line: bytes, why: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b'{"text": "good"}\n' + line + b"\n")
    with pytest.raises(ConfigError) as caught:
        source(file=str(path))
    assert (caught.value.file, caught.value.line) == (str(path), 2)
    assert why in caught.value.message and "JSON object a line" in caught.value.remedy


def test_several_wrong_lines_are_listed_and_no_more_than_ten(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b"nothing\n" * 1000)
    with pytest.raises(CollectedConfigError) as caught:
        source(file=str(path))
    assert [error.line for error in caught.value.errors] == list(range(1, 11))


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_a_text_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="no text"):
        source(file=str(path))


@pytest.mark.parametrize("name", ["absent.jsonl", "", "a\0b"])
def test_a_file_that_is_not_there_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        source(file=f"{tmp_path}/{name}")


@settings(max_examples=200)
@given(content=st.binary(max_size=200))
def test_any_file_is_texts_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    try:
        made = source(file=str(path)).utterance(0)
    except ConfigError as error:
        assert error.remedy
    else:
        assert made.text
