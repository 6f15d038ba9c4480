"""Speech over a WebSocket, as vLLM-Omni has it: ``/v1/audio/speech/stream``.

The client says how it wants to be spoken to (``session.config``), then the text sentence by sentence
(``input.text``, ``input.done``). The service answers what it speaks at once with ``audio.start``, audio, and
``audio.done``, and all of it with ``session.done``. Audio is a binary message, or ``audio.chunk`` with base64
in ``audio_b64``. A failure is an ``error``, an ``audio.done`` that says so, or a closing code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from genload.artifacts.answer.paths import found
from genload.client.errors import ClientError
from genload.client.frames import Closed
from genload.client.websocket import WebSocket
from genload.client.words import told
from genload.service import Artifact, ServiceError, Speech
from genload.settings.speech import SpeechRequest
from genload.streamed.description import Messages
from genload.streamed.events import Words
from genload.streamed.pieces import Pieces

_SENTENCE = re.compile(r"(?s).+?(?:[.!?…]+[\"'”’)]*(?:\s+|$)|[。！？]+\s*|$)")
_FINE = (1000, 1005)
_TRY_AGAIN = 1013


def sentences(text: str) -> list[str]:
    """The parts of a text that end like a sentence, with the spaces behind it; joined they are all of it."""
    return _SENTENCE.findall(text)


def speech_of_messages(
    socket: WebSocket,
    said: Sequence[str],
    request: SpeechRequest,
    words: Words = told,
    meaning: Messages | None = None,
) -> Speech:
    """Have a text spoken, and take the answer to its end.

    Args:
        said: what the service is sent for it.
        words: as for `genload.streamed.events.speech_of_events`.
        meaning: of its messages; None: those above.

    Raises:
        ServiceError: ``error_event``, in the service's words; ``closed_CODE``, ``rejected`` where it is to be
            tried again later; ``truncated``: closed before the end was said; ``bad_event``: no JSON object,
            or no audio where it should be; ``empty_audio``; and as `Pieces` and `WebSocket`. `output` is the
            audio that came.
    """
    pieces = Pieces(request)
    try:
        socket.send(*said)
        end_s = _take(socket, pieces, words, meaning or Messages())
        if not pieces.arrivals:
            raise ServiceError("empty_audio", "messages without a single byte of audio", status=200)
    except ClientError as error:
        raise _with_output(ServiceError(error.error_class, error.message), pieces, request) from error
    except ServiceError as error:
        raise _with_output(error, pieces, request) from None
    return Speech(
        content=pieces.content,
        media_type="",
        sent_s=socket.times.connected_s,
        first_byte_s=socket.times.first_byte_s,
        end_s=end_s,
        arrivals=pieces.arrivals,
        streamed=True,
        numbers=pieces.usage,
    )


def _with_output(error: ServiceError, pieces: Pieces, request: SpeechRequest) -> ServiceError:
    error.output = Artifact(pieces.content, f"answer.{request.format}", "")
    return error


def _take(socket: WebSocket, pieces: Pieces, words: Words, means: Messages) -> float:
    """Take pieces until the end is said; when that was."""
    while True:
        heard = socket.receive()
        if isinstance(heard, Closed):
            raise _closed(heard)
        if isinstance(heard.data, bytes):
            pieces.add(heard.when_s, heard.data)
            continue
        said = _object(heard.data)
        if found(means.failed, said):
            untold = f"{said.get('type')} says that it failed, and not why"
            raise ServiceError(
                "error_event", untold if said.get("error") is True else words(said), status=200
            )
        has_audio = means.audio.is_in(said)
        if has_audio or found(means.start, said):
            pieces.describe(said.get("format"), said.get("sample_rate"), said.get("channels"))
        if has_audio:
            pieces.add_base64(heard.when_s, found(means.audio.path, said))
        if found(means.done, said):
            pieces.use(said.get("usage"))
            return heard.when_s


def _closed(end: Closed) -> ServiceError:
    words = f"closed with {end.code}" + (f": {end.reason}" if end.reason else "")
    if end.code in _FINE:
        return ServiceError("truncated", f"{words}, before its end was said", status=200)
    if end.code == _TRY_AGAIN:
        return ServiceError("rejected", words, rejected=True)
    return ServiceError(f"closed_{end.code}", words)


def _object(text: str) -> Mapping[str, Any]:
    said: Any = None
    with suppress(ValueError, RecursionError):
        said = msgspec.json.decode(text)
    if not isinstance(said, Mapping):
        raise ServiceError("bad_event", f"a message that is no JSON object: {text[:200]}", status=200)
    return said
