"""Every dialect that there is against an imitation of its service: what is asked, heard, and told of a
failure."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genload import extensions
from genload.artifacts.audio.listener import Heard, Listener
from genload.commands.try_.speech_attempt import SpeechAttempt
from genload.described.speech.dialects import dialect_names
from genload.service import ServiceError, Speech, Utterance
from genload.settings.loader import load_suite
from genload.settings.service import Service

from .imitations import Imitation, served
from .speech_imitations import IMITATIONS, SAMPLES, SECONDS, WAV, Parrot

HELLO = "Hello there."
Speak = Callable[..., tuple[Speech, Heard, Imitation]]


@pytest.fixture
def speak() -> Speak:
    """One utterance of a dialect against its imitation, listened to."""

    def speak(
        dialect: str, trap: str = "", times: int = 1, **request: Any
    ) -> tuple[Speech, Heard, Imitation]:
        with served(IMITATIONS[dialect](trap)) as imitation:
            data = {"api": "speech", "host": imitation.url}
            data["request"] = {"dialect": dialect, "validate": "off", **request}
            service = Service.model_validate(data, context={"wings": extensions.Wings()})
            client = extensions.attribute("services", "speech", "Client")(service)
            client.ready()
            utterance = Utterance(1, HELLO, service.request.voices[0])
            try:
                for _ in range(times):
                    speech = client.speak(utterance)
            finally:
                client.close()
            listener = Listener(service.request, seed=1, registry=None)
            return speech, listener.listen(speech, utterance), imitation

    return speak


def test_each_dialect_has_its_imitation() -> None:
    assert sorted(IMITATIONS) == dialect_names()


@pytest.mark.parametrize(
    ("dialect", "request_keys", "call", "audio", "streamed"),
    [
        ("litetts", {}, "POST /v1/audio/speech", WAV, False),
        ("kokoro", {}, "POST /v1/audio/speech", WAV, True),
        ("kokoro", {"stream": False, "format": "pcm"}, "POST /v1/audio/speech", SAMPLES, False),
        ("openai", {"stream": True}, "POST /v1/audio/speech", WAV, True),
        ("openai", {"stream": "sse", "format": "pcm"}, "POST /v1/audio/speech", SAMPLES, True),
        ("vllm", {}, "POST /v1/audio/speech", WAV, False),
        ("vllm", {"stream": True, "format": "pcm"}, "POST /v1/audio/speech", SAMPLES, True),
        ("vllm", {"stream": "sse", "format": "pcm"}, "POST /v1/audio/speech", SAMPLES, True),
        ("sglang_omni", {"format": "pcm"}, "POST /v1/audio/speech", SAMPLES, False),
        ("sglang_omni", {"stream": True, "format": "pcm"}, "POST /v1/audio/speech", SAMPLES, True),
        ("sglang_omni", {"stream": "sse", "format": "pcm"}, "POST /v1/audio/speech", SAMPLES, True),
        ("fish_speech", {}, "POST /v1/tts", WAV, False),
        ("fish_speech", {"voices": ["anna"], "stream": True}, "POST /v1/tts", WAV, True),
        ("piper", {}, "POST /", WAV, False),
        ("xtts", {}, "POST /tts_to_audio/", WAV, False),
        ("xtts", {"stream": True}, "GET /tts_stream", WAV, True),
        ("xtts", {"stream": True, "extra": {"language": "de"}}, "GET /tts_stream", WAV, True),
        ("cosyvoice", {}, "POST /inference_sft", SAMPLES, True),
        ("chatterbox", {}, "POST /v1/audio/speech", WAV, False),
    ],
)
def test_each_dialect_is_spoken(
    speak: Speak, dialect: str, request_keys: dict[str, Any], call: str, audio: bytes, streamed: bool
) -> None:
    speech, heard, imitation = speak(dialect, **request_keys)

    assert imitation.asked[1:] == [call]  # after the question whether it is ready
    assert speech.content == audio
    assert speech.streamed is streamed and heard.numbers["streamed"] == float(streamed)
    assert heard.numbers["audio_duration_s"] == pytest.approx(SECONDS)
    assert ("stalls" in heard.numbers) is streamed


@pytest.mark.parametrize(
    ("dialect", "error_class", "words"),
    [
        ("litetts", "validation", "Voice 'af_heart' not found"),
        ("kokoro", "validation", "Voice 'af_heart' not found"),
        ("openai", "validation", "no voice alloy"),
        ("vllm", "validation", "Invalid speaker 'vivian'"),
        ("sglang_omni", "validation", "no voice default"),
        ("fish_speech", "validation", "Reference not found"),
        ("piper", "server", "500 Internal Server Error"),
        ("xtts", "validation", "Language code sent is either unsupported"),
        ("cosyvoice", "validation", "body.spk_id: Field required"),
        ("chatterbox", "validation", "Voice file 'Emily.wav' not found."),
    ],
)
def test_what_each_service_says_of_a_failure_is_told_in_its_words(
    speak: Speak, dialect: str, error_class: str, words: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        speak(dialect, "refuses")
    assert caught.value.error_class == error_class and caught.value.message.startswith(words)


def test_litetts_shows_its_cache_and_nobody_else_does(speak: Speak) -> None:
    assert speak("litetts")[0].cached is False
    assert speak("litetts", times=2)[0].cached is True
    assert speak("chatterbox", times=2)[0].cached is None


def test_piper_is_told_how_long_to_take(speak: Speak) -> None:
    assert speak("piper", speed=1.25)[2].jobs["scale"][0] == pytest.approx(0.8)


def test_the_rate_that_a_header_tells_is_the_rate(speak: Speak) -> None:
    _, heard, _ = speak("sglang_omni", format="pcm", pcm={"rate_hz": 16_000})
    assert heard.numbers["audio_duration_s"] == pytest.approx(SECONDS)
    _, heard, _ = speak("cosyvoice", pcm={"rate_hz": 48_000})
    assert heard.numbers["audio_duration_s"] == pytest.approx(SECONDS / 2)


def test_the_document_s_own_service_speaks(tmp_path: Path) -> None:
    document = Path(__file__).parents[2] / "docs" / "speech-services.md"
    _, suite = re.findall(r"^```yaml\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)
    path = tmp_path / "mine.yaml"
    path.write_text(suite, encoding="utf-8")
    with served(Parrot()) as parrot:
        loaded = load_suite(str(path), folders=[], wings=extensions.Wings(), host=parrot.url)
        client = extensions.attribute("services", "speech", "Client")(loaded.suite.service)
        client.ready()
        speech = client.speak(Utterance(1, HELLO, "anna"))
        with pytest.raises(ServiceError, match="validation: nobody is called bert"):
            client.speak(Utterance(2, HELLO, "bert"))
        client.close()
    assert speech.content == WAV and speech.arrivals[-1][1] == len(WAV) and not speech.streamed


def tried(dialect: Any, speech: Speech | None = None) -> list[str]:
    """What a trial of fish-speech says in detail; a speech takes the place of the service's own answer."""
    said: list[str] = []
    view: Any = SimpleNamespace(
        say=lambda *words: None,
        detail=said.append,
        output=lambda *words: None,
        result=lambda result: None,
    )
    with served(IMITATIONS["fish_speech"]("")) as imitation:
        data = {"api": "speech", "host": imitation.url, "request": {"dialect": dialect}}
        service = Service.model_validate(data, context={"wings": extensions.Wings()})
        client = extensions.attribute("services", "speech", "Client")(service)
        if speech is not None:
            client.speak = lambda utterance: speech
        assert SpeechAttempt(client, service, 1, view).run().outcome == "ok"
        client.close()
    return said


