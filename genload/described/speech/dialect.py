"""How one speech service is asked, and what its answers are: ``service.request.dialect``."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic_core import CoreSchema

from genload.client import answer
from genload.described.call import Call
from genload.described.errors import Errors
from genload.described.labels import Label, LabelName
from genload.described.numbers import Number, NumberName
from genload.described.or_text import exactly_one
from genload.described.path import JsonPath
from genload.described.probe import Probe
from genload.described.problem import refuse
from genload.described.speech.checks import problems_of
from genload.described.template import TemplateScalars, TemplateText
from genload.extensions import builtin_folder
from genload.settings.model import Settings
from genload.settings.secrets import Headers
from genload.settings.speech import AudioFormat, Pcm
from genload.streamed.description import Events, Messages

FOLDER = "dialects"
"""Of config/: where descriptions are that have a name."""


def _by_name(formats: Any) -> Any:
    if isinstance(formats, list | tuple):
        return {form: form for form in formats if isinstance(form, str)}
    return formats


Formats = Annotated[
    dict[AudioFormat, str],
    BeforeValidator(_by_name),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
"""A list of ours; or each with the service's own word for it: ``{pcm: pcm_24000}``."""


class Way(Call):
    """How it is told to answer in one way: laid on the call, key by key. With a `path` it is a call of its
    own.
    """

    path: TemplateText = ""
    base64: JsonPath | None = None
    """The answer is JSON, and the audio is in it as base64, at this path."""
    formats: Formats | None = None
    """Those that it can answer so; unless given, all."""


class RawWay(Way):
    """How it is told to stream the audio itself."""

    streams: bool = True
    """False: it may be told so, and answers as ever."""


class EventWay(Way):
    """How it is told to stream as server-sent events."""

    events: Events | None = None
    """What they mean; unless given, they are OpenAI's, vLLM's or SGLang's."""


class Socket(Messages):
    """A WebSocket over which it speaks."""

    path: Annotated[TemplateText, Field(min_length=1)]
    query: TemplateScalars = {}
    headers: Headers = {}
    """Of the request that opens it."""
    keep: bool = False
    """It stays open for the user's next request, behind the last message of one. The service hears the
    identifier of the request that opened it alone, which is a header."""
    formats: Formats | None = None
    """Those that it can answer so; unless given, all."""


class Ways(Settings):
    """How it is told in which way to answer: `stream` of the suite says which is asked for."""

    whole: Way | None = None
    """``stream: false``"""
    raw: RawWay | None = None
    """``stream: true``: the audio itself, as it is made."""
    sse: EventWay | None = None
    """``stream: sse``"""
    websocket: Socket | None = None
    """``stream: websocket``"""


class Cached(Settings):
    """How an answer that comes from a cache of the service is told."""

    header: str | None = None
    """The name of a header: ``x-cache``."""
    hit: str = "HIT"
    """Its value then."""
    without: str | None = None
    """Or the name of a header that it does not have then, and otherwise has."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        exactly_one(self, "header", "without")
        return self

    def is_hit(self, headers: answer.Headers) -> bool:
        """Whether an answer with these headers comes from the cache."""
        if self.without is not None:
            return self.without not in headers
        return headers.get(self.header or "", "").lower() == self.hit.lower()


class Dialect(Call):  # the keys of the call itself stand beside the others
    """One service. A key of JSON, a form or a query that is nothing but a name without a value is left out:
    ``speed: "{speed}"`` at the usual speed.
    """

    name: Annotated[str, Field(min_length=1)] = "the service"
    """What it is called."""
    path: Annotated[TemplateText, Field(min_length=1)]
    base64: JsonPath | None = None
    """The answer is JSON, and the audio is in it as base64, at this path."""
    voice: str | None = None
    """That is spoken unless the suite names others; none: the service's own, and it is asked for none."""
    model: str | None = None
    """That is asked for unless the suite names another; none: it is asked for none."""
    formats: Formats = {"wav": "wav"}
    """What it answers in."""
    pcm: Pcm | None = None
    """What its raw samples are, unless the suite says."""
    streams: bool = False
    """An answer is sent while it is made, unless it is told otherwise. Chunks alone are no stream."""
    ways: Ways = Ways()
    rate: Number | None = None
    """Where an answer tells the rate of its raw samples: ``{header: X-Sample-Rate}``; unless it does, it is
    that of the suite's `pcm`."""
    cache: Cached | None = None
    errors: Errors = Errors()
    numbers: dict[NumberName, Number] = {}
    """Numbers of the answer to a call, each a metric: ``{queue_s: {header: x-queue-ms, unit: ms}}`` is
    speech.queue_s."""
    labels: dict[LabelName, Label] = {}
    """Labels that this answer gives the request, for filters and each(…):
    ``{replica: {header: x-served-by}}``."""
    ready: Probe = Probe()
    """How to see that the service takes work; best something that no other service has."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        whole = super().__get_pydantic_json_schema__(core_schema, handler)
        handler.resolve_ref_schema(whole)["properties"]["extends"] = {
            "type": "string",
            "description": "The name of another description: this one is laid on it, key by key.",
        }
        names = sorted(path.stem for path in (builtin_folder("config") / FOLDER).glob("*.yaml"))
        return {"anyOf": [{"enum": names}, {"type": "string"}, whole]}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse("dialect", problems_of(self))
        return self
