"""What is heard in answers of a real engine: clean ones, and those with each fault of words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from genload.artifacts.audio.listener import Heard, Listener
from genload.artifacts.inputs.texts import TextSource
from genload.artifacts.inspector.inspector import Inspector
from genload.service import Utterance
from genload.settings.speech import Check, SpeechRequest, Texts
from testbed.speech.encoding import Format, encode
from testbed.speech.faults import SpeechFault
from testbed.speech.misspeaking import reworded
from testbed.speech.speaker import Speaker

from ..audio.listened import answered

pytest.importorskip("pocketsphinx")
pytestmark = pytest.mark.processes

TEXTS = Texts.model_validate({"lengths": ["short", "medium"], "code": {}})
SOURCE = TextSource(TEXTS, ["af_heart"], seed=3, salt="hearing")


@cache
def speaker() -> Speaker:
    one = Speaker(5)
    one.load()
    return one


@cache
def said(text: str, form: Format = Format.WAV, rate_hz: int = 24_000) -> bytes:
    samples = np.concatenate(list(speaker().speak(text, "af_heart", 1.0)))
    return encode(samples[:: 24_000 // rate_hz], form, rate_hz)


@pytest.fixture
def listened(inspector: Inspector) -> Callable[..., Heard]:
    def listen(utterance: Utterance, content: bytes, **request: Any) -> Heard:
        settings = SpeechRequest(texts=TEXTS, **request)
        one = Listener(settings, seed=1, registry=None, inspector=inspector)
        return one.listen(answered(content), utterance)

    return listen


@pytest.mark.parametrize("number", range(4))
def test_the_code_of_a_clean_answer_is_heard_to_the_digit(
    listened: Callable[..., Heard], number: int
) -> None:
    utterance = SOURCE.utterance(number)
    digits = listened(utterance, said(utterance.text)).digits
    assert digits is not None and digits.endswith(utterance.code)


@pytest.mark.parametrize(("form", "rate_hz"), [(Format.OPUS, 24_000), (Format.MP3, 24_000)])
def test_in_any_format(listened: Callable[..., Heard], form: Format, rate_hz: int) -> None:
    utterance = SOURCE.utterance(1)
    digits = listened(utterance, said(utterance.text, form, rate_hz), format=form.value).digits
    assert digits is not None and digits.endswith(utterance.code)


def test_another_text_has_its_own_code(listened: Callable[..., Heard]) -> None:
    utterance, other = SOURCE.utterance(0), SOURCE.utterance(2)
    digits = listened(utterance, said(other.text)).digits
    assert digits is not None and digits.endswith(other.code)


def test_a_code_said_twice_is_heard_twice(listened: Callable[..., Heard]) -> None:
    utterance = SOURCE.utterance(2)
    digits = listened(utterance, said(reworded(utterance.text, SpeechFault.REPEAT_SENTENCE))).digits
    assert digits is not None and digits.count(utterance.code) == 2


def test_a_word_more_at_the_end_is_heard(listened: Callable[..., Heard]) -> None:
    utterance = SOURCE.utterance(0)
    more = "Three." if not utterance.code.endswith("3") else "Seven."
    digits = listened(utterance, said(f"{utterance.text} {more}")).digits
    assert digits is not None and utterance.code in digits and not digits.endswith(utterance.code)


def test_who_is_not_in_the_sample_is_not_listened_to(listened: Callable[..., Heard]) -> None:
    utterance = SOURCE.utterance(1)
    heard = listened(utterance, said(utterance.text), check=Check(words=0.0))
    assert heard.digits is None and heard.numbers["valid"] == 1.0
    warming = SOURCE.utterance(-2)
    assert listened(warming, said(warming.text), check=Check(words=0.01)).digits is not None


def test_a_transcript_tells_a_word_left_out_and_a_sentence_said_twice(
    listened: Callable[..., Heard],
) -> None:
    text = "The captain carried an unfinished letter after the rain. Our neighbour found the red door."
    utterance = Utterance(0, text, "af_heart")
    spoken = {
        "clean": text,
        "less": text.replace("carried ", "").replace("red ", ""),
        "twice": reworded(text, SpeechFault.REPEAT_SENTENCE),
    }
    rates = {
        name: listened(utterance, said(each), check=Check(transcripts=1.0)).numbers["word_error_rate"]
        for name, each in spoken.items()
    }
    assert rates["clean"] < 0.3
    assert rates["less"] >= rates["clean"] + 1 / 15
    assert rates["twice"] >= rates["clean"] + 5 / 15


def test_without_a_recogniser_nobody_listens(
    listened: Callable[..., Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genload.artifacts.audio.listener.can_recognise", lambda: False)
    utterance = SOURCE.utterance(1)
    assert listened(utterance, said(utterance.text)).digits is None
