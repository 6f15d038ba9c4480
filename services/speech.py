"""Any speech service that YAML can describe (``service.request.dialect``): text goes out by a call or over a
WebSocket, audio comes back whole or streamed. What there is to say, and how: docs/speech-services.md.
"""

from __future__ import annotations

from genload.artifacts.audio.format import is_text
from genload.client import Answer, ClientError
from genload.client.service_calls import ServiceCalls
from genload.described.call import Sendable
from genload.described.errors import SPEECH
from genload.described.heard import Heard
from genload.described.labels import read_labels
from genload.described.numbers import Number, metrics_of, read_numbers
from genload.described.result import decoded
from genload.described.speech.dialect import EventWay, Socket
from genload.described.speech.plan import KEY, plan_of
from genload.described.speech.request import Request
from genload.described.speech.values import Spoken
from genload.described.values import NOTHING
from genload.service import Artifact, ServiceError, Speech, SpeechClient, Utterance
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Failures, Metric, request_number
from genload.settings.service import Service
from genload.settings.wing_models import RequestSettings
from genload.streamed.events import speech_of_events
from genload.streamed.messages import speech_of_messages
from genload.streamed.pieces import USAGE

USED = tuple(
    request_number(
        f"speech.{name}",
        Dimension.COUNT,
        f"{name.replace('_', ' ')}, as the service says",
        failures=Failures.LEFT_OUT,
    )
    for name in USAGE
)

_TEXT_TYPES = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/xml",
    "application/xhtml",
)


_Prepared = tuple[Utterance, Sendable | None] | tuple[None, None]
_NOTHING: _Prepared = None, None


