"""One speech request, start to end: ask, take the whole answer, listen to it; the same way for every service.

Its duration runs from before the connect to the answer's last byte. Listening comes after it and is not the
service's time.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

from genload.artifacts.audio.listener import Heard
from genload.artifacts.inputs.texts import TextSource
from genload.code_errors import returned
from genload.drivers.driver import Driver
from genload.drivers.result import Result
from genload.errors import ConfigError
from genload.human import human
from genload.pauses import pause
from genload.service import ServiceError, Speech, SpeechClient, Utterance
from genload.settings.service import Service
from genload.settings.speech import SpeechRequest


class Ear(Protocol):
    """What the driver needs of `genload.artifacts.audio.listener.Listener`."""

    def inspects(self, utterance: Utterance) -> bool:
        """Whether the answer is decoded and judged."""

    def listen(self, speech: Speech, utterance: Utterance) -> Heard:
        """What the answer sounds like. Raises ServiceError for audio that is broken."""


# Whole answers with status 200 that a client sees through by itself: outputs, and no valid ones.
_NO_AUDIO = ("wrong_content", "empty_audio")


class SpeechResult(Result, eq=False):
    """What became of a speech request.

    Attributes:
        labels: ``voice``; ``length`` of a text with a class; ``text`` (new, repeat) where the scenario makes
            repeats; ``cache`` (hit, miss) where the service shows it.
        gaps: pauses between arrivals, by class.

    `numbers` also has ``characters``; ``valid`` where the answer was inspected (0: it did not pass); of a
    success all that was heard.
    """

    labels: dict[str, str] = {}
    gaps: dict[int, int] = {}


def request_of(service: Service) -> SpeechRequest:
    """The service's request settings, as what every speech service has.

    Raises:
        ConfigError: they are something else.
    """
    if not isinstance(service.request, SpeechRequest):
        raise ConfigError(
            f"the requests of api '{service.api}' have neither texts nor voices",
            key="service.request",
            remedy="derive the client's Request from genload.settings.speech.SpeechRequest",
        )
    return service.request


def check_inputs(service: Service) -> None:
    """Look for what a user speaks, only for the refusals.

    Raises:
        ConfigError: a file of texts that cannot be used.
    """
    request = request_of(service)
    TextSource(request.texts, request.voices, seed=0, salt="")


def labels_of(utterance: Utterance) -> dict[str, str]:
    """The labels that a request has before it is sent."""
    labels = {"voice": utterance.voice}
    if utterance.length:
        labels["length"] = utterance.length
    if utterance.repeat is not None:
        labels["text"] = "repeat" if utterance.repeat else "new"
    return labels


class SpeechDriver(Driver[SpeechClient, SpeechResult]):
    """Drives one utterance through a client; see `Driver`.

    Args:
        listener: judges the answer and gives numbers for the record.
        request_id: sent with the request.
        clock, sleep: seconds; others than the real ones for tests.
    """

    __slots__ = ("_listener", "_utterance")

    def __init__(
        self,
        client: SpeechClient,
        utterance: Utterance,
        *,
        service: Service,
        listener: Ear,
        request_id: str,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], None] = pause,
    ) -> None:
        result = SpeechResult(request_id, start_s=clock(), labels=labels_of(utterance))
        super().__init__(client, service, result, clock, sleep)
        result.numbers["characters"] = float(len(utterance.text))
        self._utterance = utterance
        self._listener = listener

    def _drive(self) -> None:
        speak = self._client.speak
        speech = returned(self._insist("speech", speak, self._utterance), Speech, speak)
        if speech.end_s >= self._client.deadline_s:
            raise self._too_late()
        self._result.end_s = speech.end_s
        self._listen(speech)

    def _too_late(self) -> ServiceError:
        return ServiceError("timeout", f"not answered within {human(self._service.timeout_s, 's')}")

    def _listen(self, speech: Speech) -> None:
        result, utterance = self._result, self._utterance
        if speech.cached is not None:
            result.labels["cache"] = "hit" if speech.cached else "miss"
        result.numbers.update(speech.numbers)
        try:
            heard = self._listener.listen(speech, utterance)
        except ServiceError:
            if self._listener.inspects(utterance):
                result.numbers["valid"] = 0.0
            raise
        result.numbers.update(heard.numbers)
        result.gaps = heard.gaps
        if heard.uninspected is not None:
            result.leave_uninspected(heard.uninspected)

    def _fail(self, error: ServiceError) -> None:
        super()._fail(error)
        if error.error_class in _NO_AUDIO and self._listener.inspects(self._utterance):
            self._result.numbers["valid"] = 0.0
