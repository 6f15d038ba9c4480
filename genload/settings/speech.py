"""What a speech service is asked for: texts, voices, format; and how its answers are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from genload.settings.model import Settings
from genload.settings.suggestion import suggest
from genload.settings.units import Ratio, RealSeconds
from genload.settings.wing_models import RequestSettings

Share = Annotated[Ratio, Field(le=1)]

AudioFormat = Literal["wav", "mp3", "flac", "ogg", "opus", "aac", "pcm"]

LENGTHS = {"short": 5, "medium": 50, "long": 246, "very_long": 320}
"""Characters of the four classes of the LiteTTS specification."""


SHORTEST_SALTED = 5
"""Characters that hold a word of the request's own: four letters and a full stop."""

_SOURCES = ("template", "lengths", "characters", "file")


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise PydanticCustomError("empty", "at least one is needed", {"remedy": "name one, or leave it out"})
    return values


def _besides_ours(classes: dict[str, int]) -> dict[str, int]:
    return {**LENGTHS, **classes}


class Characters(Settings):
    """Lengths of text drawn for each request: evenly, or log-normally about a median."""

    min: PositiveInt
    max: PositiveInt
    median: PositiveInt | None = None
    """Half of the texts are shorter; None: all lengths are equally likely. What is outside takes the end."""
    spread: Annotated[float, Field(gt=0, le=3)] = 0.7
    """Standard deviation of the logarithm: a sixth of the texts is longer than e^0.7, twice the median."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min <= (self.median or self.min) <= self.max:
            raise ValueError("min, median and max are not in order")
        return self


CODES_TO_PROVE = 20
"""So many known codes a voice speaks in the warm-up, one at a time, unless the suite says otherwise: the
recogniser must understand 95 % of them before it may judge that voice."""


class Code(Settings):
    """A row of digits in every text, that no request in flight with it has."""

    digits: Annotated[int, Field(ge=5, le=7)] = 6
    """How many: of six digits there are 4,882 codes, then they come again; of seven nine times as many."""


WORDS = ("own", "another", "nobody", "not_understood")
"""Whose words an answer speaks."""

CONCURRENCY = (
    (1, "1"),
    (2, "2-4"),
    (5, "5-9"),
    (10, "10-19"),
    (20, "20-49"),
    (50, "50-99"),
    (100, "100-"),
)
"""Classes of how many requests were in flight when one began: from how many on, and their names."""

CODE_PLACE = "{code}"
"""Where a template has the code, at its end."""


class Texts(Settings):
    """What is spoken. One of `template`, `lengths`, `characters` and `file`; texts of 50 characters when none
    is given.
    """

    template: Annotated[str, Field(min_length=1)] | None = None
    """A text with ``{i}`` for the number of the request."""
    lengths: Annotated[tuple[str, ...], AfterValidator(_some)] | None = None
    """Classes of text length, in turn: names of `classes`."""
    classes: Annotated[dict[str, PositiveInt], AfterValidator(_besides_ours)] = LENGTHS
    """Characters by class, besides short (5), medium (50), long (246) and very_long (320)."""
    characters: Characters | None = None
    """Lengths drawn from a range, without classes."""
    file: str | None = None
    """The user's own: JSON lines with ``text`` and, if wanted, ``weight``, ``length`` and ``voice``."""
    salt: bool = True
    """A word of this run and request in every text, so that no cache can answer."""
    repeats: Share = 0.0
    """Share of requests that send one of the last 30 texts again, voice and all, to exercise a cache."""
    code: Code | None = None
    """A spoken code behind each text, a sentence of its own or where a template ends with ``{code}``: by it
    one tells whose words an answer speaks. Of the text's length it is no part."""
    language: str = "en"
    """Of the texts. Of others than English (``en``) no words are recognised."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        named = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(named) > 1:
            remedy = f"leave one of them, or write {named[0]}: null"
            raise PydanticCustomError(
                "texts", "{names} each say what is spoken", {"names": " and ".join(named), "remedy": remedy}
            )
        for name in self.lengths or ():
            if name not in self.classes:
                raise PydanticCustomError(
                    "texts",
                    "'{name}' is no class of length",
                    {"name": name, "remedy": f"{suggest(name, self.classes)}, or add it to classes"},
                )
        return self

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        shortest = min(self.characters_of_classes or (SHORTEST_SALTED,))
        if self.salt and shortest < SHORTEST_SALTED:
            raise PydanticCustomError(
                "texts",
                "{shortest} characters are too few for a word that makes the text a new one",
                {"shortest": shortest, "remedy": f"take at least {SHORTEST_SALTED}, or salt: false"},
            )
        return self

    @model_validator(mode="after")
    def _code_last(self) -> Self:
        template = self.template or ""
        if CODE_PLACE in template and not (self.code and template.rstrip(" .!").endswith(CODE_PLACE)):
            remedy = f"let the template end with {CODE_PLACE}, and write code: {{digits: 6}}"
            raise PydanticCustomError(
                "texts", "a code is recognised at the end of an answer, and nowhere else", {"remedy": remedy}
            )
        return self

    @property
    def is_english(self) -> bool:
        return self.language.lower().partition("-")[0] == "en"

    @property
    def characters_of_classes(self) -> tuple[int, ...]:
        """The lengths that are known beforehand; of a range its ends."""
        if self.characters is not None:
            return (self.characters.min, self.characters.max)
        return tuple(self.classes[name] for name in self.lengths or ())


class Pcm(Settings):
    """What raw PCM is, which does not say it itself."""

    rate_hz: PositiveInt = 24_000
    channels: PositiveInt = 1
    encoding: Literal["s16le", "f32le"] = "s16le"


class Check(Settings):
    """Which answers are decoded, and when audio counts as broken."""

    share: Share = 1.0
    """``all``, ``off``, or ``sample 10%``: of all answers, drawn by the seed."""
    words: Share = 1.0
    """Share of the answers in which the code of `texts` is listened for; never more than `share`."""
    transcripts: Share = 0.0
    """Share of the answers that are written down word by word, for the word error rate: a tenth of a second
    of CPU and more for each second of audio; never more than `share`."""
    silent_below_rms: Annotated[float, Field(ge=0, le=1)] = 0.001
    """Louder on the average over the whole answer, of full scale (−60 dBFS), or it is silent."""
    steady_below: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Audio whose loudness varies less than that is a noise or a tone, and no speech; 0: whatever it is. Of
    less than 1.5 s of sound nothing is told."""
    max_clipped: Share = 0.01
    """Largest share of samples at full scale."""
    min_s_per_character: RealSeconds = 0.03
    max_s_per_character: RealSeconds = 0.4
    """Bounds of plausible audio at speed 1; half a second more or less is always plausible."""
    rate_hz: PositiveInt | None = None
    """Sample rate that every answer must have; None: any."""
    channels: PositiveInt | None = None
    """Channels that every answer must have; None: any."""

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
    """How long the listener's player waits after the first audio before it begins."""

    @property
    def is_streamed(self) -> bool:
        """Whether the service sends an answer while it makes it."""
        return False

    @classmethod
    def laid_on(cls, base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
        """As for every service; and a scenario that says what is spoken takes the place of what the service's
        `texts` say about it."""
        own = over.get("texts")
        before = base.get("texts")
        if isinstance(own, Mapping) and isinstance(before, Mapping):
            if any(own.get(source) is not None for source in _SOURCES):
                before = {key: value for key, value in before.items() if key not in _SOURCES}
            base = {**base, "texts": before}
        return super().laid_on(base, over)

    def stream_offers(self) -> tuple[str, ...]:
        """What to set in `service.request` for an answer that is streamed; none: it is, or cannot be."""
        return ()

    def unsaid_stream(self) -> str:
        """The key that would say that answers are sent while they are made; "": it is said, or cannot be."""
        return ""

    def warmup_jobs(self) -> int:
        return CODES_TO_PROVE * len(self.voices) if self.listens_for_codes else super().warmup_jobs()

    @property
    def listens_for_codes(self) -> bool:
        """Whether answers are listened to for the codes of their texts."""
        check = self.check
        return self.texts.code is not None and self.texts.is_english and min(check.share, check.words) > 0

    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of its requests' records, with the values they can have; none: any."""
        texts, from_file = self.texts, self.texts.file is not None
        labels = {"voice": () if from_file else tuple(dict.fromkeys(self.voices))}
        if from_file or texts.lengths:
            labels["length"] = tuple(dict.fromkeys(texts.lengths or ()))
        if texts.repeats > 0:
            labels["text"] = ("new", "repeat")
        if self.listens_for_codes:
            labels |= {"words": WORDS, "concurrency": tuple(name for _, name in CONCURRENCY)}
        return labels