class Client(SpeechClient):
    """One user's way to a speech service."""

    Request = Request

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        if not isinstance(request, Request):
            return cls.metrics
        used = USED if request.stream in ("sse", "websocket") else ()
        return (*cls.metrics, *used, *metrics_of(request.dialect.numbers, cls.operation))

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._plan = plan_of(service.request.model_dump_json())
        self._request = self._plan.request
        self._told = self._request.dialect
        # A listener's times are milliseconds, and a loop with hundreds of streams looks later than that.
        self._calls = ServiceCalls(self, stamps="kernel")
        self._is_streamed, self._base64 = self._request.is_streamed, self._request.base64
        self._way = self._request.way
        self._prepared: _Prepared = _NOTHING
        self._notes = bool(self._told.numbers or self._told.labels)
        self._cache = self._told.cache if self._request.shows_cache else None

    @classmethod
    def key_of(cls, step: str) -> str:
        return {"ready": f"{KEY}.ready", "speech": KEY}.get(step, "service.request")

    def ready(self) -> None:
        asked = self._plan.ready.filled(NOTHING)
        answer = asked.sent(self._calls)
        expected = self._told.ready.expect
        if answer.status == expected:
            return
        words = self._told.errors.words_of(Heard(answer, f"{KEY}.ready"))
        if answer.status == 503:
            raise ServiceError("not_ready", words, status=503)
        if answer.status == 404 or (answer.status == 200 and answer.media_type.startswith("text/html")):
            text = (
                f"{self.service.host}{asked.path} answers {answer.status}: is this {self._told.name}? {words}"
            )
            raise ServiceError("bad_answer", text, status=answer.status)
        self._success(answer, f"{KEY}.ready")
        if expected is not None:
            raise ServiceError("not_ready", f"status {answer.status}: {words}", status=answer.status)

    def prepare(self, utterance: Utterance, request_id: str) -> None:
        super().prepare(utterance, request_id)
        try:
            self._prepared = utterance, self._plan.call_ahead(utterance, request_id)
        except ServiceError:
            self._prepared = _NOTHING

    def speak(self, utterance: Utterance) -> Speech:
        way = self._way
        if isinstance(way, Socket):
            return self._converse(self._plan.values(utterance, self.request_id), way)
        (made, asked), self._prepared = self._prepared, _NOTHING
        if asked is None or made is not utterance:
            asked = self._plan.call(self._plan.values(utterance, self.request_id))
        with self.step("speech", asked.method, recorded=False) as step:
            try:
                answer = asked.sent(self._calls, step)
                if self._notes:
                    self._note(answer)
                heard = self._success(answer, self._plan.key)
                if isinstance(way, EventWay):
                    return speech_of_events(answer, self._request, self._told.errors.words_in, way.events)
                return self._heard(heard)
            except ServiceError as error:
                name = f"speech{utterance.number}.{self._request.format}"
                error.output = _partial_output(error, name) or error.output
                raise

    def _heard(self, heard: Heard) -> Speech:
        """What the answer to a call has of audio: its body, or what is inside of its JSON."""
        answer, arrivals = heard.answer, heard.answer.arrivals
        streamed = self._is_streamed and answer.headers.raw(b"content-length") is None
        if self._base64 is None:
            content, kind = answer.body, self._checked_kind(heard)
        else:
            inside = decoded(heard, self._base64, "")
            content, kind, streamed = bytes(inside.content), inside.media_type, False
            arrivals = ((arrivals[-1][0], len(content)),)  # there is none before all of it is there
            if not content:
                raise ServiceError("empty_audio", f"nothing at '{self._base64}'", status=200)
        return Speech(
            content=content,
            media_type=kind,
            sent_s=answer.times.connected_s,
            first_byte_s=answer.arrivals[0][0],
            end_s=answer.times.end_s,
            arrivals=arrivals,
            streamed=streamed,
            cached=self._cache.is_hit(answer.headers) if self._cache is not None else None,
            rate_hz=None if self._told.rate is None else _rate_hz(self._told.rate, heard),
        )

    def _note(self, answer: Answer) -> None:
        """Keep the numbers and labels that an answer has, whatever it is, for the request's record."""
        heard = Heard(answer, self._plan.key)
        self.noted.update(read_numbers(self._told.numbers, heard))
        self.labelled.update(read_labels(self._told.labels, heard))

    def _converse(self, values: Spoken, way: Socket) -> Speech:
        asked = self._plan.call(values)
        with (
            self.step("speech", "GET", recorded=False) as step,
            self._calls.websocket(asked.path, step, asked.headers, keep=way.keep) as socket,
        ):
            if isinstance(socket, Answer):
                heard = self._success(socket, self._plan.key)
                text = f"no WebSocket here: {self._told.errors.words_of(heard)}"
                raise ServiceError("http_200", text, status=200)
            said, words = self._plan.messages(values), self._told.errors.words_in
            return speech_of_messages(socket, said, self._request, words, way)

    def close(self) -> None:
        self._calls.http.close()

    def _success(self, answer: Answer, key: str) -> Heard:
        return self._told.errors.check(Heard(answer, key), classes=SPEECH)

    def _checked_kind(self, heard: Heard) -> str:
        """The media type of a 200 that may be audio; whether it is, is not said here.

        Raises:
            ServiceError: ``wrong_content``, ``empty_audio``.
        """
        answer = heard.answer
        kind = answer.media_type
        # What a type says is not believed: Flask sends audio as text/html. But of raw samples, which may look
        # like text, it tells.
        says_so = self._request.format != "pcm" or kind.startswith(_TEXT_TYPES)
        if answer.body and is_text(answer.body, sure=says_so):
            words = f"{kind or 'no content type'}: {self._told.errors.words_of(heard)}"
            error = ServiceError("wrong_content", words, status=200)
            error.output = Artifact(answer.body, "answer.txt", kind)
            raise error
        if not answer.body:
            raise ServiceError("empty_audio", "200 without a single byte", status=200)
        return kind


def _rate_hz(told: Number, heard: Heard) -> int | None:
    """The rate that an answer tells; None where it tells none."""
    rate = told.read(heard)
    return int(rate) if rate is not None and rate >= 1 else None


def _partial_output(error: ServiceError, name: str) -> Artifact | None:
    """What came of an answer that was cut off."""
    failure = error.__cause__
    if not isinstance(failure, ClientError) or failure.answer is None or failure.answer.status != 200:
        return None
    return Artifact(failure.answer.body, name, failure.answer.media_type)
