"""The speech client against the testbed's four APIs, in processes of their own: one client fits them all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pytest

from genload import extensions
from genload.service import ServiceError, SpeechClient, Utterance
from genload.settings.service import Service

pytestmark = pytest.mark.processes

TOKEN = "let-me-in"  # noqa: S105  our own service's
HELLO = "Hello there, how are you today?"
VOICES = {"litetts": "af_heart", "kokoro": "af_heart", "openai": "alloy", "vllm": "af_bella"}
# The class of what each fault makes of an answer, as far as the client sees it.
FAULTS = {
    "reject": "rejected",
    "limit": "rejected",
    "error": "server",
    "html": "wrong_content",
    "json": "wrong_content",
    "empty-audio": "empty_audio",
    "reset": "reset",
    "truncated": "truncated",
}


def client_of(url: str, request: dict[str, Any], **settings: Any) -> SpeechClient:
    data = {"api": "speech", "host": url, "request": {"dialect": "litetts", **request}, **settings}
    service = Service.model_validate(data, context={"wings": extensions.Wings()})
    client: SpeechClient = extensions.attribute("services", "speech", "Client")(service)
    return client


def error_of(url: str, request: dict[str, Any], utterance: Utterance, **settings: Any) -> ServiceError:
    client = client_of(url, request, **settings)
    with pytest.raises(ServiceError) as caught:
        client.speak(utterance)
    client.close()
    return caught.value


@pytest.mark.parametrize("api", VOICES)
def test_each_api_speaks_and_refuses_in_its_dialect(testbed: Callable[..., Any], api: str) -> None:
    url = testbed(api=api, engine="tone", pace="1ms").url
    voice = VOICES[api]
    client = client_of(url, {"dialect": api})
    client.ready()
    speech = client.speak(Utterance(0, HELLO, voice))
    client.close()
    assert speech.media_type == "audio/wav" and speech.content.startswith(b"RIFF")
    assert speech.streamed == (api in ("kokoro", "openai"))
    assert sum(size for _, size in speech.arrivals) == len(speech.content)

    strange = error_of(url, {"dialect": api}, Utterance(1, HELLO, "nobody"))
    assert strange.error_class == "validation" and "nobody" in strange.message
    for fault, error_class in FAULTS.items():
        headers = {"X-Testbed-Fault": fault}
        error = error_of(url, {"dialect": api}, Utterance(2, HELLO, voice), headers=headers)
        assert error.error_class == error_class, (fault, error)
        assert error.rejected == (error_class == "rejected")


def test_streams_of_raw_samples_from_a_vllm(testbed: Callable[..., Any]) -> None:
    url = testbed(api="vllm", engine="tone", pace="1ms").url
    client = client_of(url, {"dialect": "vllm", "stream": True, "format": "pcm"})
    speech = client.speak(Utterance(0, HELLO, "af_bella"))
    client.close()
    # 60 ms of 24 kHz, 16 bits, for each character.
    assert (speech.streamed, len(speech.content)) == (True, round(0.06 * len(HELLO) * 24_000) * 2)


STREAMS = {
    "sse": ("openai", "alloy", FAULTS | {"error-event": "error_event"}),
    "websocket": (
        "vllm",
        "af_bella",
        # A refusal comes as a closing code or a message, for there is no status any more.
        {
            "reject": "rejected",
            "error": "closed_1011",
            "html": "error_event",
            "error-event": "error_event",
            "empty-audio": "empty_audio",
            "reset": "truncated",
            "truncated": "truncated",
        },
    ),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_what_streams_has_the_arrivals_of_the_truth(testbed: Callable[..., Any], stream: str) -> None:
    api, voice, faults = STREAMS[stream]
    running = testbed(api=api, engine="tone", audio="400ms")
    request = {"dialect": api, "stream": stream, "format": "pcm"}
    client, speeches, late_s = client_of(running.url, request), {}, []
    for n in range(3):
        client.request_id = f"request-{n}"
        speeches[client.request_id] = client.speak(Utterance(n, HELLO, voice))
    client.close()
    if stream == "websocket":
        kept = {"extends": api, "ways": {"websocket": {"keep": True}}}
        client, steps = client_of(running.url, request | {"dialect": kept}), []
        client.request_id, client.on_step = "kept", steps.append
        assert {len(client.speak(Utterance(n, HELLO, voice)).content) for n in range(2)} == {19_200}
        assert [step.connect_s > 0 for step in steps] == [True, False]
        client.close()
    for fault, error_class in faults.items():
        headers = {"X-Testbed-Fault": fault}
        error = error_of(running.url, request, Utterance(9, HELLO, voice), headers=headers)
        assert error.error_class == error_class, (fault, error)
    running.end()

    rows = {row["request_id"]: row for row in running.truth_records()}
    for request_id, speech in speeches.items():
        row = rows[request_id]
        written_s = [row["received_s"] + offset_ns / 1e9 for offset_ns in row["chunk_ns"]]
        written = dict(zip(accumulate(row["chunk_bytes"]), written_s, strict=True))
        assert (row["outcome"], row["characters"], len(written)) == ("completed", len(HELLO), 20)
        assert len(speech.content) == row["body_bytes"] == 2 * round(0.4 * 24_000)
        assert speech.sent_s < row["received_s"] < speech.arrivals[0][0] <= speech.end_s
        came = 0
        for when_s, size in speech.arrivals:
            came += size
            # What a busy process read together has the stamp of its last part.
            late_s.append(when_s - written[came])
    # A busy machine holds up many of them, and makes none early.
    assert 0 < min(late_s) < 0.005


def test_a_cache_shows(testbed: Callable[..., Any]) -> None:
    url = testbed(api="litetts", engine="tone", pace="1ms").url
    client = client_of(url, {})
    seen = [
        client.speak(Utterance(n, text, "af_heart")).cached for n, text in enumerate([HELLO, HELLO, "New."])
    ]
    client.close()
    assert seen == [False, True, False]


def test_a_text_over_the_limit_is_the_services_to_refuse(testbed: Callable[..., Any]) -> None:
    url = testbed(api="litetts", engine="tone", pace="1ms").url
    error = error_of(url, {}, Utterance(0, "a" * 5001, "af_heart"))
    assert (error.error_class, error.status) == ("validation", 422)
    assert "5000 characters" in error.message


def test_a_token(testbed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    url = testbed(api="openai", engine="tone", pace="1ms", token=TOKEN).url
    monkeypatch.setenv("SPEECH_TOKEN", TOKEN)
    refused = error_of(url, {"dialect": "openai"}, Utterance(0, HELLO, "alloy"))
    assert (refused.error_class, refused.status) == ("auth", 401)
    client = client_of(url, {"dialect": "openai"}, headers={"Authorization": "Bearer ${env:SPEECH_TOKEN}"})
    assert client.speak(Utterance(1, HELLO, "alloy")).content
    client.close()
