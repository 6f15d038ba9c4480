"""Text to speech behind OpenAI's ``/v1/audio/speech``: LiteTTS, Kokoro-FastAPI, OpenAI itself, vLLM, SGLang.

They agree on the request's four keys and differ in what follows from them: what is streamed, which formats
there are, how a cache shows, how an error is worded. A `Dialect` is one set of these differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from genload.artifacts.audio.format import is_text
from genload.client import Answer, ClientError
from genload.client.service_calls import ServiceCalls, page_text, redirect_words, retry_after_s
from genload.client.words import told
from genload.service import Artifact, ServiceError, Speech, SpeechClient, Utterance
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Failures, Metric, request_number
from genload.settings.service import Service
from genload.settings.speech import SpeechRequest
from genload.settings.wing_models import RequestSettings
from genload.streamed.events import speech_of_events
from genload.streamed.messages import speech_of_messages
from genload.streamed.pieces import USAGE


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one service means by OpenAI's request.

    Attributes:
        formats: what it takes for `response_format`.
        voice: that is spoken unless the suite names others.
        ready_path: asked with GET; answers 200 when it can take work.
        words: where an error's own words stand in its JSON, the best place first.
        model: sent unless the suite names another; None: the key is left out.
        streams: an answer is sent while it is made, unless it is told otherwise.
        ask_to_stream: keys by which it is told.
        ask_for_events: keys by which it is told to stream as server-sent events; None: it cannot.
        socket_path: where it speaks over a WebSocket; "": nowhere.
        stream_formats: what it can stream; None: all of its formats.
        shows_cache: an answer from its cache has no Content-Length, a new one has.
    """

    name: str
    formats: tuple[str, ...]
    voice: str
    ready_path: str
    words: tuple[tuple[str, ...], ...]
    model: str | None = None
    streams: bool = False
    ask_to_stream: Mapping[str, Any] = field(default_factory=lambda: {"stream": True})
    ask_for_events: Mapping[str, Any] | None = None
    socket_path: str = ""
    stream_formats: tuple[str, ...] | None = None
    shows_cache: bool = False


_FASTAPI_WORDS = (("detail", "message"), ("detail", "error"), ("detail", "errors"), ("detail",))
_OPENAI_WORDS = (("error", "message"), ("message",), ("error",), ("detail",))

DIALECTS = {
    "litetts": Dialect(
        name="LiteTTS",
        formats=("wav", "mp3", "flac", "ogg"),
        voice="af_heart",
        # /v1/models is everybody's: another service would be taken for LiteTTS, its streams for cached.
        ready_path="/v1/voices",
        words=_FASTAPI_WORDS,
        shows_cache=True,
    ),
    "kokoro": Dialect(
        name="Kokoro-FastAPI",
        formats=("wav", "mp3", "flac", "opus", "aac", "pcm"),
        voice="af_heart",
        ready_path="/health",
        words=_FASTAPI_WORDS,
        model="kokoro",
        streams=True,
    ),
    "openai": Dialect(
        name="the OpenAI API",
        formats=("wav", "mp3", "flac", "opus", "aac", "pcm"),
        voice="alloy",
        ready_path="/v1/models",
        words=_OPENAI_WORDS,
        model="tts-1",
        streams=True,
        ask_to_stream={"stream_format": "audio"},
        ask_for_events={"stream_format": "sse"},
    ),
    "vllm": Dialect(
        name="vLLM",
        formats=("wav", "mp3", "flac", "opus", "aac", "pcm"),
        voice="vivian",
        ready_path="/health",
        words=_OPENAI_WORDS,
        # Newer versions take `stream` alone for a stream of events, older ones know no `stream_format`.
        ask_to_stream={"stream": True, "stream_format": "audio"},
        ask_for_events={"stream": True, "stream_format": "sse"},
        socket_path="/v1/audio/speech/stream",
        stream_formats=("pcm", "wav"),
    ),
    "sglang_omni": Dialect(
        name="SGLang-Omni",
        formats=("wav", "mp3", "flac", "opus", "aac", "pcm"),
        voice="default",
        ready_path="/health",
        words=_OPENAI_WORDS,
        ask_to_stream={"stream": True, "stream_format": "audio"},
        ask_for_events={"stream": True},
        stream_formats=("pcm",),
    ),
}

USED = tuple(
    request_number(
        f"speech.{name}",
        Dimension.COUNT,
        f"{name.replace('_', ' ')}, as the service says",
        failures=Failures.LEFT_OUT,
    )
    for name in USAGE
)

_PATH = "/v1/audio/speech"
_REFUSED = {401: "auth", 403: "auth", 429: "rejected", 503: "rejected"}
_TEXT_TYPES = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/xml",
    "application/xhtml",
)


