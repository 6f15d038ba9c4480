"""The OpenAI API itself: a key, limits, its own words for every mistake; streams, raw or of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .dialect import Dialect, RefusedError, Wanted, json_of, media_type, models_page
from .encoding import Format
from .wire import Headers, Page, Request

_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
_FORMS = (Format.MP3, Format.OPUS, Format.AAC, Format.FLAC, Format.WAV, Format.PCM)
_STREAMS = ("audio", "sse")
_LONGEST = 4096
_KINDS = {401: ("invalid_request_error", "invalid_api_key"), 429: ("requests", "rate_limit_exceeded")}
_INVALID = "invalid_request_error"


class OpenAi(Dialect):
    def pages(self) -> Mapping[str, Callable[[], Page]]:
        return {"/v1/models": lambda: models_page(*_MODELS)}

    def read(self, request: Request) -> Wanted:
        try:
            body = json_of(request)
        except ValueError:
            raise _mistake("We could not parse the JSON body of your request.", None, None) from None
        if not isinstance(body, dict):
            raise _mistake("The body of your request is not a JSON object.", None, None)
        model, text, voice = (_required(body, name) for name in ("model", "input", "voice"))
        if model not in _MODELS:
            raise RefusedError(
                _page(404, f"The model `{model}` does not exist", _INVALID, None, "model_not_found")
            )
        if len(text) > _LONGEST:
            told = f"Invalid 'input': string too long. Expected a string with maximum length {_LONGEST}."
            raise _mistake(told, "input", "string_above_max_length")
        form = body.get("response_format", Format.MP3)
        if voice not in self.voices:
            raise _unsupported("voice", voice, self.voices)
        if form not in _FORMS:
            raise _unsupported("response_format", form, _FORMS)
        speed = body.get("speed", 1.0)
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0.25 <= speed <= 4.0:
            raise _mistake("Invalid 'speed': expected a number within 0.25 and 4.", "speed", "invalid_value")
        stream = body.get("stream_format", "audio")
        if stream not in _STREAMS:
            raise _unsupported("stream_format", stream, _STREAMS)
        form = Format(form)
        return Wanted(
            text,
            voice,
            form,
            float(speed),
            streamed=True,
            media_type=media_type(form),
            events=stream == "sse",
        )

    def error(self, status: int, message: str, headers: Headers | None = None) -> Page:
        kind, code = _KINDS.get(status, ("server_error" if status >= 500 else _INVALID, None))
        return _page(status, message, kind, None, code, headers)


def _page(
    status: int,
    message: str,
    kind: str,
    param: str | None,
    code: str | None,
    headers: Headers | None = None,
) -> Page:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Page.of({"error": error}, status, headers)


def _mistake(message: str, param: str | None, code: str | None) -> RefusedError:
    return RefusedError(_page(400, message, _INVALID, param, code))


def _required(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        raise _mistake(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if not isinstance(value, str):
        raise _mistake(f"Invalid type for '{name}': expected a string.", name, "invalid_type")
    if not value:
        raise _mistake(f"Invalid '{name}': empty string.", name, "empty_string")
    return value


def _unsupported(name: str, value: object, known: tuple[str, ...]) -> RefusedError:
    among = ", ".join(f"'{each}'" for each in known)
    told = f"Invalid value: '{value}'. Supported values are: {among}."
    return _mistake(told, name, "invalid_value")
