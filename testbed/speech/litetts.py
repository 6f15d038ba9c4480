"""LiteTTS: whole answers, a cache, one thing at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import psutil
from pydantic import BaseModel, Field

from .dialect import Dialect, RefusedError, Wanted, fastapi_body, models_page
from .encoding import Format
from .wire import Headers, Page, Request

_KNOWN = (Format.MP3, Format.WAV, Format.FLAC, Format.OGG, Format.AAC)
_STREAM_PATH = "/v1/audio/stream"
_GAUGES = {"requests": "counter", "uptime": "counter"}


class _Body(BaseModel):
    input: str = Field(min_length=1, max_length=5000)
    voice: str | None = None
    response_format: str = "mp3"
    speed: float = Field(default=1.0, ge=0.1, le=3.0)


class LiteTTS(Dialect):
    speech_paths = ("/v1/audio/speech", _STREAM_PATH)

    def pages(self) -> Mapping[str, Callable[[], Page]]:
        return {
            "/v1/voices": lambda: Page.of(list(self.voices)),
            "/v1/audio/voices": lambda: Page.of({"object": "list", "data": [_voice(v) for v in self.voices]}),
            "/v1/models": lambda: models_page("kokoro", "tts-1"),
            "/health": lambda: self.error(500, "Health check failed"),  # so it is in the public version
            "/metrics": self._metrics,
        }

    def read(self, request: Request) -> Wanted:
        body = fastapi_body(request, _Body)
        if not body.voice or body.voice not in self.voices:
            raise RefusedError(_refused(f"Voice '{body.voice or ''}' not found", "voice_not_found"))
        if body.response_format not in _KNOWN:
            raise RefusedError(_refused(f"Unsupported format: {body.response_format}", "unsupported_format"))
        if not body.input.strip():
            raise RefusedError(_refused("Text input is required", "empty_input"))
        form, streams = Format(body.response_format), request.path == _STREAM_PATH
        return Wanted(
            body.input,
            body.voice,
            form,
            body.speed,
            streamed=False,
            media_type=f"audio/{form}",
            headers={"content-disposition": f"attachment; filename=speech.{form}"},
            cached=not streams,
            chunked=streams,
        )

    def error(self, status: int, message: str, headers: Headers | None = None) -> Page:
        return Page.of({"detail": message}, status, headers)

    def _metrics(self) -> Page:
        # Stops everything, as the real one does: it measures the CPU's load in between.
        time.sleep(self.options.scrape_stall_s)
        tally, memory = self.tally, psutil.virtual_memory()
        values = {
            "uptime_seconds": time.monotonic() - tally.started_s,
            "requests_total": tally.successes,
            "avg_rtf": tally.made_s / tally.audio_s if tally.audio_s else 0.0,
            "avg_latency_ms": 1e3 * tally.made_s / max(1, tally.made),
            "cache_hit_rate": 100 * tally.hit_share,
            "memory_usage_bytes": psutil.Process().memory_info().rss,
            "system_memory_usage_percent": memory.percent,
            "cpu_usage_percent": psutil.cpu_percent(interval=None),
            "available_voices": len(self.voices),
        }
        lines = []
        for name, value in values.items():
            kind = _GAUGES.get(name.partition("_")[0], "gauge")
            told = f"{value:.3f}" if isinstance(value, float) else str(value)
            lines.append(f"# TYPE kokoro_{name} {kind}\nkokoro_{name} {told}\n")
        return Page(200, "\n".join(lines).encode(), "text/plain; version=0.0.4; charset=utf-8")


def _refused(error: str, kind: str) -> Page:
    return Page.of({"detail": {"error": error, "type": kind}}, 400)


def _voice(name: str) -> dict[str, str]:
    gender = {"f": "female", "m": "male"}.get(name[1:2], "neutral")
    return {"id": name, "object": "voice", "name": name, "gender": gender}
