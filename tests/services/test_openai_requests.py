"""The speech client against a service with exact answers: what it asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from genload import extensions
from genload.errors import ConfigError
from genload.settings.service import Service

from .scripted_speech import HELLO, SPEECH, WHOLE, Make, failure, request_of


@pytest.mark.parametrize(
    ("request_settings", "keys"),
    [
        ({}, {"response_format": "wav"}),
        ({"stream": True}, {"response_format": "wav", "stream": True}),
        ({"format": "mp3", "speed": 1.5}, {"response_format": "mp3", "speed": 1.5}),
        ({"dialect": "kokoro"}, {"response_format": "wav", "model": "kokoro"}),
        (
            {"dialect": "kokoro", "stream": False},
            {"response_format": "wav", "model": "kokoro", "stream": False},
        ),
        (
            {
                "dialect": "openai",
                "model": "gpt-4o-mini-tts",
                "format": "opus",
                "extra": {"instructions": "Calm."},
            },
            {"response_format": "opus", "model": "gpt-4o-mini-tts", "instructions": "Calm."},
        ),
        (
            {"dialect": "openai", "stream": True},
            {"response_format": "wav", "model": "tts-1", "stream_format": "audio"},
        ),
        (
            {"dialect": "vllm", "stream": True, "format": "pcm", "extra": {"language": "English"}},
            {"response_format": "pcm", "stream": True, "stream_format": "audio", "language": "English"},
        ),
    ],
)
def test_a_request_says_what_the_suite_wants(
    speaking: Make, request_settings: dict[str, Any], keys: dict[str, Any]
) -> None:
    client, service = speaking({SPEECH: [WHOLE]}, request_settings)
    client.request_id = "request-1"
    client.speak(HELLO)

    (sent,) = service.received
    assert (sent.method, sent.path) == ("POST", SPEECH)
    assert json.loads(sent.body) == {"input": "Hello there.", "voice": "af_heart", **keys}
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["x-request-id"] == "request-1"


def test_another_path(speaking: Make) -> None:
    client, service = speaking({"/v1/audio/stream": [WHOLE]}, {"path": "/v1/audio/stream"})
    client.speak(HELLO)
    assert service.received[0].path == "/v1/audio/stream"


def test_a_token_by_reference(speaking: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_TOKEN", "s3cret-of-speech")
    headers = {"Authorization": "Bearer ${env:SPEECH_TOKEN}"}
    refusal = (
        401,
        {"error": {"message": "Incorrect API key provided: s3cret-of-speech", "code": "invalid_api_key"}},
    )
    client, service = speaking({SPEECH: [refusal]}, {"dialect": "openai"}, headers=headers)
    error = failure(client)

    assert service.received[0].headers["authorization"] == "Bearer s3cret-of-speech"
    assert (error.error_class, error.status) == ("auth", 401)
    assert error.message == "Incorrect API key provided: ${env:SPEECH_TOKEN}"


def test_a_suite_that_does_not_say_the_dialect_is_asked_for_it() -> None:
    """Nothing is taken for granted: OpenAI's streams would be told as LiteTTS's answers from its cache."""
    with pytest.raises(ValidationError, match="whose ways does this service have") as caught:
        Service.model_validate({"api": "speech"}, context={"wings": extensions.Wings()})
    (told,) = caught.value.errors()
    assert told["loc"][:1] == ("request",)
    assert "litetts, openai, piper" in told["ctx"]["remedy"]


@pytest.mark.parametrize(
    ("request_keys", "offers"),
    [
        ({"dialect": "litetts"}, []),
        ({"dialect": "kokoro"}, []),
        ({"dialect": "kokoro", "stream": False}, ["{stream: true}"]),
        ({"dialect": "vllm"}, ["{stream: true}", "{stream: sse}", "{stream: websocket}"]),
        (
            {"dialect": "vllm", "format": "mp3"},
            ["{stream: true, format: pcm}", "{stream: sse, format: pcm}", "{stream: websocket}"],
        ),
        ({"dialect": "vllm", "stream": True}, []),
        ({"dialect": "chatterbox"}, []),
    ],
)
def test_who_can_stream_and_is_not_asked_to_is_told_how(
    request_keys: dict[str, Any], offers: list[str]
) -> None:
    assert list(request_of(request_keys).stream_offers()) == offers


def test_a_token_in_clear_is_refused() -> None:
    with pytest.raises(ValidationError, match="in clear"):
        Service.model_validate({"api": "speech", "headers": {"Authorization": "Bearer s3cret"}})


def test_a_token_that_is_not_there_is_a_config_error(speaking: Make) -> None:
    with pytest.raises(ConfigError, match="GENLOAD_ABSENT is not set"):
        speaking({}, headers={"Authorization": "Bearer ${env:GENLOAD_ABSENT}"})
