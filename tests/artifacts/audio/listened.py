"""Answers of a speech service, and who listens to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from genload.artifacts.audio.listener import Listener
from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.inspector.inspector import Inspector
from genload.service import ServiceError, Speech, Utterance
from genload.settings.speech import SpeechRequest

TEXT = "A text of twenty one."


def answered(
    content: bytes, *, pieces: Sequence[int] = (), step_s: float = 0.1, streamed: bool = False
) -> Speech:
    """An answer to a request sent at 50 s, its first piece after a step, one piece a step."""
    ends = [*pieces, len(content)]
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    arrivals = tuple((50.0 + step_s * (n + 1), size) for n, size in enumerate(sizes))
    return Speech(
        content=content,
        media_type="application/octet-stream",
        sent_s=50.0,
        first_byte_s=50.0 + step_s,
        end_s=arrivals[-1][0],
        arrivals=arrivals,
        streamed=streamed,
    )


def asked(number: int = 1, text: str = TEXT) -> Utterance:
    return Utterance(number, text, "af_heart")


def listener(
    inspector: Inspector, registry: OutputRegistry | None = None, steady_below: float = 0.0, **request: Any
) -> Listener:
    """Whom tones please: they have known lengths and loudness."""
    asked_for = SpeechRequest(**request)
    check = asked_for.check.model_copy(update={"steady_below": steady_below})
    asked_for = asked_for.model_copy(update={"check": check})
    return Listener(asked_for, seed=7, registry=registry, inspector=inspector)


def error_of(one: Listener, speech: Speech, utterance: Utterance | None = None) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        one.listen(speech, utterance or asked())
    return caught.value


def what_is_heard(one: Listener, speech: Speech, number: int) -> str:
    try:
        one.listen(speech, asked(number))
    except ServiceError as error:
        return error.error_class
    return ""
