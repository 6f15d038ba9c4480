"""All that a suite asks of a speech service: ``service.request`` with ``api: speech``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from genload.described.call import Call
from genload.described.problem import Problem, refuse
from genload.described.speech.dialect import Dialect, RawWay, Socket, Way
from genload.described.speech.dialects import described, dialect_names
from genload.described.speech.laid import call_of, literal, opening_of, with_extra
from genload.described.speech.values import UNNAMED
from genload.settings.speech import SpeechRequest

_WAYS: Mapping[Any, tuple[str, str]] = {
    True: ("raw", "cannot be told to stream"),
    False: ("whole", "cannot be told not to stream"),
    "sse": ("sse", "streams no events"),
    "websocket": ("websocket", "has no WebSocket that speaks"),
}
"""Of each value of `stream` the way that is asked for, and what to say where there is none."""


class Request(SpeechRequest):
    """``service.request`` of a suite."""

    dialect: Annotated[Dialect, BeforeValidator(described)]
    """How the service is asked: the name of a description, or a description. What follows is the dialect's
    own unless set."""
    path: str | None = None
    """Where speech is asked for, by a call or over a WebSocket."""
    model: str | None = None
    stream: bool | Literal["sse", "websocket"] | None = None
    """Whether it is told to stream, or not to; ``sse``: as server-sent events; ``websocket``: text and audio
    go over a WebSocket; null: it is told nothing."""
    ready_path: str | None = None
    extra: dict[str, Any] = {}
    """Further keys of the request as they stand: ``{instructions: …, normalization_options: {…}}``."""

    @model_validator(mode="before")
    @classmethod
    def _as_the_dialect_has_it(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if "dialect" not in value:
            remedy = f"write service.request.dialect: one of {', '.join(dialect_names())}; or a description"
            raise PydanticCustomError("dialect", "whose ways does this service have?", {"remedy": remedy})
        try:
            dialect = described(value["dialect"])
        except PydanticCustomError:  # told by the key's own check
            return value
        return {**_usual(dialect), **value, "dialect": dialect}

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        refuse("request", self._problems())
        return self

    def _problems(self) -> list[Problem]:
        way, name, formats = self.way, self.dialect.name, self.dialect.formats
        if way is None and self.stream is not None and self.stream != self.dialect.streams:
            return [_no_way(self.stream, name)]
        takes = "takes"
        if way is not None and way.formats is not None:
            formats, takes = way.formats, "streams"
        if self.format not in formats:
            reason = f"{name} {takes} no '{self.format}'"
            return [Problem(("format",), reason, f"use one of: {', '.join(formats)}")]
        try:
            Call.model_validate(self.call)
        except ValidationError:
            reason = "a form or a query holds texts, numbers, true and false, and nothing nested"
            return [Problem(("extra",), reason, "take the nested values out, or describe another body")]
        return []

    @property
    def way(self) -> Way | Socket | None:
        """How it is told to answer; None: it is told nothing."""
        if self.stream is None:
            return None
        way: Way | Socket | None = getattr(self.dialect.ways, _WAYS[self.stream][0])
        if way is None and self.stream == "websocket" and self.path is not None:
            return Socket(path=literal(self.path))
        return way

    @property
    def key(self) -> str:
        """Of the suite, that describes how it is asked."""
        at = "" if self.way is None else f".ways.{_WAYS[self.stream][0]}"
        return f"service.request.dialect{at}"

    @property
    def call(self) -> dict[str, Any]:
        """The call that asks for speech, or opens the WebSocket over which that is done; as YAML has it."""
        way = self.way
        call = opening_of(way) if isinstance(way, Socket) else call_of(self.dialect, way)
        if self.extra and not isinstance(way, Socket):
            call = with_extra(call, self.extra)
        return call if self.path is None else {**call, "path": literal(self.path)}

    def lacks(self, voice: str) -> frozenset[str]:
        """The names that have no value, where this voice speaks: keys that are nothing else are left out."""
        unnamed = voice == UNNAMED and self.dialect.voice is None
        usual = self.speed == 1  # everybody's default, and some refuse the key in a stream
        lacking = {
            "voice": unnamed,
            "model": self.model is None and self.dialect.model is None,
            "speed": usual,
            "speed.inverse": usual,
        }
        return frozenset(name for name, lacks in lacking.items() if lacks)

    def values(self) -> dict[str, Any]:
        """What all its utterances have, by the names of `OF_ALL`."""
        return {
            "format": self.dialect.formats[self.format],
            "is_pcm": self.format == "pcm",
            "model": self.model or self.dialect.model or "",
            "speed": self.speed,
            "speed.inverse": 1 / self.speed,
        }

    @property
    def base64(self) -> str | None:
        """The path to the audio in an answer of JSON; None: the answer is the audio."""
        way = self.way
        own = way.base64 if isinstance(way, Way) else None
        return own or (None if way is not None and way.path else self.dialect.base64)

    @property
    def is_streamed(self) -> bool:
        way = self.way
        if isinstance(way, RawWay):
            return way.streams
        return self.dialect.streams if self.stream is None else bool(self.stream)

    @property
    def shows_cache(self) -> bool:
        """Whether an answer tells if it came from a cache; a stream's headers are the same either way."""
        return self.dialect.cache is not None and not self.is_streamed

    def labels(self) -> dict[str, tuple[str, ...]]:
        cache = {"cache": ("hit", "miss")} if self.shows_cache else {}
        return {**super().labels(), **cache, **dict.fromkeys(self.dialect.labels, ())}

    def stream_offers(self) -> tuple[str, ...]:
        if self.is_streamed:
            return ()
        ways, own = self.dialect.ways, self.dialect.formats
        raw = ways.raw if ways.raw is not None and ways.raw.streams else None
        offers = {"true": raw, "sse": ways.sse, "websocket": ways.websocket}
        formats = {value: way.formats or own for value, way in offers.items() if way is not None}
        return tuple(
            f"{{stream: {value}}}"
            if self.format in taken
            else f"{{stream: {value}, format: {next(iter(taken))}}}"
            for value, taken in formats.items()
        )

    def unsaid_stream(self) -> str:
        return "" if self.is_streamed or self.stream is not None else "service.request.dialect.streams"


def _usual(dialect: Any) -> dict[str, Any]:
    """What the dialect gives the suite's own keys, unless they are set."""
    if not isinstance(dialect, Mapping):
        return {}
    usual: dict[str, Any] = {"voices": (dialect.get("voice") or UNNAMED,)}
    formats = dialect.get("formats")
    if isinstance(formats, Mapping | list | tuple) and formats and "wav" not in formats:
        usual["format"] = next(iter(formats))
    if dialect.get("pcm") is not None:
        usual["pcm"] = dialect["pcm"]
    return usual


def _no_way(stream: Any, name: str) -> Problem:
    way, reason = _WAYS[stream]
    can = [known for known in dialect_names() if way in described(known).get("ways", {})]
    remedy = f"take stream out, describe how it does in dialect.ways.{way}, or take one of: {', '.join(can)}"
    if stream == "websocket":
        remedy = f"write where it does in service.request.path; or {remedy}"
    return Problem(("stream",), f"{name} {reason}", remedy)