class Request(SpeechRequest):
    """``service.request`` of a suite."""

    dialect: Literal["litetts", "kokoro", "openai", "vllm", "sglang_omni"]
    """Whose ways the service has. What follows is the dialect's own unless set."""
    path: str = _PATH
    """Where speech is asked for; over a WebSocket it is the dialect's own unless set."""
    model: str | None = None
    stream: bool | Literal["sse", "websocket"] | None = None
    """Whether it is told to stream, or not to; ``sse``: as server-sent events; ``websocket``: text and audio
    go over a WebSocket; null: it is told nothing."""
    ready_path: str | None = None
    extra: dict[str, str | bool | int | float] = {}
    """Further keys of the request as they stand: ``{instructions: …, lang_code: a}``."""

    @model_validator(mode="before")
    @classmethod
    def _voice_of_the_dialect(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if "dialect" not in value:
            known = ", ".join(f"{name} ({dialect.name})" for name, dialect in DIALECTS.items())
            remedy = f"write service.request.dialect, one of: {known}"
            raise PydanticCustomError("dialect", "whose ways does this service have?", {"remedy": remedy})
        dialect = DIALECTS.get(str(value["dialect"]))
        return {"voices": (dialect.voice,), **value} if dialect else value

    @model_validator(mode="after")
    def _format_of_the_dialect(self) -> Self:
        dialect, formats = self.ways, self.ways.formats
        how = "takes"
        if self.stream in (True, "sse") and dialect.stream_formats is not None:
            formats, how = dialect.stream_formats, "streams"
        if self.format not in formats:
            words = f"{dialect.name} {how} no '{self.format}'"
            raise _refusal("format", self.format, words, f"use one of: {', '.join(formats)}")
        return self

    @model_validator(mode="after")
    def _events_of_the_dialect(self) -> Self:
        if self.stream == "sse" and self.ways.ask_for_events is None:
            can = ", ".join(name for name, dialect in DIALECTS.items() if dialect.ask_for_events is not None)
            remedy = f"write stream: true; events come from the dialects {can}"
            raise _refusal("stream", self.stream, f"{self.ways.name} streams no events", remedy)
        if self.stream == "websocket" and not self.ways.socket_path and self.path == _PATH:
            can = ", ".join(name for name, dialect in DIALECTS.items() if dialect.socket_path)
            remedy = f"write where it does in service.request.path, or take the dialect {can}"
            raise _refusal("stream", self.stream, f"{self.ways.name} has no WebSocket that speaks", remedy)
        return self

    @property
    def socket_path(self) -> str:
        """Where a WebSocket that speaks is asked for."""
        return self.path if self.path != _PATH else self.ways.socket_path

    def config(self, utterance: Utterance) -> dict[str, Any]:
        """How a WebSocket is told to speak."""
        model = self.model or self.ways.model
        return {
            **({} if model is None else {"model": model}),
            "voice": utterance.voice,
            "response_format": self.format,
            # Other formats come as one file a sentence, and it refuses to be told another speed.
            "stream_audio": self.format == "pcm",
            **({} if self.speed == 1 else {"speed": self.speed}),
            **self.extra,
        }

    @property
    def ways(self) -> Dialect:
        """The dialect."""
        return DIALECTS[self.dialect]

    @property
    def is_streamed(self) -> bool:
        return self.ways.streams if self.stream is None else bool(self.stream)

    @property
    def shows_cache(self) -> bool:
        """Whether an answer tells if it came from a cache; a stream has no Content-Length either way."""
        return self.ways.shows_cache and not self.is_streamed

    def labels(self) -> dict[str, tuple[str, ...]]:
        return super().labels() | ({"cache": ("hit", "miss")} if self.shows_cache else {})

    def body(self, utterance: Utterance) -> dict[str, Any]:
        """What is sent to have an utterance spoken."""
        model = self.model or self.ways.model
        streaming: Mapping[str, Any] = {"stream": False}
        if self.stream == "sse":
            streaming = self.ways.ask_for_events or {}
        elif self.stream:
            streaming = self.ways.ask_to_stream
        return {
            **({} if model is None else {"model": model}),
            "input": utterance.text,
            "voice": utterance.voice,
            "response_format": self.format,
            # 1 is everybody's default, and some refuse the key in a stream.
            **({} if self.speed == 1 else {"speed": self.speed}),
            **({} if self.stream is None else streaming),
            **self.extra,
        }


class Client(SpeechClient):
    """One user's way to a speech service."""

    Request = Request

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        return cls.metrics + (USED if getattr(request, "stream", None) in ("sse", "websocket") else ())

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        # A suite read back without its wings keeps the values, but not this model, which all users share.
        asked = service.request
        self._request = asked if isinstance(asked, Request) else Request.model_validate(asked.model_dump())
        # A listener's times are milliseconds, and a loop with hundreds of streams looks later than that.
        self._calls = ServiceCalls(self, stamps="kernel")
        self._is_streamed, self._shows_cache = self._request.is_streamed, self._request.shows_cache

    def ready(self) -> None:
        path = self._request.ready_path or self._request.ways.ready_path
        answer = self._calls.get(path)
        if answer.status == 503:
            raise ServiceError("not_ready", self._words(answer), status=503)
        if answer.status == 404 or (answer.status == 200 and answer.media_type.startswith("text/html")):
            asked, name = f"{self.service.host}{path}", self._request.ways.name
            text = f"{asked} answers {answer.status}: is this {name}? {self._words(answer)}"
            raise ServiceError("bad_answer", text, status=answer.status)
        self._success(answer)

    def speak(self, utterance: Utterance) -> Speech:
        if self._request.stream == "websocket":
            return self._converse(utterance)
        with self.step("speech", "POST", recorded=False) as step:
            body = self._request.body(utterance)
            try:
                answer = self._success(self._calls.post_json(self._request.path, body, step))
                if self._request.stream == "sse":
                    return speech_of_events(answer, self._request, self._request.ways.words)
                kind = self._checked_kind(answer)
            except ServiceError as error:
                name = f"speech{utterance.number}.{self._request.format}"
                error.output = _partial_output(error, name) or error.output
                raise
        whole = "content-length" in answer.headers
        return Speech(
            content=answer.body,
            media_type=kind,
            sent_s=answer.times.connected_s,
            first_byte_s=answer.arrivals[0][0],
            end_s=answer.times.end_s,
            arrivals=answer.arrivals,
            streamed=self._is_streamed and not whole,
            cached=not whole if self._shows_cache else None,
        )

    def _converse(self, utterance: Utterance) -> Speech:
        request = self._request
        with (
            self.step("speech", "GET", recorded=False) as step,
            self._calls.websocket(request.socket_path, step) as socket,
        ):
            if isinstance(socket, Answer):
                self._success(socket)
                raise ServiceError("http_200", f"no WebSocket here: {self._words(socket)}", status=200)
            config = request.config(utterance)
            return speech_of_messages(socket, config, utterance.text, request, request.ways.words)

    def close(self) -> None:
        self._calls.http.close()

    def _success(self, answer: Answer) -> Answer:
        """The answer, if it is a 200.

        Raises:
            ServiceError: ``auth``, ``rejected``, ``validation``, ``server``; ``http_<status>`` for what is
                neither success nor error.
        """
        status = answer.status
        if status == 200:
            return answer
        refused = _REFUSED.get(status)
        if 300 <= status < 400:
            raise ServiceError(f"http_{status}", redirect_words(answer), status=status)
        kinds = {4: "validation", 5: "server"}
        raise ServiceError(
            refused or kinds.get(status // 100, f"http_{status}"),
            self._words(answer),
            rejected=refused == "rejected",
            retry_after_s=retry_after_s(answer) if refused == "rejected" else None,
            status=status,
        )

    def _checked_kind(self, answer: Answer) -> str:
        """The media type of a 200 that may be audio; whether it is, is not said here.

        Raises:
            ServiceError: ``wrong_content``, ``empty_audio``.
        """
        kind = answer.media_type
        # What a type says is not believed: Flask sends audio as text/html. But of raw samples, which may look
        # like text, it tells.
        says_so = self._request.format != "pcm" or kind.startswith(_TEXT_TYPES)
        if answer.body and is_text(answer.body, sure=says_so):
            error = ServiceError(
                "wrong_content", f"{kind or 'no content type'}: {self._words(answer)}", status=200
            )
            error.output = Artifact(answer.body, "answer.txt", kind)
            raise error
        if not answer.body:
            raise ServiceError("empty_audio", "200 without a single byte", status=200)
        return kind

    def _words(self, answer: Answer) -> str:
        """What an answer says for people: the dialect's own words, or the text of a proxy's page."""
        try:
            said = answer.json()
        except ValueError:
            return page_text(answer) or answer.reason or "no reason given"
        return told(said, self._request.ways.words) or answer.reason or "no reason given"


def _refusal(key: str, value: object, words: str, remedy: str) -> ValidationError:
    reason = PydanticCustomError("speech", "{words}", {"words": words, "remedy": remedy})
    details = InitErrorDetails(type=reason, loc=(key,), input=value)
    return ValidationError.from_exception_data("request", [details])


def _partial_output(error: ServiceError, name: str) -> Artifact | None:
    """What came of an answer that was cut off."""
    failure = error.__cause__
    if not isinstance(failure, ClientError) or failure.answer is None or failure.answer.status != 200:
        return None
    return Artifact(failure.answer.body, name, failure.answer.media_type)
