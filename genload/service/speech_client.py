"""The base class for services that speak: the answer is audio."""

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
    """A text to be spoken, and the voice.

    Attributes:
        number: the number of the request in the run; negative in the warm-up.
        length: the length class of the text (``short``, ``long``, …); "" if the scenario has no classes.
        repeat: whether the text was sent before, on purpose; None if the scenario repeats no texts.
        code: the digits that the text ends with; "" if it has no code.
    """

    number: int
    text: str
    voice: str
    length: str = ""
    repeat: bool | None = None
    code: str = ""


class Speech(msgspec.Struct, frozen=True, eq=False):
    """The complete answer to one request. Times are monotonic seconds.

    Attributes:
        arrivals: (time, number of bytes) of every piece that arrived. The numbers add up to the length of
            `content`, unless the content was compressed on its way.
        streamed: it is sent as a stream; whether it comes as it is made, its arrivals tell.
        cached: whether the answer came from a cache of the service; None if the answer does not show it.
        numbers: further numbers that the service told, for the record; the client's file declares them.
        rate_hz: the rate of its raw samples, where the answer told it; None: it is the suite's `pcm`.
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
    rate_hz: int | None = None


class SpeechClient(ServiceClient):
    """The client through which one user talks to a text-to-speech service."""

    operation: ClassVar[str] = "speech"
    metrics: ClassVar[tuple[Metric, ...]] = speech_metrics("speech")

    @classmethod
    def labels(cls, request: RequestSettings) -> Mapping[str, tuple[str, ...]]:
        return request.labels() if isinstance(request, SpeechRequest) else {}

    def prepare(self, utterance: Utterance, request_id: str) -> None:
        """A request is to come, maybe not at once: make what can be made before its moment. `speak` is asked
        for the same utterance then, and must do without if it is not. Raises nothing: what fails is met
        again by `speak`, whose failures have a record."""
        self.request_id = request_id
        self.correlation()

    @abstractmethod
    def speak(self, utterance: Utterance) -> Speech:
        """Send the text and receive the complete answer. Raises ServiceError if the service refuses or fails,
        or if the content cannot be audio. Whether the content really is audio is checked afterwards, by
        `genload.artifacts.audio.reader`."""
