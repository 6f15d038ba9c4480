"""Speech that comes as server-sent events: known answers, and everything that is none."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genload import extensions
from genload.client import Answer, Headers, Times
from genload.service import ServiceError, Speech
from genload.settings.service import Service
from genload.settings.speech import SpeechRequest
from genload.streamed.events import MAX_EVENT_BYTES, speech_of_events

from .scripted_speech import HELLO, SPEECH, Make, chunked, failure, request_of

USAGE = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
DONE = {"type": "speech.audio.done", "usage": USAGE}
EVENTS = "text/event-stream"


def delta(audio: bytes, **more: Any) -> dict[str, Any]:
    return {"type": "speech.audio.delta", "audio": b64encode(audio).decode(), **more}


def chunk(audio: bytes | None, **more: Any) -> dict[str, Any]:
    """As SGLang-Omni has it."""
    carried = (
        None if audio is None else {"data": b64encode(audio).decode(), "format": "wav", "sample_rate": 24_000}
    )
    return {"id": "speech-1", "object": "audio.speech.chunk", "audio": carried, "finish_reason": None, **more}


def wire(*events: Any, named: bool = False) -> bytes:
    """Events as they are sent; a text goes as it stands."""
    lines = []
    for event in events:
        name = f"event: {event['type']}\n" if named and not isinstance(event, str) else ""
        lines.append(f"{name}data: {event if isinstance(event, str) else json.dumps(event)}\n\n")
    return "".join(lines).encode()


def speech_of(*pieces: bytes, form: str = "pcm", kind: str = EVENTS, **pcm: int) -> Speech:
    """Of a body whose pieces came a tenth of a second apart, the first at 1.1 s."""
    arrivals = tuple((1.1 + n / 10, len(piece)) for n, piece in enumerate(pieces) if piece)
    times = Times(start_s=0.9, connected_s=1.0, sent_s=1.0, end_s=1.1 + len(pieces) / 10)
    headers = Headers(
        [(b"Content-Type", f"{kind}; charset=utf-8".encode()), (b"Transfer-Encoding", b"chunked")]
    )
    answer = Answer(200, "OK", headers, b"".join(pieces), arrivals, times, 0, 0, False)
    return speech_of_events(answer, SpeechRequest.model_validate({"format": form, "pcm": pcm}))


def error_of(*pieces: bytes, **asked: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        speech_of(*pieces, **asked)
    assert caught.value.output is not None and caught.value.output.content == b"".join(pieces)
    return caught.value


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_audio_has_the_arrival_of_the_receive_that_completed_its_event(named: bool) -> None:
    one, two, three = (wire(delta(bytes([n]) * 10 * n), named=named) for n in (1, 2, 3))
    speech = speech_of(one + two, three[:20], b"", three[20:], wire(DONE, named=named))
    assert speech.content == bytes([1] * 10 + [2] * 20 + [3] * 30)
    assert speech.arrivals == ((1.1, 30), (pytest.approx(1.4), 30))
    assert (speech.sent_s, speech.first_byte_s, speech.end_s) == (1.0, 1.1, pytest.approx(1.6))
    assert (speech.streamed, speech.media_type) == (True, EVENTS)
    assert speech.numbers == USAGE


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        ([delta(b"ab"), DONE], USAGE),
        ([delta(b"ab"), DONE, "[DONE]"], USAGE),
        ([delta(b"ab"), {"type": "speech.audio.done"}], {}),
        (
            [
                delta(b"ab"),
                {"type": "speech.audio.done", "usage": {"input_tokens": True, "total_tokens": "9"}},
            ],
            {},
        ),
        ([delta(b"ab"), "[DONE]"], {}),
        (
            [
                {"type": "speech.audio.begin"},
                delta(b"a"),
                {"type": "x", "audio": {"url": 1}},
                delta(b"b"),
                DONE,
            ],
            USAGE,
        ),
        ([delta(b"", response_format="pcm"), delta(b"ab", response_format="pcm"), DONE], USAGE),
        (
            [
                chunk(b"ab"),
                chunk(None, finish_reason="stop", usage={"prompt_tokens": 3, "completion_tokens": 4}),
                "[DONE]",
            ],
            {"input_tokens": 3.0, "output_tokens": 4.0},
        ),
    ],
)
def test_every_service_says_it_in_its_way(events: list[Any], usage: dict[str, float]) -> None:
    speech = speech_of(wire(*events), form="wav")
    assert (speech.content, speech.numbers) == (b"ab", usage)


@given(
    st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=8),
    st.lists(st.integers(0, 10_000), max_size=10),
)
def test_however_the_events_are_cut_the_audio_is_the_same(audio: list[bytes], places: list[int]) -> None:
    body = wire(*(delta(piece) for piece in audio), DONE)
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    speech = speech_of(*(body[a:b] for a, b in pairwise(edges)))
    assert speech.content == b"".join(audio)
    assert sum(size for _, size in speech.arrivals) == len(speech.content)
    assert [when for when, _ in speech.arrivals] == sorted({when for when, _ in speech.arrivals})


def test_of_a_packed_body_nobody_knows_which_receive_brought_what() -> None:
    body = wire(delta(b"ab"), delta(b"cd"), DONE)
    times = Times(connected_s=1.0, end_s=3.0)
    headers = Headers([(b"Content-Type", EVENTS.encode()), (b"Content-Encoding", b"gzip")])
    packed = len(gzip.compress(body))
    answer = Answer(200, "", headers, body, ((2.0, 10), (3.0, packed - 10)), times, 0, 0, False)
    assert speech_of_events(answer, SpeechRequest(format="pcm")).arrivals == ((3.0, 4),)


@pytest.mark.parametrize(
    ("body", "error_class", "words"),
    [
        # The end is not said, wherever it stops.
        (wire(delta(b"ab")), "truncated", "without the last one, speech.audio.done: 1 came"),
        (wire(delta(b"ab"), DONE)[:-1], "truncated", "and inside one: 1 came"),
        (b"", "truncated", "0 came"),
        (b": keep-alive\n\n", "truncated", "0 came"),
        # The service's own words, in each of their places.
        (
            wire(delta(b"ab"), {"type": "speech.audio.error", "error": {"message": "CUDA out of memory"}}),
            "error_event",
            "CUDA out of memory",
        ),
        (wire({"type": "error", "message": "no engine"}), "error_event", "no engine"),
        (b'event: error\ndata: {"message": "slot lost"}\n\n', "error_event", "slot lost"),
        (b"event: error\ndata: slot lost\n\n", "error_event", "slot lost"),
        (wire(delta(b"ab"), {"error": "EngineDeadError"}, DONE), "error_event", "EngineDeadError"),
        # What is no audio.
        (wire({"type": "speech.audio.delta", "audio": "%%%%"}, DONE), "bad_base64", "no base64"),
        (wire({"type": "speech.audio.delta", "audio": "YWI"}, DONE), "bad_base64", "no base64"),
        (wire({"type": "speech.audio.delta", "audio": "Grüße"}, DONE), "bad_base64", "no base64"),
        (wire({"type": "speech.audio.delta", "audio": 7}, DONE), "bad_event", "int in the place of audio"),
        (wire({"type": "speech.audio.delta"}, DONE), "bad_event", "NoneType in the place of audio"),
        (wire("no JSON", DONE), "bad_event", "no JSON object: no JSON"),
        (wire("[1, 2]", DONE), "bad_event", "no JSON object: [1, 2]"),
        (wire("[" * 100_000, DONE), "bad_event", "no JSON object"),
        (wire(delta(b"ab"), DONE, delta(b"cd")), "bad_event", "behind the event that said it was done"),
        (wire(DONE), "empty_audio", "without a single byte"),
        (wire(delta(b""), DONE), "empty_audio", "without a single byte"),
        # Another format in the middle of it.
        (
            wire(delta(b"ab", response_format="pcm"), delta(b"cd", response_format="mp3"), DONE),
            "format_changed",
            "its format was pcm, and is mp3",
        ),
        (
            wire(delta(b"ab", sample_rate=24_000), delta(b"cd", sample_rate=16_000), DONE),
            "format_changed",
            "its sample rate was 24000, and is 16000",
        ),
        (
            wire(delta(b"ab"), delta(b"fLaC\x00\x00\x00\x22" + bytes(34)), DONE),
            "format_changed",
            "a piece of flac",
        ),
        (wire(delta(b"ab"), delta(b"RIFF\0\0\0\0WAVEfmt "), DONE), "format_changed", "a piece of wav"),
        (wire(delta(b"ab", sample_rate=22_050), DONE), "wrong_rate", "pcm.rate_hz: 22050"),
        (wire(delta(b"ab", channels=2), DONE), "wrong_channels", "pcm.channels: 2"),
    ],
)
def test_what_is_no_stream_of_speech_has_its_class(body: bytes, error_class: str, words: str) -> None:
    error = error_of(body)
    assert (error.error_class, error.status) == (error_class, 200)
    assert words in error.message


def test_files_one_behind_the_other_are_no_change_of_format() -> None:
    head = b"RIFF\0\0\0\0WAVEfmt "
    assert speech_of(wire(delta(head), delta(head), DONE), form="wav").content == head * 2


def test_an_event_of_10_mb_is_too_large() -> None:
    body = wire(delta(bytes(10_000_000)), DONE)
    assert len(body) > MAX_EVENT_BYTES
    assert error_of(body[:5_000_000], body[5_000_000:]).error_class == "too_large"


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (
            b'{"message": "busy"}',
            "application/json",
            "events were asked for, and application/json came: busy",
        ),
        (b"<h1>Welcome</h1>", "text/html", "text/html came: Welcome"),
        (bytes(2000), "audio/wav", "audio/wav came: 2,000 bytes"),
    ],
)
def test_an_answer_that_is_none_of_events_is_the_wrong_content(body: bytes, kind: str, words: str) -> None:
    error = error_of(body, kind=kind)
    assert error.error_class == "wrong_content" and words in error.message


# --- through the client


@pytest.mark.parametrize(
    ("request_settings", "keys"),
    [
        ({"dialect": "openai"}, {"model": "tts-1", "response_format": "wav", "stream_format": "sse"}),
        (
            {"dialect": "vllm", "format": "pcm"},
            {"response_format": "pcm", "stream": True, "stream_format": "sse"},
        ),
        ({"dialect": "sglang_omni", "format": "pcm"}, {"response_format": "pcm", "stream": True}),
    ],
)
def test_each_dialect_is_asked_for_events(
    speaking: Make, request_settings: dict[str, Any], keys: dict[str, Any]
) -> None:
    answer = chunked(wire(delta(b"ab")), wire(DONE), kind=EVENTS)
    client, service = speaking({SPEECH: [answer]}, {**request_settings, "stream": "sse"})
    speech = client.speak(HELLO)
    (sent,) = service.received
    assert json.loads(sent.body) == {"input": "Hello there.", "voice": "af_heart", **keys}
    assert (speech.content, speech.streamed, speech.numbers) == (b"ab", True, USAGE)


def test_a_stream_of_events_that_is_cut_off_is_truncated(speaking: Make) -> None:
    answers = [chunked(wire(delta(b"ab")), end=b"", kind=EVENTS), chunked(wire(delta(b"ab")), kind=EVENTS)]
    client, _ = speaking({SPEECH: answers}, {"dialect": "openai", "stream": "sse"})
    for _ in answers:
        error = failure(client)
        assert error.error_class == "truncated"
        assert error.output is not None and b"speech.audio.delta" in error.output.content


def test_a_refusal_before_the_stream_is_told_as_ever(speaking: Make) -> None:
    client, _ = speaking(
        {SPEECH: [(429, {"error": {"message": "slow down"}})]}, {"dialect": "openai", "stream": "sse"}
    )
    error = failure(client)
    assert (error.error_class, error.message, error.rejected) == ("rejected", "slow down", True)


@pytest.mark.parametrize("dialect", ["litetts", "kokoro"])
def test_who_streams_no_events_cannot_be_asked_for_them(dialect: str) -> None:
    with pytest.raises(ValidationError, match="streams no events") as caught:
        request_of({"dialect": dialect, "stream": "sse"})
    assert "openai, sglang_omni, vllm" in caught.value.errors()[0]["ctx"]["remedy"]


def test_what_it_used_is_a_metric_of_those_who_are_asked_for_events() -> None:
    wings = extensions.Wings()

    def names(**request: Any) -> set[str]:
        data = {"api": "speech", "request": {"dialect": "openai", **request}}
        service = Service.model_validate(data, context={"wings": wings})
        return {metric.name for metric in wings.request_metrics("speech", service.request)}

    assert names(stream="sse") - names() == {f"speech.{name}" for name in USAGE}
