"""What a suite may say about texts and voices, and what a scenario's own keys do to it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from genload.settings.speech import SpeechRequest, Texts

WINGS: dict[str, Any] = {"wings": None}  # as from a file: quantities with their unit


def read(settings: dict[str, Any]) -> SpeechRequest:
    return SpeechRequest.model_validate(settings, context=WINGS)


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """The texts of a scenario's own request, laid on the service's."""
    dumped = read({"texts": base}).model_dump(mode="json", exclude_unset=True)
    laid = SpeechRequest.laid_on(dumped, {"texts": over})
    return read(laid).texts.model_dump(exclude_unset=True)


@pytest.mark.parametrize(
    ("texts", "message", "remedy"),
    [
        ({"template": "a", "lengths": ["short"]}, "template and lengths each say", "template: null"),
        ({"file": "x", "characters": {"min": 5, "max": 9}}, "characters and file each", "null"),
        ({"lengths": ["shrot"]}, "'shrot' is no class", "did you mean 'short'"),
        ({"lengths": []}, "at least one", "leave it out"),
        ({"template": ""}, "at least 1 character", ""),
        ({"characters": {"min": 9, "max": 5}}, "not in order", ""),
        ({"characters": {"min": 5, "max": 50, "median": 60}}, "not in order", ""),
        ({"characters": {"min": 1, "max": 50}}, "1 characters are too few", "salt: false"),
        ({"lengths": ["tiny"], "classes": {"tiny": 4}}, "4 characters are too few", "at least 5"),
    ],
)
def test_texts_that_make_no_sense(texts: dict[str, Any], message: str, remedy: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Texts.model_validate(texts, context=WINGS)
    (error,) = caught.value.errors()
    assert message in error["msg"]
    assert remedy in error.get("ctx", {}).get("remedy", "")


def test_a_class_that_is_not_used_may_be_short() -> None:
    assert Texts(classes={"tiny": 1, "short": 5}, lengths=("short",)).salt


def test_classes_of_one_s_own_stand_beside_the_built_in_ones() -> None:
    texts = Texts(classes={"page": 2800, "short": 7}, lengths=("short", "medium", "page"))
    assert texts.characters_of_classes == (7, 50, 2800)


def test_a_scenarios_source_of_texts_takes_the_place_of_the_services() -> None:
    base = {"lengths": ["short"], "repeats": "0.2/1"}
    assert merged(base, {"template": "Test {i}"}) == {"template": "Test {i}", "repeats": "0.2/1"}
    assert merged(base, {"lengths": ["long"]}) == {"lengths": ("long",), "repeats": "0.2/1"}
    assert merged(base, {"repeats": "0%"}) == {"lengths": ("short",), "repeats": "0/1"}


def test_what_was_dumped_whole_stays_what_it_is() -> None:
    base = {"lengths": ["short"], "classes": {"short": 7}}
    whole = read({"texts": {"template": "Test {i}"}}).texts.model_dump(mode="json")
    assert Texts.model_validate(merged(base, whole), context=WINGS).template == "Test {i}"


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ({}, {"voice": ("af_heart",)}),
        ({"voices": ["a", "b", "a"]}, {"voice": ("a", "b")}),
        (
            {"texts": {"lengths": ["short", "long", "short"], "repeats": "5%"}},
            {"voice": ("af_heart",), "length": ("short", "long"), "text": ("new", "repeat")},
        ),
        ({"texts": {"file": "mine.jsonl"}}, {"voice": (), "length": ()}),
    ],
)
def test_labels(settings: dict[str, Any], labels: dict[str, tuple[str, ...]]) -> None:
    assert read(settings).labels() == labels


@pytest.mark.parametrize(
    ("word", "share"), [("all", 1.0), ("off", 0.0), ("sample 10%", 0.1), ({"share": "5%"}, 0.05)]
)
def test_which_answers_are_decoded(word: Any, share: float) -> None:
    assert read({"validate": word}).check.share == share


@pytest.mark.parametrize("word", ["none", "sample", "sample 10", "sample 120%", "sample -5%"])
def test_which_answers_are_decoded_is_a_share(word: str) -> None:
    with pytest.raises(ValidationError):
        read({"validate": word})


def test_at_least_one_voice() -> None:
    with pytest.raises(ValidationError, match="at least one"):
        read({"voices": []})
