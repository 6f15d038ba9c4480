"""The seam of a service that speaks: its answer is listened to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from genload.service.client import ServiceClient
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.spoken import speech_metrics
from genload.settings.speech import SpeechRequest
from genload.settings.wing_models import RequestSettings


class Utterance(msgspec.Struct, frozen=True):
    """What is to be spoken.

    Attributes:
        number: of the request in the run; negative for the warm-up.
        length: the class of the text's length; "" when the scenario has no classes.
        repeat: whether the text was sent before, on purpose; None when the scenario makes no repeats.
    """

    number: int
    text: str
    voice: str
    length: str = ""
    repeat: bool | None = None


class Speech(msgspec.Struct, frozen=True, eq=False):
    """One whole answer to an utterance. Monotonic seconds.

    Attributes:
        arrivals: (when, how many bytes of `content`) for each receive that brought any; they add up to
            `content` unless it was packed on its way.
        streamed: the service sends what it has as it has it: a listener may begin before the end.
        cached: whether the service answered from a cache; None when it does not show.
        numbers: what else it said of the answer, for the record, as the client's file declares it.
    """

    content: bytes
    media_type: str
    sent_s: float
    first_byte_s: float
    end_s: float
    arrivals: tuple[tuple[float, int], ...]
    streamed: bool
    cached: bool | None = None
    numbers: Mapping[str, float] = {}


class SpeechClient(ServiceClient):
    """A user's own client of one text-to-speech API."""

    operation: ClassVar[str] = "speech"
    metrics: ClassVar[tuple[Metric, ...]] = speech_metrics("speech")

    @classmethod
    def labels(cls, request: RequestSettings) -> Mapping[str, tuple[str, ...]]:
        return request.labels() if isinstance(request, SpeechRequest) else {}

    @abstractmethod
    def speak(self, utterance: Utterance) -> Speech:
        """Ask for the utterance and take the whole answer; raises ServiceError for anything but a success
        whose content may be audio. Whether it is audio, `genload.artifacts.audio.reader` says."""
