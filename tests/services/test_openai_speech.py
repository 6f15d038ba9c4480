"""The speech client against a service with exact answers: how each dialect answers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from genload import extensions
from genload.service import ServiceError, Speech, Step
from genload.settings.service import Service

from .scripted_speech import HELLO, PAGE, SPEECH, WAV, WHOLE, Make, chunked, failure, request_of

# --- dialects: voices, formats, labels


@pytest.mark.parametrize(
    ("dialect", "voice"),
    [("litetts", "af_heart"), ("kokoro", "af_heart"), ("openai", "alloy"), ("vllm", "vivian")],
)
def test_each_dialect_has_its_voice(dialect: str, voice: str) -> None:
    assert request_of({"dialect": dialect}).voices == (voice,)
    assert request_of({"dialect": dialect, "voices": ["mine"]}).voices == ("mine",)


@pytest.mark.parametrize(
    ("settings", "message", "remedy"),
    [
        ({"dialect": "litetts", "format": "pcm"}, "LiteTTS takes no 'pcm'", "wav, mp3, flac, ogg"),
        ({"dialect": "litetts", "format": "opus"}, "LiteTTS takes no 'opus'", "wav, mp3"),
        ({"dialect": "kokoro", "format": "ogg"}, "Kokoro-FastAPI takes no 'ogg'", "pcm"),
        ({"dialect": "openai", "format": "ogg"}, "the OpenAI API takes no 'ogg'", "opus"),
        ({"dialect": "vllm", "stream": True, "format": "mp3"}, "vLLM streams no 'mp3'", "pcm, wav"),
    ],
)
def test_a_format_that_the_service_refuses_is_a_config_error(
    settings: dict[str, Any], message: str, remedy: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        request_of(settings)
    (error,) = caught.value.errors()
    assert (error["msg"], error["loc"]) == (message, ("format",))
    assert remedy in error["ctx"]["remedy"]


def test_vllm_answers_whole_in_every_format() -> None:
    assert request_of({"dialect": "vllm", "format": "mp3"}).format == "mp3"


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ({}, {"voice": ("af_heart",), "cache": ("hit", "miss")}),
        ({"stream": True}, {"voice": ("af_heart",), "cache": ("hit", "miss")}),
        ({"dialect": "kokoro"}, {"voice": ("af_heart",)}),
        (
            {"voices": ["a", "b"], "texts": {"lengths": ["short"], "repeats": "20%"}},
            {"voice": ("a", "b"), "length": ("short",), "text": ("new", "repeat"), "cache": ("hit", "miss")},
        ),
    ],
)
def test_the_labels_of_its_records(settings: dict[str, Any], labels: dict[str, tuple[str, ...]]) -> None:
    service = Service.model_validate(
        {"api": "speech", "request": {"dialect": "litetts", **settings}},
        context={"wings": extensions.Wings()},
    )
    assert extensions.Wings().labels(service) == labels


# --- answers


def test_a_whole_answer(speaking: Make) -> None:
    client, _ = speaking({SPEECH: [WHOLE]})
    steps: list[Step] = []
    client.on_step = steps.append
    speech: Speech = client.speak(HELLO)

    assert (speech.content, speech.media_type) == (WAV, "audio/wav")
    assert (speech.streamed, speech.cached) == (False, False)
    assert sum(size for _, size in speech.arrivals) == len(WAV)
    assert speech.sent_s < speech.first_byte_s == speech.arrivals[0][0] <= speech.end_s
    (step,) = steps
    assert (step.name, step.method, step.status, step.recorded) == ("speech", "POST", 200, False)
    assert step.bytes_received > len(WAV) and step.bytes_sent > 100


@pytest.mark.parametrize(
    ("request_settings", "answer", "streamed", "cached"),
    [
        ({}, WHOLE, False, False),
        ({}, chunked(WAV), False, True),  # LiteTTS answers from its cache in chunks, and otherwise never
        ({"stream": True}, chunked(WAV), False, True),  # nor when it is told to stream
        ({"dialect": "kokoro"}, chunked(WAV[:50], WAV[50:]), True, None),
        ({"dialect": "kokoro"}, WHOLE, False, None),  # something between held it back
        ({"dialect": "kokoro", "stream": False}, WHOLE, False, None),
        ({"dialect": "vllm", "stream": True}, chunked(WAV), True, None),
        ({"dialect": "vllm"}, chunked(WAV), False, None),
    ],
)
def test_streamed_or_whole_new_or_cached(
    speaking: Make, request_settings: dict[str, Any], answer: Any, streamed: bool, cached: bool | None
) -> None:
    client, _ = speaking({SPEECH: [answer]}, request_settings)
    speech = client.speak(HELLO)
    assert (speech.content, speech.streamed, speech.cached) == (WAV, streamed, cached)


def test_raw_audio_may_begin_like_json(speaking: Make) -> None:
    samples = b'{"\x00\x01' * 100
    client, _ = speaking(
        {SPEECH: [chunked(samples, kind="audio/pcm")]}, {"dialect": "kokoro", "format": "pcm"}
    )
    assert client.speak(HELLO).content == samples


@pytest.mark.parametrize(
    "kind",
    [
        "audio/wav; rate=24000",
        "application/octet-stream",
        None,
        "text/html; charset=utf-8",
        "application/json",
    ],
)
def test_audio_by_any_name(speaking: Make, kind: str | None) -> None:
    client, _ = speaking({SPEECH: [(200, WAV, {"Content-Type": kind})]})
    assert client.speak(HELLO).content == WAV


def test_raw_audio_that_says_it_is_a_page_is_judged_by_its_bytes(speaking: Make) -> None:
    samples, words = bytes(range(256)) * 4, b"Internal Server Error"
    answers = [(200, body, {"Content-Type": "text/html"}) for body in (samples, words)]
    client, _ = speaking({SPEECH: answers}, {"dialect": "kokoro", "format": "pcm"})
    assert client.speak(HELLO).content == samples
    error = failure(client)
    assert (error.error_class, error.message) == ("wrong_content", "text/html: Internal Server Error")


# --- failures, in each dialect's own words


@pytest.mark.parametrize(
    ("dialect", "status", "body", "error_class", "words"),
    [
        (
            "litetts",
            400,
            {"detail": {"error": "Voice 'x' not found", "type": "v"}},
            "validation",
            "Voice 'x' not found",
        ),
        (
            "litetts",
            400,
            {"detail": {"errors": ["too long", "no voice"]}},
            "validation",
            "too long; no voice",
        ),
        (
            "litetts",
            422,
            {"detail": [{"loc": ["body", "input"], "msg": "Field required", "type": "missing"}]},
            "validation",
            "body.input: Field required",
        ),
        ("litetts", 500, {"detail": "Audio generation failed"}, "server", "Audio generation failed"),
        (
            "kokoro",
            400,
            {"detail": {"error": "validation_error", "message": "Voice 'x' not found", "type": "i"}},
            "validation",
            "Voice 'x' not found",
        ),
        ("openai", 403, {"error": {"message": "no", "type": "t", "param": None, "code": None}}, "auth", "no"),
        ("openai", 404, {"error": {"message": "no such model"}}, "validation", "no such model"),
        (
            "vllm",
            400,
            {"object": "error", "message": "bad speaker", "code": 400},
            "validation",
            "bad speaker",
        ),
        ("vllm", 500, {"error": "EngineDeadError"}, "server", "EngineDeadError"),
        ("litetts", 502, PAGE, "server", "502 Bad Gateway nginx"),
        ("litetts", 413, b"", "validation", "Whatever"),
        ("litetts", 307, b"", "http_307", "redirected to nowhere"),
        ("litetts", 204, b"", "http_204", "Whatever"),
        ("litetts", 500, {}, "server", "{}"),
        ("litetts", 500, {"detail": {"error": {"msg": "deep"}}}, "server", "deep"),
    ],
)
def test_a_refusal_has_a_class_and_the_services_words(
    speaking: Make, dialect: str, status: int, body: Any, error_class: str, words: str
) -> None:
    client, _ = speaking({SPEECH: [(status, body)]}, {"dialect": dialect})
    steps: list[Step] = []
    client.on_step = steps.append
    error = failure(client)
    assert (error.error_class, error.status, error.rejected, error.output) == (
        error_class,
        status,
        False,
        None,
    )
    assert error.message.startswith(words)
    assert (steps[0].error_class, steps[0].status) == (error_class, status)


@pytest.mark.parametrize(
    ("status", "body", "headers", "pause_s"),
    [
        (429, {"error": {"message": "busy"}}, {"Retry-After": "3"}, 3.0),
        (503, {"detail": "busy", "retry_after": 5}, {}, 5.0),
        (503, b"busy", {}, None),
    ],
)
def test_no_capacity_is_a_rejection(
    speaking: Make, status: int, body: Any, headers: dict[str, str], pause_s: float | None
) -> None:
    client, _ = speaking({SPEECH: [(status, body, headers)]}, {"dialect": "openai"})
    error = failure(client)
    assert (error.error_class, error.rejected, error.retry_after_s) == ("rejected", True, pause_s)
    assert error.message == "busy"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((200, {"detail": "queue is full"}), "application/json", "application/json: queue is full"),
        ((200, b"<html>Welcome</html>"), "text/html", "text/html: Welcome"),
        (
            (200, b"data: {}\n\n", {"Content-Type": "text/event-stream"}),
            "text/event-stream",
            "text/event-stream: data",
        ),
        ((200, {"error": "x"}, {"Content-Type": "audio/wav"}), "audio/wav", "audio/wav: x"),
        ((200, b" <!DOCTYPE html><p>Hi", {"Content-Type": None}), "", "no content type: Hi"),
    ],
)
def test_text_with_a_200_is_the_wrong_content(speaking: Make, answer: Any, kind: str, words: str) -> None:
    client, _ = speaking({SPEECH: [answer]})
    error = failure(client)
    assert (error.error_class, error.status) == ("wrong_content", 200)
    assert error.message.startswith(words)
    assert error.output is not None and error.output.media_type == kind


@pytest.mark.parametrize("body", [b'{"error": "no engine"}', b"<html>no engine</html>"])
def test_text_in_the_place_of_raw_audio_is_the_wrong_content(speaking: Make, body: bytes) -> None:
    client, _ = speaking(
        {SPEECH: [(200, body, {"Content-Type": "audio/pcm"})]}, {"dialect": "kokoro", "format": "pcm"}
    )
    assert failure(client).error_class == "wrong_content"


@pytest.mark.parametrize("answer", [(200, b"", {"Content-Type": "audio/wav"}), chunked()])
def test_a_200_without_a_byte_is_empty_audio(speaking: Make, answer: Any) -> None:
    client, _ = speaking({SPEECH: [answer]})
    assert failure(client).error_class == "empty_audio"


def test_what_came_of_a_truncated_answer_is_kept(speaking: Make) -> None:
    client, _ = speaking({SPEECH: [chunked(WAV[:100], end=b"")]}, {"dialect": "kokoro"})
    steps: list[Step] = []
    client.on_step = steps.append
    error = failure(client)
    assert error.error_class == "truncated"
    assert error.output is not None
    assert (error.output.content, error.output.name) == (WAV[:100], "speech7.wav")
    assert error.output.media_type == "audio/wav"
    assert steps[0].bytes_received > 100


def test_no_answer_at_all_is_a_reset(speaking: Make) -> None:
    client, _ = speaking({SPEECH: [None]})
    error = failure(client)
    assert (error.error_class, error.output) == ("reset", None)


def test_more_than_the_suite_takes_is_too_large(speaking: Make) -> None:
    client, _ = speaking({SPEECH: [WHOLE]}, max_answer_bytes="100B")
    assert failure(client).error_class == "too_large"


def test_a_service_that_is_not_there_refuses(speaking: Make, dead_port: int) -> None:
    client, _ = speaking({}, host=f"http://127.0.0.1:{dead_port}")
    assert failure(client).error_class == "refused"


def test_a_used_up_deadline_is_a_timeout(speaking: Make) -> None:
    client, service = speaking({SPEECH: [WHOLE]})
    client.deadline_s = 0.0
    assert failure(client).error_class == "timeout"
    assert service.received == []


# --- readiness


@pytest.mark.parametrize(
    ("request_settings", "path"),
    [
        ({}, "/v1/voices"),
        ({"dialect": "kokoro"}, "/health"),
        ({"dialect": "vllm"}, "/health"),
        ({"dialect": "openai"}, "/v1/models"),
        ({"ready_path": "/up"}, "/up"),
    ],
)
def test_each_dialect_is_asked_where_it_answers(
    speaking: Make, request_settings: dict[str, Any], path: str
) -> None:
    client, service = speaking({path: [{"status": "healthy"}]}, request_settings)
    client.ready()
    assert [(sent.method, sent.path) for sent in service.received] == [("GET", path)]


def test_an_empty_200_is_ready_too(speaking: Make) -> None:
    client, service = speaking({"/health": [(200, b"", {"Content-Type": None})]}, {"dialect": "vllm"})
    client.ready()
    assert [sent.path for sent in service.received] == ["/health"]


@pytest.mark.parametrize(
    ("answer", "error_class", "words"),
    [
        ((503, {"detail": "loading the model"}), "not_ready", "loading the model"),
        (
            (404, {"detail": "Not Found"}),
            "bad_answer",
            "{host}/v1/voices answers 404: is this LiteTTS? Not Found",
        ),
        (
            b"<title>Welcome to nginx!</title>",
            "bad_answer",
            "{host}/v1/voices answers 200: is this LiteTTS? Welcome",
        ),
        ((401, {"detail": "no key"}), "auth", "no key"),
        ((500, {"detail": "broken"}), "server", "broken"),
        (None, "reset", ""),
    ],
)
def test_not_ready_says_why(speaking: Make, answer: Any, error_class: str, words: str) -> None:
    client, _ = speaking({"/v1/voices": [answer]})
    with pytest.raises(ServiceError) as caught:
        client.ready()
    assert caught.value.error_class == error_class
    assert caught.value.message.startswith(words.format(host=client.service.host))
