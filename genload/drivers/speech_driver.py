"""The driver of a speech request: send the text, receive the complete answer, inspect the audio; in the same
way for every service.

The duration of a request begins before the client connects, and ends with the last byte of the answer. The
inspection comes afterwards, and does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Protocol

from genload.artifacts.inputs.texts import TextSource
from genload.artifacts.inputs.trace import check_speech
from genload.code_errors import returned
from genload.drivers.driver import Driver
from genload.drivers.result import Result
from genload.errors import ConfigError
from genload.human import human
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


class SpeechDriver(Driver[SpeechClient, SpeechResult], eq=False):
    """Makes one speech request; see `Driver`.

    Attributes:
        listener: inspects the answer, and returns numbers for the record.
        request_id: sent with the request.
        leaves_at_s: when the listener goes, whatever has come by then; inf: never.
    """

    client: SpeechClient
    utterance: Utterance
    listener: Ear
    request_id: str
    leaves_at_s: float = inf

    def __post_init__(self) -> None:
        utterance = self.utterance
        self._result = SpeechResult(
            self.request_id,
            self.clock(),
            numbers={"attempts": 1.0, "rejections": 0.0, "characters": float(len(utterance.text))},
            labels=labels_of(utterance),
            said=utterance.code,
        )

    def _drive(self) -> None:
        client, result = self.client, self._result
        if self.leaves_at_s < client.deadline_s:
            client.deadline_s = self.leaves_at_s  # to a client, hanging up is what it does at any deadline
        client.noted, client.labelled = result.numbers, result.labels
        speech = returned(self._insist("speech", client.speak, self.utterance), Speech, client.speak)
        if speech.end_s >= client.deadline_s:
            raise self._too_late()
        result.end_s = speech.end_s
        self._listen(speech)

    def _too_late(self) -> ServiceError:
        return ServiceError("timeout", f"not answered within {human(self.service.timeout_s, 's')}")

    def _listen(self, speech: Speech) -> None:
        result, utterance = self._result, self.utterance
        if speech.cached is not None:
            result.labels["cache"] = "hit" if speech.cached else "miss"
        if speech.numbers:
            result.numbers.update(speech.numbers)
        try:
            heard = self.listener.listen(speech, utterance)
        except ServiceError:
            if self.listener.inspects(utterance):
                result.numbers["valid"] = 0.0
            raise
        result.numbers.update(heard.numbers)
        result.gaps, result.heard = heard.gaps, heard.digits
        if (playout_s := heard.numbers.get("playout_s")) is not None:
            result.played_s = speech.sent_s + playout_s
        if heard.uninspected is not None:
            result.leave_uninspected(heard.uninspected)

    def _fail(self, error: ServiceError) -> None:
        if error.error_class == "timeout" and self.clock() >= self.leaves_at_s:
            self._result.outcome = LEFT
            return
        super()._fail(error)
        if error.error_class in _NO_AUDIO and self.listener.inspects(self.utterance):
            self._result.numbers["valid"] = 0.0
