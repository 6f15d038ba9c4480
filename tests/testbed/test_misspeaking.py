"""Faults of words: what is spoken instead of a text."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from testbed.speech.alterations import ALTERATIONS, beginning
from testbed.speech.faults import SpeechFault
from testbed.speech.misspeaking import Misspeaking, reworded
from testbed.speech.truth import SpeechTruth


def truth(fault: SpeechFault | None) -> SpeechTruth:
    return SpeechTruth("r", "/", 0, fault=str(fault or ""))


def spoken(*asked: tuple[str, SpeechFault | None]) -> list[tuple[str, str]]:
    """What is spoken of texts that come at once, and what the log says befell them."""

    async def run() -> list[tuple[str, str]]:
        misspeaking, truths = Misspeaking(), [truth(fault) for _, fault in asked]
        texts = [misspeaking.text(text, fault, log) for (text, fault), log in zip(asked, truths, strict=True)]
        return list(zip(await asyncio.gather(*texts), (log.fault for log in truths), strict=True))

    return asyncio.run(run())


def test_two_listeners_get_each_other_s_text() -> None:
    found = spoken(("One.", None), ("Two.", SpeechFault.SWAP), ("Three.", None), ("Four.", None))
    assert found == [("One.", ""), ("Three.", "swap"), ("Two.", "swap"), ("Four.", "")]


def test_two_that_were_both_to_be_swapped_are_swapped_once() -> None:
    found = spoken(("One.", SpeechFault.SWAP), ("Two.", SpeechFault.SWAP))
    assert found == [("Two.", "swap"), ("One.", "swap")]


def test_who_is_alone_keeps_the_text_and_the_log_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.speech.misspeaking._PARTNER_S", 0.01)
    assert spoken(("One.", SpeechFault.SWAP)) == [("One.", "")]


def test_the_last_word_of_the_request_before_bleeds_in() -> None:
    found = spoken(("One two three.", SpeechFault.BLEED), ("Four.", SpeechFault.BLEED))
    assert found == [("One two three.", ""), ("Four. Three.", "bleed")]


def test_one_word_is_left_out_the_same_one_each_time() -> None:
    text = "one two three four five"
    fewer = reworded(text, SpeechFault.DROP_WORD)
    assert fewer == reworded(text, SpeechFault.DROP_WORD)
    assert len(fewer.split()) == 4 and set(fewer.split()) < set(text.split())


def test_the_last_sentence_is_repeated() -> None:
    assert reworded("Well. That is it.", SpeechFault.REPEAT_SENTENCE) == "Well. That is it. That is it."


@pytest.mark.parametrize("fault", [SpeechFault.HISS, SpeechFault.HUM])
def test_noise_and_tone_are_as_long_and_as_loud_as_the_speech(fault: SpeechFault) -> None:
    samples = (np.random.default_rng(1).normal(0, 3000, 24_000) * np.linspace(0, 1, 24_000)).astype(np.int16)
    altered = ALTERATIONS[fault](samples)
    assert len(altered) == len(samples)
    assert altered.astype(float).std() == pytest.approx(samples.astype(float).std(), rel=0.02)


def test_a_beginning_is_of_so_many_samples_whatever_the_pieces() -> None:
    pieces = [np.arange(start, start + 4, dtype=np.int16) for start in range(0, 40, 4)]
    assert np.concatenate(list(beginning(pieces, 10))).tolist() == list(range(10))
