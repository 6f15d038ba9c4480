"""Whether audio can be speech of its text: noise, tones, and a beginning of it are told."""

from __future__ import annotations

import numpy as np
import pytest

from genload.artifacts.audio.reader import read_audio
from genload.artifacts.inspector.inspector import Inspector
from genload.service import ServiceError, Utterance

from .listened import answered, listener
from .sounds import RATE_HZ, Wave, encoded, tone

SENTENCE = "The captain carried an unfinished letter after the rain."
STEADY_BELOW = 0.3


def swelling(wave: Wave, times_a_second: float = 5.0) -> Wave:
    return wave * (0.55 - 0.45 * np.cos(2 * np.pi * times_a_second / RATE_HZ * np.arange(len(wave))))


def noise(duration_s: float) -> Wave:
    return np.random.default_rng(3).normal(0.0, 0.1, round(duration_s * RATE_HZ))


def error_class(inspector: Inspector, wave: Wave, text: str = SENTENCE) -> str:
    one = listener(inspector, steady_below=STEADY_BELOW)
    try:
        one.listen(answered(encoded(wave, "wav")), Utterance(1, text, "af_heart"))
    except ServiceError as error:
        return error.error_class
    return ""


SILENCE = np.zeros(RATE_HZ)


@pytest.mark.parametrize(
    ("wave", "expected"),
    [
        (noise(4), "no_speech"),
        (tone(4), "no_speech"),
        (np.concatenate([SILENCE, noise(2), SILENCE]), "no_speech"),
        (tone(2, hz=200) + tone(2, hz=310), "no_speech"),
        (swelling(tone(4)), ""),
        (swelling(noise(4)), ""),  # nobody can tell it from whispering, so cheaply
        (np.sign(tone(4)), "clipped_audio"),  # as steady, and worse
        (tone(1.3), ""),  # a word may be one vowel
        (swelling(tone(0.6)), "implausible_audio"),
        (swelling(tone(1.3)), ""),
    ],
)
def test_what_is_as_steady_as_a_tone_or_too_short_for_its_text_is_no_speech(
    inspector: Inspector, wave: Wave, expected: str
) -> None:
    assert error_class(inspector, wave) == expected


def test_the_variation_is_that_of_the_formula() -> None:
    frames = np.repeat([0.1, 0.3, 0.0, 0.3, 0.1], RATE_HZ // 50)
    facts = read_audio(encoded(frames, "wav"), "wav")
    assert facts.variation == pytest.approx(0.5, abs=1e-3)
    assert facts.sounding_s == pytest.approx(0.08)


def test_silence_has_none() -> None:
    facts = read_audio(encoded(np.zeros(RATE_HZ), "wav"), "wav")
    assert (facts.variation, facts.sounding_s) == (0.0, 0.0)


@pytest.mark.parametrize("form", ["flac", "mp3", "opus"])
def test_a_format_changes_little_of_it(form: str) -> None:
    plain = read_audio(encoded(swelling(noise(3)), "wav"), "wav").variation
    assert read_audio(encoded(swelling(noise(3)), form), form).variation == pytest.approx(plain, rel=0.1)
