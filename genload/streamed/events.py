"""Speech as server-sent events: OpenAI's (``stream_format: sse``), vLLM-Omni's and SGLang-Omni's.

All send JSON. A piece of audio is ``{"type": "speech.audio.delta", "audio": base64}``, or with SGLang-Omni
``{"object": "audio.speech.chunk", "audio": {"data": base64}}``; the end is ``speech.audio.done``, a
``finish_reason``, or the word ``[DONE]``, with the ``usage`` if there is one. A failure that comes once the
answer has begun is an event, too: ``speech.audio.error``, ``error``, or anything that has an ``error``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from genload.artifacts.answer.paths import found
from genload.client.answer import Answer
from genload.client.errors import BadAnswerError
from genload.client.server_events import EventParser, ServerEvent
from genload.client.service_calls import page_text
from genload.client.words import told
from genload.service import Artifact, ServiceError, Speech
from genload.settings.speech import SpeechRequest
from genload.streamed.description import Events
from genload.streamed.pieces import Pieces

MAX_EVENT_BYTES = 8 * 2**20
"""Of base64: six megabytes of audio in one event are no stream."""

_DELTA, _DONE = "speech.audio.delta", "speech.audio.done"
_ERRORS = ("speech.audio.error", "error")
_CHUNK = "audio.speech.chunk"
_LAST_WORD = b"[DONE]"
_MEDIA_TYPE = "text/event-stream"

Words = Callable[[Any], str]
"""What JSON says for people."""


def speech_of_events(
    answer: Answer, request: SpeechRequest, words: Words = told, meaning: Events | None = None
) -> Speech:
    """The speech in a whole answer of events. Each piece has the arrival of the receive that completed its
    event; of a body that was packed on its way, whose receives do not tell their shares, all has the last.

    Args:
        words: of an event that tells of a failure.
        meaning: of the events; None: they are those above.

    Raises:
        ServiceError: ``wrong_content``: it is none of events; ``error_event``, in the service's words;
            ``truncated``: the end was not said; ``too_large``: an event; ``bad_event``: no JSON object, or
            audio behind the end; ``empty_audio``; and as `Pieces`. `output` is what came.
    """
    pieces = Pieces(request)
    try:
        _check_kind(answer, words)
        _take(answer, _Meaning(pieces, words) if meaning is None else _Described(pieces, words, meaning))
        if not pieces.arrivals:
            raise ServiceError("empty_audio", "events without a single byte of audio", status=200)
    except ServiceError as error:
        error.output = Artifact(answer.body, "answer.txt", answer.media_type)
        raise
    return Speech(
        content=pieces.content,
        media_type=answer.media_type,
        sent_s=answer.times.connected_s,
        first_byte_s=answer.arrivals[0][0],
        end_s=answer.times.end_s,
        arrivals=pieces.arrivals,
        streamed="content-length" not in answer.headers,
        numbers=pieces.usage,
    )


def _check_kind(answer: Answer, words: Words) -> None:
    if answer.media_type == _MEDIA_TYPE:
        return
    came = answer.media_type or "no content type"
    try:
        said = words(answer.json())
    except ValueError:
        is_page = came.startswith("text/")
        said = page_text(answer) if is_page else f"{len(answer.body):,} bytes"
    raise ServiceError("wrong_content", f"events were asked for, and {came} came: {said}", status=200)


def _take(answer: Answer, meaning: _Meaning) -> None:
    parser, start = EventParser(MAX_EVENT_BYTES), 0
    try:
        for when_s, count in _receives(answer):
            for event in parser.feed(answer.body[start : start + count]):
                meaning.take(when_s, event)
            start += count
    except BadAnswerError as error:
        raise ServiceError(error.error_class, error.message, status=200) from None
    if not meaning.ended:
        cut = ", and inside one" if parser.unfinished else ""
        text = f"the events ended without the last one, {meaning.last}{cut}: {meaning.seen} came"
        raise ServiceError("truncated", text, status=200)


class _Meaning:
    """What the events of one answer say, one after the other."""

    last = _DONE

    def __init__(self, pieces: Pieces, words: Words) -> None:
        self._pieces, self._words = pieces, words
        self.ended = False
        self.seen = 0

    def take(self, when_s: float, event: ServerEvent) -> None:
        self.seen += 1
        if event.data == _LAST_WORD:
            self.ended = True
            return
        said = self._object(event)
        kind = said.get("type") or (event.name if event.name != "message" else said.get("object"))
        if kind in _ERRORS or said.get("error"):
            raise ServiceError("error_event", self._words(said), status=200)
        if kind in (_DELTA, _CHUNK):
            self._audio(when_s, said)
        if kind == _DONE or (kind == _CHUNK and said.get("finish_reason")):
            self.ended = True
        if self.ended:
            self._pieces.use(said.get("usage"))

    def _object(self, event: ServerEvent) -> Mapping[str, Any]:
        said: Any = None
        with suppress(ValueError, RecursionError):
            said = msgspec.json.decode(event.data)
        if not isinstance(said, Mapping):
            words = event.data[:200].decode("utf-8", "replace")
            if event.name in _ERRORS:
                raise ServiceError("error_event", words, status=200)
            raise ServiceError("bad_event", f"an event that is no JSON object: {words}", status=200)
        return said

    def _audio(self, when_s: float, said: Mapping[str, Any]) -> None:
        audio: Any = said.get("audio")
        described = said
        if isinstance(audio, Mapping):
            audio, described = audio.get("data"), audio
        elif audio is None and said.get("finish_reason"):
            return
        form = described.get("format") or described.get("response_format")
        self._pieces.describe(form, described.get("sample_rate"), described.get("channels"))
        self._add(when_s, audio)

    def _add(self, when_s: float, audio: Any) -> None:
        if self.ended:
            raise ServiceError("bad_event", "audio came behind the event that said it was done", status=200)
        self._pieces.add_base64(when_s, audio)


class _Described(_Meaning):
    """The same of events that are described."""

    def __init__(self, pieces: Pieces, words: Words, told: Events) -> None:
        super().__init__(pieces, words)
        self._told = told
        self.last = told.done

    def take(self, when_s: float, event: ServerEvent) -> None:
        self.seen += 1
        if event.data == _LAST_WORD:
            self.ended = True
            return
        said, means = self._object(event), self._told
        if event.name in _ERRORS or found(means.failed, said):
            raise ServiceError("error_event", self._words(said), status=200)
        if means.audio.is_in(said):
            self._add(when_s, found(means.audio.path, said))
        if found(means.done, said):
            self.ended = True
            self._pieces.use(said.get("usage"))


def _receives(answer: Answer) -> tuple[tuple[float, int], ...]:
    if sum(count for _, count in answer.arrivals) == len(answer.body):
        return answer.arrivals
    return ((answer.arrivals[-1][0], len(answer.body)),)
