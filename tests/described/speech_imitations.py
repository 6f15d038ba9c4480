"""Small imitations of speech services that people run, each written from what its source says: its calls,
answers and errors. What a request must hold is demanded of it.
"""

from __future__ import annotations

import io
import json
import math
import struct
import wave
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from .imitations import Asked, Imitation, Told

RATE_HZ = 24_000
SECONDS = 1.0
SAMPLES = b"".join(
    struct.pack("<h", int(9000 * math.sin(n * 0.05) * math.sin(n * 0.0013) ** 2))
    for n in range(int(RATE_HZ * SECONDS))
)
PIECES = 5


def wav() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(SAMPLES)
    return made.getvalue()


WAV = wav()


def chunked(audio: bytes, kind: str | None, **headers: str) -> Told:
    """An answer in chunks, without a length."""
    size = -(-len(audio) // PIECES)
    parts = [audio[at : at + size] for at in range(0, len(audio), size)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    sent: dict[str, Any] = {"Content-Type": kind, "Content-Length": None, "Transfer-Encoding": "chunked"}
    return Told(body, headers=sent | headers)


def whole(audio: bytes, kind: str = "audio/wav") -> Told:
    return Told(audio, headers={"Content-Type": kind})


def events(*said: Any) -> Told:
    body = "".join(f"data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in said)
    return chunked(body.encode(), "text/event-stream")


def base64_parts() -> list[str]:
    return [b64encode(SAMPLES[at : at + 9600]).decode() for at in range(0, len(SAMPLES), 9600)]


class OpenAiShaped(Imitation):
    """What LiteTTS, Kokoro-FastAPI, OpenAI, vLLM, SGLang-Omni and Chatterbox have in common."""

    readiness = "/v1/models"
    voices: tuple[str, ...] = ("alloy",)
    formats: tuple[str, ...] = ("wav", "pcm")
    keys: tuple[str, ...] = ()

    def answer(self, asked: Asked) -> Told:
        if asked.path == self.readiness:
            return Told({"object": "list"})
        if (asked.method, asked.path) != ("POST", "/v1/audio/speech"):
            return Told({"detail": "Not Found"}, 404)
        body = asked.json()
        assert {"input", "voice", "response_format"} <= body.keys() <= {*_KEYS, *self.keys}, body
        if body["voice"] not in self.voices or self.trap:
            return self.refusal(body["voice"])
        assert body["response_format"] in self.formats and "speed" not in body
        return self.speech(body, SAMPLES if body["response_format"] == "pcm" else WAV)

    def speech(self, body: dict[str, Any], audio: bytes) -> Told:
        raise NotImplementedError

    def refusal(self, voice: str) -> Told:
        return Told({"error": {"message": f"no voice {voice}", "type": "invalid_request_error"}}, 400)


_KEYS = ("input", "voice", "response_format", "model")


class LiteTts(OpenAiShaped):
    readiness, voices, formats, keys = "/v1/voices", ("af_heart",), ("wav",), ("stream",)

    def __init__(self, trap: str = "") -> None:
        super().__init__(trap)
        self.cache: set[str] = set()

    def speech(self, body: dict[str, Any], audio: bytes) -> Told:
        known = body["input"] in self.cache
        self.cache.add(body["input"])
        return chunked(audio, "audio/wav") if known else whole(audio)

    def refusal(self, voice: str) -> Told:
        return Told({"detail": {"error": f"Voice '{voice}' not found", "type": "validation_error"}}, 400)


class Kokoro(OpenAiShaped):
    readiness, voices, keys = "/health", ("af_heart",), ("stream",)

    def speech(self, body: dict[str, Any], audio: bytes) -> Told:
        assert body["model"] in ("kokoro", "tts-1", "tts-1-hd")
        return chunked(audio, "audio/wav") if body.get("stream", True) else whole(audio)

    def refusal(self, voice: str) -> Told:
        said = {"error": "validation_error", "message": f"Voice '{voice}' not found", "type": "i"}
        return Told({"detail": said}, 400)


class OpenAi(OpenAiShaped):
    keys = ("stream_format", "stream")

    def speech(self, body: dict[str, Any], audio: bytes) -> Told:
        assert body["model"] == "tts-1"
        if body.get("stream_format") == "sse":
            parts = [{"type": "speech.audio.delta", "audio": part} for part in base64_parts()]
            return events(*parts, {"type": "speech.audio.done", "usage": {"input_tokens": 4}})
        return chunked(audio, "audio/wav")


class Vllm(OpenAiShaped):
    readiness, voices, keys = "/health", ("vivian",), ("stream", "stream_format")

    def speech(self, body: dict[str, Any], audio: bytes) -> Told:
        if not body.get("stream"):
            return whole(audio)
        assert body["response_format"] in ("pcm", "wav")
        if body.get("stream_format", "sse") == "sse":
            parts = [{"type": "speech.audio.delta", "audio": part} for part in base64_parts()]
            return events(*parts, {"type": "speech.audio.done"})
        return chunked(audio, "audio/pcm")

    def refusal(self, voice: str) -> Told:
        return Told({"object": "error", "message": f"Invalid speaker '{voice}'", "code": 400}, 400)


class SglangOmni(OpenAiShaped):
    """Raw samples say their rate in a header; a stream of them is of events unless it is asked for raw."""

    readiness, voices, keys = "/health", ("default",), ("stream", "stream_format")

    def speech(self, body: dict[str, Any], audio: bytes) -> Told:
        if not body.get("stream"):
            return Told(audio, headers={"Content-Type": "audio/pcm", "X-Sample-Rate": str(RATE_HZ)})
        assert body["response_format"] == "pcm"
        if body.get("stream_format") == "audio":
            return chunked(audio, "audio/pcm", **{"X-Sample-Rate": str(RATE_HZ)})
        said: list[Any] = [
            {"object": "audio.speech.chunk", "audio": {"data": part, "format": "pcm"}, "finish_reason": None}
            for part in base64_parts()
        ]
        return events(*said, {"object": "audio.speech.chunk", "finish_reason": "stop"}, "[DONE]")


class Chatterbox(OpenAiShaped):
    """Chatterbox-TTS-Server: rendered whole, and then sent in chunks."""

    readiness, voices, formats = "/get_predefined_voices", ("Emily.wav",), ("wav", "mp3", "opus")

    def speech(self, body: dict[str, Any], audio: bytes) -> Told:
        return chunked(audio, "audio/wav")

    def refusal(self, voice: str) -> Told:
        return Told({"detail": f"Voice file '{voice}' not found."}, 404)


class FishSpeech(Imitation):
    """tools/server/views.py: streams WAV alone; a whole answer comes in chunks as well."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/v1/health":
            return Told({"status": "ok"})
        assert (asked.method, asked.path) == ("POST", "/v1/tts")
        body = asked.json()
        assert body.keys() <= {"text", "format", "reference_id", "streaming"} and body["text"]
        if self.trap or body.get("reference_id") == "nobody":
            return Told({"statusCode": 400, "message": "Reference not found", "error": "Bad Request"}, 400)
        if body.get("streaming") and body["format"] != "wav":
            return Told({"statusCode": 400, "message": "Streaming only supports WAV format"}, 400)
        return chunked(WAV, "audio/wav")


class Piper(Imitation):
    """piper.http_server: Flask, which calls any bytes a page."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/voices":
            return Told({"en_US-lessac-medium": {}})
        assert (asked.method, asked.path) == ("POST", "/")
        body = asked.json()
        assert body.keys() <= {"text", "voice", "length_scale"}
        if self.trap:
            return Told(b"<!doctype html><title>500 Internal Server Error</title>", 500, _PAGE)
        self.jobs["scale"] = (body.get("length_scale", 1.0), b"")
        return Told(WAV, headers=_PAGE)


_PAGE = {"Content-Type": "text/html; charset=utf-8"}


class Xtts(Imitation):
    """xtts-api-server: a file by POST, a stream by GET."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/speakers_list":
            return Told(["female", "male"])
        streams = (asked.method, asked.path) == ("GET", "/tts_stream")
        assert streams or (asked.method, asked.path) == ("POST", "/tts_to_audio/")
        said = asked.query if streams else asked.json()
        assert said.keys() == {"text", "speaker_wav", "language"}
        if self.trap or said["language"] not in ("en", "de"):
            return Told({"detail": "Language code sent is either unsupported or misspelled."}, 400)
        return chunked(WAV, "audio/x-wav") if streams else whole(WAV)


class CosyVoice(Imitation):
    """runtime/python/fastapi: a form, and raw samples that say nothing of themselves."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/openapi.json":
            return Told({"openapi": "3.1.0"})
        assert (asked.method, asked.path) == ("POST", "/inference_sft")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        form = dict(parse_qsl(asked.body.decode()))
        if self.trap:
            missing = {"type": "missing", "loc": ["body", "spk_id"], "msg": "Field required"}
            return Told({"detail": [missing]}, 422)
        assert form.keys() == {"tts_text", "spk_id"}
        return chunked(SAMPLES, None)


class Parrot(Imitation):
    """The service that docs/speech-services.md describes: a form, and base64 in JSON."""

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/status":
            return Told({})
        assert (asked.method, asked.path) == ("POST", "/synthesize")
        form = dict(parse_qsl(asked.body.decode()))
        if form["who"] != "anna":
            return Told({"why": {"text": f"nobody is called {form['who']}"}}, 400)
        assert form == {"sentence": form["sentence"], "who": "anna", "as": "riff"}
        return Told({"result": {"audio": b64encode(WAV).decode()}})


IMITATIONS: dict[str, Callable[[str], Imitation]] = {
    "litetts": LiteTts,
    "kokoro": Kokoro,
    "openai": OpenAi,
    "vllm": Vllm,
    "sglang_omni": SglangOmni,
    "fish_speech": FishSpeech,
    "piper": Piper,
    "xtts": Xtts,
    "cosyvoice": CosyVoice,
    "chatterbox": Chatterbox,
}
"""By the dialect that speaks to it."""
