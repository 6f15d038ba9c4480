"""Kokoro-FastAPI: streams unless told not to; no metrics, no cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from .dialect import Dialect, RefusedError, Wanted, fastapi_body, media_type, models_page
from .encoding import Format
from .wire import Headers, Page, Request

_MODELS = ("tts-1", "tts-1-hd", "kokoro")


class _Body(BaseModel):
    model: str = "kokoro"
    input: str
    voice: str = "af_heart"
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    stream: bool = True


class Kokoro(Dialect):
    def pages(self) -> Mapping[str, Callable[[], Page]]:
        return {
            "/health": lambda: Page.of({"status": "healthy"}),
            "/v1/audio/voices": lambda: Page.of({"voices": list(self.voices)}),
            "/v1/models": lambda: models_page(*_MODELS),
        }

    def read(self, request: Request) -> Wanted:
        body = fastapi_body(request, _Body)
        if body.model not in _MODELS:
            raise RefusedError(_refused("invalid_model", f"Unsupported model: {body.model}"))
        if body.voice not in self.voices:
            known = ", ".join(sorted(self.voices))
            told = f"Voice '{body.voice}' not found. Available voices: {known}"
            raise RefusedError(_refused("validation_error", told))
        form = Format(body.response_format)
        headers = {
            "content-disposition": f"attachment; filename=speech.{form}",
            "cache-control": "no-cache",
        }
        return Wanted(
            body.input,
            body.voice,
            form,
            body.speed,
            streamed=body.stream,
            media_type=media_type(form),
            headers=headers | ({"x-accel-buffering": "no"} if body.stream else {}),
        )

    def error(self, status: int, message: str, headers: Headers | None = None) -> Page:
        if status != 500:
            return Page.of({"detail": message}, status, headers)
        detail = {"error": "processing_error", "message": message, "type": "server_error"}
        return Page.of({"detail": detail}, status, headers)


def _refused(error: str, message: str) -> Page:
    return Page.of({"detail": {"error": error, "message": message, "type": "invalid_request_error"}}, 400)
