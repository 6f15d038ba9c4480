"""What the APIs have in common, and where they may differ."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .encoding import Format
from .options import SpeechOptions, Stream
from .tally import Tally
from .wire import Headers, Page, Request

_MEDIA_TYPES = {Format.MP3: "audio/mpeg"}
_CREATED = 1_700_000_000

SOCKET_PATH = "/v1/audio/speech/stream"

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for speech that the API accepts."""

    text: str
    voice: str
    form: Format
    speed: float
    streamed: bool  # sent while it is being spoken
    media_type: str
    headers: Headers = field(default_factory=dict)
    cached: bool = False  # answered from the cache, and kept there
    chunked: bool = False  # sent in chunks even though all of it is there
    events: bool = False  # streamed inside of server-sent events


def sent_as(stream: Stream | None, wanted: Wanted) -> Wanted:
    """What is wanted, sent as the service is told to send everything."""
    if stream in (None, Stream.WEBSOCKET):
        return wanted
    return replace(wanted, streamed=stream is not Stream.WHOLE, events=stream is Stream.SSE)


class RefusedError(Exception):
    """The request is answered with `page` instead of speech."""

    def __init__(self, page: Page) -> None:
        super().__init__(page.status)
        self.page = page


class Dialect(ABC):
    """One API.

    Attributes:
        speech_paths: where speech is asked for, by POST.
        socket_path: where it is over a WebSocket; "": nowhere, unless the options have one.
    """

    speech_paths: tuple[str, ...] = ("/v1/audio/speech",)
    socket_path = ""

    def __init__(self, options: SpeechOptions, voices: tuple[str, ...], tally: Tally) -> None:
        self.options, self.voices, self.tally = options, voices, tally

    @abstractmethod
    def pages(self) -> Mapping[str, Callable[[], Page]]:
        """What GET finds, by path."""

    @abstractmethod
    def read(self, request: Request) -> Wanted:
        """What a request for speech wants; RefusedError for what this API does not accept."""

    @abstractmethod
    def error(self, status: int, message: str, headers: Headers | None = None) -> Page:
        """How this API tells what went wrong: 401, 404, 429, 500, 503."""


def json_of(request: Request) -> Any:
    """The body; ValueError where it is no JSON in UTF-8."""
    return json.loads(request.body.decode("utf-8"))


def fastapi_body(request: Request, model: type[M]) -> M:
    """The body as FastAPI reads it: RefusedError with its list of what is wrong, status 422."""
    try:
        return model.model_validate(json_of(request))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        details = [{**each, "loc": ["body", *each["loc"]]} for each in found]
    except ValueError as error:
        context = {"error": str(error)}
        wrong = {"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error"}
        details = [{**wrong, "input": {}, "ctx": context}]
    raise RefusedError(Page.of({"detail": details}, 422))


def models_page(*names: str) -> Page:
    """OpenAI's list of models."""
    models = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "testbed"} for name in names]
    return Page.of({"object": "list", "data": models})


def media_type(form: Format) -> str:
    """As most of them name it."""
    return _MEDIA_TYPES.get(form, f"audio/{form}")
