"""What a scripted speech service answers, and what its client is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genload import extensions
from genload.service import ServiceError, SpeechClient, Utterance

SPEECH = "/v1/audio/speech"
HELLO = Utterance(7, "Hello there.", "af_heart")
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(range(200))
WHOLE = (200, WAV, {"Content-Type": "audio/wav"})
PAGE = b"<html><head><style>b {}</style></head><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"

Make = Callable[..., Any]


def chunked(*parts: bytes, end: bytes = b"0\r\n\r\n", kind: str = "audio/wav") -> Any:
    """An answer in chunks, as a service streams it."""
    body = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + end
    return 200, body, {"Content-Type": kind, "Content-Length": None, "Transfer-Encoding": "chunked"}


def failure(client: SpeechClient, utterance: Utterance = HELLO) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        client.speak(utterance)
    return caught.value


def request_of(settings: dict[str, Any]) -> Any:
    model = extensions.Wings().request("speech")
    return model.model_validate(settings, context={"wings": extensions.Wings()})
