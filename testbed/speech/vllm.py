"""vLLM's speech API (vLLM-Omni): whole answers, events, or raw samples; any wrong request is a 400."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from .dialect import SOCKET_PATH, Dialect, RefusedError, Wanted, json_of, media_type, models_page
from .encoding import Format
from .wire import Headers, Page, Request

_MODEL = "tts"
_KINDS = {
    400: "BadRequestError",
    404: "NotFoundError",
    500: "InternalServerError",
}


class _Body(BaseModel):
    input: str
    model: str | None = None
    voice: str | None = None
    response_format: Literal["wav", "pcm", "flac", "mp3", "aac", "opus"] = "wav"
    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    stream: bool = False
    stream_format: Literal["sse", "audio"] | None = None


class Vllm(Dialect):
    socket_path = SOCKET_PATH

    def pages(self) -> Mapping[str, Callable[[], Page]]:
        return {
            "/health": lambda: Page(200, b"", "text/plain"),
            "/v1/audio/voices": lambda: Page.of({"voices": list(self.voices)}),
            "/v1/models": lambda: models_page(_MODEL),
            "/metrics": self._metrics,
        }

    def read(self, request: Request) -> Wanted:
        try:
            body = _Body.model_validate(json_of(request))
        except ValidationError as error:
            raise self._mistake(str(error.errors(include_url=False))) from None
        except ValueError as error:
            raise self._mistake(f"JSON decode error: {error}") from None
        voice = body.voice or self.voices[0]
        if voice not in self.voices:
            raise self._mistake(f"Invalid speaker '{voice}'. Supported: {', '.join(self.voices)}")
        if not body.input.strip():
            raise self._mistake("Input text cannot be empty")
        form, streamed = Format(body.response_format), body.stream or body.stream_format is not None
        if streamed and form not in (Format.PCM, Format.WAV):
            raise self._mistake(f"Streaming needs response_format='pcm' or 'wav', not '{form}'")
        return Wanted(
            body.input,
            voice,
            form,
            body.speed,
            streamed=streamed,
            media_type=media_type(form),
            events=streamed and body.stream_format != "audio",
        )

    def error(self, status: int, message: str, headers: Headers | None = None) -> Page:
        if status == HTTPStatus.UNAUTHORIZED:
            return Page.of({"error": "Unauthorized"}, status, headers)
        kind = _KINDS.get(status, HTTPStatus(status).phrase.replace(" ", "") + "Error")
        error = {"message": message, "type": kind, "param": None, "code": status}
        return Page.of({"error": error}, status, headers)

    def _mistake(self, message: str) -> RefusedError:
        return RefusedError(self.error(400, message))

    def _metrics(self) -> Page:
        label, tally = f'{{model_name="{_MODEL}"}}', self.tally
        lines = [
            f"# TYPE vllm:{name} {kind}\nvllm:{name}{label} {float(value)}\n"
            for name, kind, value in (
                ("num_requests_running", "gauge", tally.running),
                ("num_requests_waiting", "gauge", tally.waiting),
                ("request_success_total", "counter", tally.successes),
            )
        ]
        return Page(200, "".join(lines).encode(), "text/plain; version=0.0.4; charset=utf-8")
