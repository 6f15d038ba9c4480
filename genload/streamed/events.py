"""Speech as server-sent events: OpenAI's (``stream_format: sse``), vLLM-Omni's and SGLang-Omni's.

All send JSON. A piece of audio is ``{"type": "speech.audio.delta", "audio": base64}``, or with SGLang-Omni
``{"object": "audio.speech.chunk", "audio": {"data": base64}}``; the end is ``speech.audio.done``, a
``finish_reason``, or the word ``[DONE]``, with the ``usage`` if there is one. A failure that comes once the
answer has begun is an event, too: ``speech.audio.error``, ``error``, or anything that has an ``error``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from genload.client.answer import Answer
from genload.client.errors import BadAnswerError
from genload.client.server_events import EventParser, ServerEvent
from genload.client.service_calls import page_text
from genload.client.words import told
from genload.service import Artifact, ServiceError, Speech
from genload.settings.speech import SpeechRequest
from genload.streamed.pieces import Pieces

MAX_EVENT_BYTES = 8 * 2**20
"""Of base64: six megabytes of audio in one event are no stream."""

_DELTA, _DONE = "speech.audio.delta", "speech.audio.done"
_ERRORS = ("speech.audio.error", "error")
_CHUNK = "audio.speech.chunk"
_LAST_WORD = b"[DONE]"
_MEDIA_TYPE = "text/event-stream"

Words = tuple[tuple[str, ...], ...]


def speech_of_events(answer: Answer, request: SpeechRequest, words: Words) -> Speech:
    """The speech in a whole answer of events. Each piece has the arrival of the receive that completed its
    event; of a body that was packed on its way, whose receives do not tell their shares, all has the last.

    Args:
        words: where JSON has its words for people, see `genload.client.words.told`.

    Raises:
        ServiceError: ``wrong_content``: it is none of events; ``error_event``, in the service's words;
            ``truncated``: the end was not said; ``too_large``: an event; ``bad_event``: no JSON object, or
            audio behind the end; ``empty_audio``; and as `Pieces`. `output` is what came.
    """
    pieces = Pieces(request)
    try:
        _check_kind(answer, words)
        _take(answer, pieces, words)
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
        words_ = told(answer.json(), words)
    except ValueError:
        is_page = came.startswith("text/")
        words_ = page_text(answer) if is_page else f"{len(answer.body):,} bytes"
    raise ServiceError("wrong_content", f"events were asked for, and {came} came: {words_}", status=200)


def _take(answer: Answer, pieces: Pieces, words: Words) -> None:
    parser, meaning = EventParser(MAX_EVENT_BYTES), _Meaning(pieces, words)
    start = 0
    try:
        for when_s, count in _receives(answer):
            for event in parser.feed(answer.body[start : start + count]):
                meaning.take(when_s, event)
            start += count
    except BadAnswerError as error:
        raise ServiceError(error.error_class, error.message, status=200) from None
    if not meaning.ended:
        cut = ", and inside one" if parser.unfinished else ""
        text = f"the events ended without the last one, {_DONE}{cut}: {meaning.seen} came"
        raise ServiceError("truncated", text, status=200)


class _Meaning:
    """What the events of one answer say, one after the other."""

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
            raise ServiceError("error_event", told(said, self._words), status=200)
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
        if self.ended:
            raise ServiceError("bad_event", "audio came behind the event that said it was done", status=200)
        form = described.get("format") or described.get("response_format")
        self._pieces.describe(form, described.get("sample_rate"), described.get("channels"))
        self._pieces.add_base64(when_s, audio)


def _receives(answer: Answer) -> tuple[tuple[float, int], ...]:
    if sum(count for _, count in answer.arrivals) == len(answer.body):
        return answer.arrivals
    return ((answer.arrivals[-1][0], len(answer.body)),)
