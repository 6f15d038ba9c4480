"""What a speech service is asked for: texts, voices, format; and how its answers are checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from genload.settings.model import Settings
from genload.settings.suite import RequestSettings
from genload.settings.units import Ratio, RealSeconds

AudioFormat = Literal["wav", "mp3", "flac", "ogg", "opus", "pcm"]

LENGTHS = {"short": 5, "medium": 50, "long": 246, "very_long": 320}
"""Characters of the four classes of the LiteTTS specification."""


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise PydanticCustomError("empty", "at least one is needed", {"remedy": "name one, or leave it out"})
    return values


class Texts(Settings):
    """What is spoken. One of `template`, `lengths` and `file`; texts of 50 characters when none is given."""

    template: str | None = None
    """A text with ``{i}`` for the number of the request."""
    lengths: tuple[str, ...] | None = None
    """Classes of text length, in turn: names of `classes`."""
    classes: dict[str, PositiveInt] = LENGTHS
    """Characters by class."""
    file: str | None = None
    """The user's own: JSON lines with ``text`` and, if wanted, ``weight``, ``length`` and ``voice``."""
    salt: bool = True
    """A word of this run and request in every text, so that no cache can answer."""
    repeats: Ratio = 0.0
    """Share of requests that send an earlier text again, to exercise a cache; a repeat is not salted anew."""


class Pcm(Settings):
    """What raw PCM is, which does not say it itself."""

    rate_hz: PositiveInt = 24_000
    channels: PositiveInt = 1
    encoding: Literal["s16le", "f32le"] = "s16le"


class Check(Settings):
    """Which answers are decoded, and when audio counts as broken."""

    share: Ratio = 1.0
    """``all``, ``off``, or ``sample 10%``: of all answers, drawn by the seed."""
    silent_below_rms: Annotated[float, Field(ge=0, le=1)] = 0.001
    """Louder on the average over the whole answer, of full scale (−60 dBFS), or it is silent."""
    max_clipped: Ratio = 0.01
    """Largest share of samples at full scale."""
    min_s_per_character: RealSeconds = 0.015
    max_s_per_character: RealSeconds = 0.4
    """Bounds of plausible audio at speed 1; half a second more or less is always plausible."""

    @model_validator(mode="before")
    @classmethod
    def _in_a_word(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        words = {"all": "100%", "off": "0%"}
        return {"share": words.get(value, value.removeprefix("sample").strip())}


class SpeechRequest(RequestSettings):
    """Base of the `request` of every speech service."""

    voices: Annotated[tuple[str, ...], AfterValidator(_some)] = ("af_heart",)
    """In turn; with several length classes every voice speaks every class."""
    format: AudioFormat = "wav"
    speed: Annotated[float, Field(gt=0, le=10)] = 1.0
    texts: Texts = Texts()
    pcm: Pcm = Pcm()
    # A field named `validate` would hide a method of pydantic's.
    check: Check = Field(default=Check(), alias="validate")
    pre_buffer_s: RealSeconds = 0.0
    """Audio that the listener's player collects before it begins."""
