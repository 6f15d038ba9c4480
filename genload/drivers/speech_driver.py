"""The driver of a speech request: send the text, receive the complete answer, inspect the audio; in the same
way for every service.

The duration of a request begins before the client connects, and ends with the last byte of the answer. The
inspection comes afterwards, and does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from genload.artifacts.inputs.texts import TextSource
from genload.artifacts.inputs.trace import check_speech
from genload.code_errors import returned
from genload.drivers.driver import Driver
from genload.drivers.result import Result
from genload.errors import ConfigError
from genload.human import human
from genload.pauses import pause
from genload.runlog.records import LEFT
from genload.service import ServiceError, Speech, SpeechClient, Utterance
from genload.settings.phases import Ask
from genload.settings.service import Service
from genload.settings.speech import SpeechRequest

if TYPE_CHECKING:
    from genload.artifacts.audio.listener import Heard


class Ear(Protocol):
    """The part of `genload.artifacts.audio.listener.Listener` that the driver needs."""

    def inspects(self, utterance: Utterance) -> bool:
        """Whether the answer to this utterance is to be decoded and checked."""

    def listen(self, speech: Speech, utterance: Utterance) -> Heard:
        """What a listener hears of the answer. Raises ServiceError if the audio is broken."""


# The classes of complete answers with status 200 in which the client finds no audio. They count as invalid
# outputs.
_NO_AUDIO = ("wrong_content", "empty_audio")


class SpeechResult(Result, eq=False):
    """The result of a speech request.

    Attributes:
        labels: ``voice``; ``length``, if the text has a length class; ``text`` (new, repeat), if the scenario
            repeats texts; ``cache`` (hit, miss), if the service shows it.
        gaps: how many pauses between arrivals there were, by class.
        said: the digits that the text ends with; "" if it has no code.
        heard: the digits that were heard at the end of the answer; None if nobody listened for them.
        played_s: when the last of the audio has been played; 0 if there is none, or nobody knows how much.

    `numbers` also has ``characters``; ``valid`` (1 or 0), if the answer was inspected; and all that was
    heard, if the request succeeded.
    """

    labels: dict[str, str] = {}
    gaps: dict[int, int] = {}
    said: str = ""
    heard: str | None = None
    played_s: float = 0.0


def request_of(service: Service) -> SpeechRequest:
    """The request settings of a service that speaks.

    Raises:
        ConfigError: the service has other request settings, without texts and voices.
    """
    if not isinstance(service.request, SpeechRequest):
        raise ConfigError(
            f"the requests of api '{service.api}' have neither texts nor voices",
            key="service.request",
            remedy="derive the client's Request from genload.settings.speech.SpeechRequest",
        )
    return service.request


def check_inputs(service: Service, asks: Sequence[Ask]) -> None:
    """Check before the load that there are texts to speak.

    Args:
        asks: of a trace.

    Raises:
        ConfigError: the file of texts cannot be used, or a line of the trace is for another service.
    """
    request = request_of(service)
    TextSource(request.texts, request.voices, seed=0, salt="")
    check_speech(asks, request.texts.classes)


def labels_of(utterance: Utterance) -> dict[str, str]:
    """The labels of a request that are known before it is sent."""
    labels = {"voice": utterance.voice}
    if utterance.length:
        labels["length"] = utterance.length
    if utterance.repeat is not None:
        labels["text"] = "repeat" if utterance.repeat else "new"
    return labels


class SpeechDriver(Driver[SpeechClient, SpeechResult]):
    """Makes one speech request; see `Driver`.

    Args:
        listener: inspects the answer, and returns numbers for the record.
        leaves_at_s: when the listener goes, whatever has come by then; inf: never.
        request_id: sent with the request.
        clock, sleep: a clock in seconds, and a function that waits; tests pass their own.
    """

    __slots__ = ("_leaves_at_s", "_listener", "_utterance")

    def __init__(
        self,
        client: SpeechClient,
        utterance: Utterance,
        *,
        service: Service,
        listener: Ear,
        request_id: str,
        leaves_at_s: float = inf,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], None] = pause,
    ) -> None:
        result = SpeechResult(request_id, start_s=clock(), labels=labels_of(utterance))
        super().__init__(client, service, result, clock, sleep)
        result.numbers["characters"] = float(len(utterance.text))
        result.said = utterance.code
        self._utterance = utterance
        self._listener = listener
        self._leaves_at_s = leaves_at_s

    def _drive(self) -> None:
        # To a client, hanging up then is what it does at any deadline.
        self._client.deadline_s = min(self._client.deadline_s, self._leaves_at_s)
        self._client.noted, self._client.labelled = self._result.numbers, self._result.labels
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
        result.gaps, result.heard = heard.gaps, heard.digits
        if (playout_s := heard.numbers.get("playout_s")) is not None:
            result.played_s = speech.sent_s + playout_s
        if heard.uninspected is not None:
            result.leave_uninspected(heard.uninspected)

    def _fail(self, error: ServiceError) -> None:
        if error.error_class == "timeout" and self._clock() >= self._leaves_at_s:
            self._result.outcome = LEFT
            return
        super()._fail(error)
        if error.error_class in _NO_AUDIO and self._listener.inspects(self._utterance):
            self._result.numbers["valid"] = 0.0
