"""Users of a text-to-speech API: one request, one answer that is listened to."""

from __future__ import annotations

import time
from math import inf
from typing import ClassVar

import gevent

from genload.drivers.speech_driver import SpeechDriver, SpeechResult
from genload.harness.gate import Turn
from genload.harness.kit import SpeechKit
from genload.harness.users import LoadUser
from genload.identifiers import new_identifier
from genload.service import SpeechClient, Utterance


class SpeechUser(LoadUser):
    """A user of a text-to-speech API. Its own connection, its own texts, one request at a time."""

    abstract = True
    client_kind: ClassVar[type] = SpeechClient
    _request_id = ""  # of the request that `next_utterance` has prepared

    def on_start(self) -> None:
        super().on_start()
        assert isinstance(self.load.kit, SpeechKit)  # noqa: S101  `check_users` has seen to it
        self.kit = self.load.kit
        self.client: SpeechClient = self.plan.client_class(self.service)
        self._leaving = self.kit.leaving if self.kit.leaving.happens else None
        self._listens = self._has_pauses and self.plan.scenario.pace == "playback"

    def on_stop(self) -> None:
        client = getattr(self, "client", None)  # there is none when its own code could not make it
        try:
            if client is not None:
                client.close()
        finally:
            super().on_stop()

    def next_utterance(self) -> Utterance:
        """What this user's next request is to say, made before the turn, with whatever else of the request
        does not wait for it.

        Raises:
            StopUser: nobody may start any more.
        """
        utterance = self.kit.utterance(self.next_number())
        self._request_id = new_identifier()
        self.client.prepare(utterance, self._request_id)
        if self._has_pauses and self._recorded:
            # Whoever comes in the same turn of the loop prepares its request first, and then all send: what
            # each of the two needs is still in a cache for the next one (a seventh of the CPU of a request).
            # Arrivals have their moment to keep, and prepared before it. And of thousands that start at once
            # each would leave a hole in memory (2 kB), if it gave way before its first request.
            gevent.sleep(0)
        return utterance

    def speak(self, turn: Turn, utterance: Utterance) -> SpeechResult:
        """One request from its text to its inspected audio; recorded whatever becomes of it."""
        request_id, self._request_id = self._request_id or new_identifier(), ""
        driver = SpeechDriver(
            self.client,
            utterance,
            service=self.service,
            listener=self.kit.listener,
            request_id=request_id,
            leaves_at_s=self._leaves_at_s(turn),
        )
        try:
            result = driver.run()
        except BaseException:
            # Killed at the end of the waiting: Locust fires no event for such a request, we do.
            self._record_speech(turn, driver.result(outcome="unfinished"))
            raise
        if result.outcome != "ok":
            self._blame(driver.raised, result.request_id)
            self._keep_output(result)
        self._record_speech(turn, result)
        if self._listens and not turn.warmup:
            self.busy_until_s = result.played_s
        return result

    def _leaves_at_s(self, turn: Turn) -> float:
        """When whoever listens to a request that starts now is gone; inf: never."""
        if self._leaving is None:
            return inf
        gate, now_s = self.load.gate, time.monotonic()
        walkout_s = gate.origin_s + gate.timeline.next_walkout_s(now_s - gate.origin_s)
        return min(now_s + self._leaving.after_s(turn), walkout_s)

    def _record_speech(self, turn: Turn, result: SpeechResult) -> None:
        record = self._request_record(turn, result)
        record.labels, record.gaps = result.labels, result.gaps
        if self._leaving is not None:
            record.labels = result.labels | self._leaving.labels(turn)
        record.said, record.heard = result.said, result.heard
        self._fire(record)
