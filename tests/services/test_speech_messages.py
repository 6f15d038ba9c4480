"""Speech over a WebSocket: known answers, and everything that is none. The client has the frames' tests."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genload.client import ClientError, Times
from genload.client.frames import Closed
from genload.client.websocket import Heard
from genload.described.speech.plan import Plan
from genload.service import ServiceError, Speech, Utterance
from genload.settings.speech import SpeechRequest
from genload.streamed.messages import sentences, speech_of_messages

from .scripted_speech import HELLO, Make, failure, request_of

START = {"type": "audio.start", "format": "pcm", "sample_rate": 24_000, "channels": 1}
DONE = {"type": "audio.done", "error": False}
END = {"type": "session.done", "total_sentences": 1}


def told(*said: Any, form: str = "pcm") -> tuple[Speech, list[str]]:
    """Of a service that says these things a tenth of a second apart, the first at 1.1 s; what it was sent."""
    sent: list[str] = []
    left = iter([(1.1 + n / 10, each) for n, each in enumerate(said)])

    def receive() -> Heard | Closed:
        when_s, each = next(left)
        if isinstance(each, Closed | ClientError):
            if isinstance(each, ClientError):
                raise each
            return each
        return Heard(when_s, json.dumps(each) if isinstance(each, dict) else each)

    socket: Any = SimpleNamespace(
        send=lambda *texts: sent.extend(texts),
        receive=receive,
        times=Times(connected_s=1.0, first_byte_s=1.1),
    )
    request = SpeechRequest.model_validate({"format": form})
    return speech_of_messages(socket, ["one", "two"], request), sent


def chunk(audio: bytes) -> dict[str, Any]:
    return {
        "type": "audio.chunk",
        "audio_b64": b64encode(audio).decode(),
        "sample_rate": 24_000,
        "timestamps": None,
    }


@pytest.mark.parametrize(
    "said",
    [
        [START, b"ab", b"cd", DONE, END],
        [START, chunk(b"ab"), chunk(b"cd"), chunk(b""), DONE, END],
        [START, b"ab", DONE, START, b"cd", DONE, {"type": "news"}, END],
    ],
    ids=["binary", "base64", "by sentence"],
)
def test_audio_has_the_arrival_of_its_message(said: Sequence[Any]) -> None:
    speech, sent = told(*said)
    assert speech.content == b"abcd"
    place = [n for n, each in enumerate(said) if each in (b"ab", b"cd", chunk(b"ab"), chunk(b"cd"))]
    assert speech.arrivals == tuple((pytest.approx(1.1 + n / 10), 2) for n in place)
    assert (speech.sent_s, speech.first_byte_s, speech.streamed) == (1.0, 1.1, True)
    assert speech.end_s == pytest.approx(1.1 + (len(said) - 1) / 10)
    assert sent == ["one", "two"]


@given(st.text("ab .!?…\n\"'", max_size=40))
def test_the_sentences_of_a_text_are_all_of_it(text: str) -> None:
    assert "".join(sentences(text)) == text


def test_sentences_end_where_they_end() -> None:
    assert sentences('"Is it?" He said no... 3.5 of them!') == ['"Is it?" ', "He said no... ", "3.5 of them!"]


@pytest.mark.parametrize(
    ("said", "error_class", "words"),
    [
        ([START, b"ab", {"type": "error", "message": "out of memory"}], "error_event", "out of memory"),
        ([{"type": "error", "message": "Invalid session config"}], "error_event", "Invalid session config"),
        (
            [START, b"ab", {"type": "audio.done", "error": True}],
            "error_event",
            "audio.done says that it failed",
        ),
        ([START, b"ab", DONE, Closed(1000, "")], "truncated", "closed with 1000, before its end was said"),
        ([START, b"ab", Closed(1005, "")], "truncated", "before its end was said"),
        ([Closed(1011, "engine is gone")], "closed_1011", "closed with 1011: engine is gone"),
        ([Closed(1008, "")], "closed_1008", "closed with 1008"),
        ([Closed(1013, "busy")], "rejected", "closed with 1013: busy"),
        (["no JSON"], "bad_event", "no JSON object: no JSON"),
        (["[1]"], "bad_event", "no JSON object: [1]"),
        ([START, {"type": "audio.chunk", "audio_b64": "%%%"}], "bad_base64", "no base64"),
        ([START, {"type": "audio.chunk"}], "bad_event", "in the place of audio"),
        ([START, DONE, END], "empty_audio", "without a single byte"),
        ([START, b"ab", DONE, START | {"format": "wav"}], "format_changed", "was pcm, and is wav"),
        ([START, b"ab", b"OggS\x00\x02" + bytes(20)], "format_changed", "a piece of ogg"),
        ([START | {"sample_rate": 16_000}], "wrong_rate", "pcm.rate_hz: 16000"),
        (
            [START, b"ab", ClientError("protocol", "masked", times=Times())],
            "protocol",
            "masked",
        ),
    ],
)
def test_what_is_no_speech_has_its_class(said: list[Any], error_class: str, words: str) -> None:
    with pytest.raises(ServiceError) as caught:
        told(*said)
    assert caught.value.error_class == error_class and words in caught.value.message
    assert caught.value.rejected == (error_class == "rejected")
    assert caught.value.output is not None
    assert caught.value.output.content == (b"ab" if b"ab" in said else b"")


# --- through the client


def test_a_refused_handshake_is_told_as_any_refusal(speaking: Make) -> None:
    path = "/v1/audio/speech/stream"
    answers = [
        (403, {"detail": "no key"}),
        (503, {"message": "busy"}, {"Retry-After": "3"}),
        (200, {"status": "ok"}),
    ]
    client, service = speaking({path: answers}, {"dialect": "vllm", "stream": "websocket"})
    client.request_id = "request-1"
    assert [failure(client).error_class for _ in range(3)] == ["auth", "rejected", "http_200"]
    sent = service.received[0]
    assert (sent.method, sent.headers["upgrade"], sent.headers["x-request-id"]) == (
        "GET",
        "websocket",
        "request-1",
    )


@pytest.mark.parametrize(
    ("settings", "config"),
    [
        ({}, {"response_format": "wav", "stream_audio": False}),
        ({"format": "pcm"}, {"response_format": "pcm", "stream_audio": True}),
        (
            {"model": "tts", "speed": 1.5, "extra": {"split_granularity": "sentence"}},
            {
                "model": "tts",
                "response_format": "wav",
                "stream_audio": False,
                "speed": 1.5,
                "split_granularity": "sentence",
            },
        ),
    ],
)
def test_how_it_is_told_to_speak(settings: dict[str, Any], config: dict[str, Any]) -> None:
    plan = Plan(request_of({"dialect": "vllm", "stream": "websocket", **settings}))
    values = plan.values(Utterance(1, "One. Two!", "ryan"), "request-1")
    call = plan.call(values)
    assert (call.method, call.path) == ("GET", "/v1/audio/speech/stream")
    assert [json.loads(text) for text in plan.messages(values)] == [
        {"type": "session.config", "voice": "ryan", **config},
        {"type": "input.text", "text": "One. "},
        {"type": "input.text", "text": "Two!"},
        {"type": "input.done"},
    ]


def test_who_has_no_websocket_says_where_or_is_refused() -> None:
    with pytest.raises(ValidationError, match="has no WebSocket that speaks"):
        request_of({"dialect": "openai", "stream": "websocket"})
    elsewhere = request_of({"dialect": "openai", "stream": "websocket", "path": "/tts/stream"})
    assert Plan(elsewhere).call(Plan(elsewhere).values(HELLO, "")).path == "/tts/stream"