@pytest.mark.parametrize(("spread_s", "told"), [(0.5, True), (0.05, False)])
def test_a_trial_says_of_an_answer_that_came_over_time_what_to_say_of_it(spread_s: float, told: bool) -> None:
    arrivals = ((2.0 - spread_s, 1000), (2.0, len(WAV) - 1000))
    speech = Speech(
        content=WAV,
        media_type="audio/wav",
        sent_s=1.0,
        first_byte_s=arrivals[0][0],
        end_s=2.0,
        arrivals=arrivals,
        streamed=False,
    )
    said = tried({"path": "/v1/tts", "json": {"text": "{text}"}}, speech)
    assert any("service.request.dialect.streams: true" in words for words in said) is told


def test_a_trial_of_a_whole_answer_says_how_stalls_could_be_measured() -> None:
    said = tried("fish_speech")
    assert "playback: not applicable: the answer was not streamed" in said
    assert "stalls can be measured of a stream, which it sends with service.request: {stream: true}" in said


def test_a_service_that_is_another_one_is_not_ready(speak: Speak) -> None:
    with served(IMITATIONS["chatterbox"]("")) as other:
        data = {"api": "speech", "host": other.url, "request": {"dialect": "litetts"}}
        service = Service.model_validate(data, context={"wings": extensions.Wings()})
        client = extensions.attribute("services", "speech", "Client")(service)
        with pytest.raises(ServiceError, match=r"/v1/voices answers 404: is this LiteTTS\?"):
            client.ready()
        client.close()
