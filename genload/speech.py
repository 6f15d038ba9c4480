"""One speech request, start to end: ask, take the whole answer, listen to it; the same way for every service.

Its duration runs from before the connect to the answer's last byte. Listening comes after it and is not the
service's time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Protocol

import gevent

from genload.artifacts.listening import Heard
from genload.artifacts.texts import TextSource
from genload.errors import ConfigError
from genload.service import Result, ServiceError, Speech, SpeechClient, Step, Utterance
from genload.settings.service import Service
from genload.settings.speech import SpeechRequest


class Ear(Protocol):
    """What the driver needs of `genload.artifacts.listening.Listener`."""

    def inspects(self, utterance: Utterance) -> bool:
        """Whether the answer is decoded and judged."""

    def listen(self, speech: Speech, utterance: Utterance) -> Heard:
        """What the answer sounds like. Raises ServiceError for audio that is broken."""


# Whole answers with status 200 that a client sees through by itself: outputs, and no valid ones.
_NO_AUDIO = ("wrong_content", "empty_audio")


@dataclass(slots=True)
class SpeechResult(Result):
    """What became of a speech request.

    Attributes:
        labels: ``voice``; ``length`` of a text with a class; ``text`` (new, repeat) where the scenario makes
            repeats; ``cache`` (hit, miss) where the service shows it.
        gaps: pauses between arrivals, by class.

    `numbers` also has ``characters``; ``valid`` where the answer was inspected (0: it did not pass); of a
    success all that was heard.
    """

    labels: dict[str, str] = field(default_factory=dict)
    gaps: dict[int, int] = field(default_factory=dict)


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


class SpeechDriver:
    """Drives one utterance through a client. Whatever the service does becomes a result, never an exception.

    Refusals (429, 503) are tried again as `service.retry` says; a suite that wants to count each of them
    sets ``retry: {max_retries: 0}``.

    Args:
        listener: judges the answer and gives numbers for the record.
        request_id: sent with the request.
        clock, sleep: seconds; others than the real ones for tests.
    """

    def __init__(
        self,
        client: SpeechClient,
        utterance: Utterance,
        *,
        service: Service,
        listener: Ear,
        request_id: str,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self._client = client
        self._utterance = utterance
        self._service = service
        self._listener = listener
        self._clock = clock
        self._sleep = sleep
        self._result = SpeechResult(request_id, start_s=clock(), labels=labels_of(utterance))
        characters = float(len(utterance.text))
        self._result.numbers = {"attempts": 1.0, "rejections": 0.0, "characters": characters}

    def run(self) -> SpeechResult:
        """The request from start to end.

        GreenletExit and other orders to stop pass through; `result` then tells how far it got.
        """
        result, client = self._result, self._client
        result.start_s = self._clock()
        client.request_id = result.request_id
        client.deadline_s = result.start_s + self._service.timeout_s
        told, client.on_step = client.on_step, self._observing(client.on_step)
        try:
            speech = self._ask()
            result.end_s = speech.end_s
            self._listen(speech)
        except ServiceError as error:
            self._fail(error)
        finally:
            client.on_step, client.deadline_s = told, inf
        return result

    def result(self, outcome: str) -> SpeechResult:
        """The request as it stands, ended now if it was still under way: for one that was killed."""
        self._end()
        self._result.outcome = outcome
        return self._result

    def _ask(self) -> Speech:
        """The answer, after as many tries as refusals and retries allow."""
        numbers = self._result.numbers
        while True:
            try:
                speech = self._client.speak(self._utterance)
            except ServiceError as error:
                if not error.rejected:
                    raise
                numbers["rejections"] += 1
                if numbers["attempts"] > self._service.retry.max_retries:
                    raise ServiceError("rejected", error.message, status=error.status) from error
                self._pause(error.retry_after_s)
                numbers["attempts"] += 1
            else:
                self._check_deadline(speech.end_s)
                return speech

    def _pause(self, asked_s: float | None) -> None:
        """Before another try: as long as the service asked for, within limits."""
        retry = self._service.retry
        seconds = min(retry.default_wait_s if asked_s is None else asked_s, retry.max_wait_s)
        self._sleep(max(0.0, min(seconds, self._client.deadline_s - self._clock())))
        self._check_deadline(self._clock())

    def _check_deadline(self, now_s: float) -> None:
        if now_s >= self._client.deadline_s:
            raise ServiceError("timeout", f"not answered within {self._service.timeout_s:g} s")

    def _listen(self, speech: Speech) -> None:
        result, utterance = self._result, self._utterance
        if speech.cached is not None:
            result.labels["cache"] = "hit" if speech.cached else "miss"
        try:
            heard = self._listener.listen(speech, utterance)
        except ServiceError:
            if self._listener.inspects(utterance):
                result.numbers["valid"] = 0.0
            raise
        result.numbers.update(heard.numbers)
        result.gaps = heard.gaps

    def _fail(self, error: ServiceError) -> None:
        self._end()
        self._result.fail(error)
        if error.error_class in _NO_AUDIO and self._listener.inspects(self._utterance):
            self._result.numbers["valid"] = 0.0

    def _end(self) -> None:
        self._result.end_s = self._result.end_s or self._clock()

    def _observing(self, told: Callable[[Step], None]) -> Callable[[Step], None]:
        """The client's `on_step`, with the request's own sums taken on the way."""

        def observe(step: Step) -> None:
            result = self._result
            result.bytes_sent += step.bytes_sent
            result.bytes_received += step.bytes_received
            result.status = step.status
            told(step)

        return observe
