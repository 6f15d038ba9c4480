"""Locust's `request` event, as genload's own users fire it."""

from __future__ import annotations

from typing import Any

from genload.harness.recorder import CONTEXT_KEY, Recorder
from genload.runlog.records import LEFT, RequestRecord

_LOCUST_S_OWN = "locust.runners"
"""The module of the listener that counts requests for Locust's statistics."""


class RequestFailedError(Exception):
    """What Locust's own statistics count a failed request by."""


class RequestEvent:
    """Of one process: `recorder` listens to it before anybody else. A listener of the locustfile's may raise
    StopUser, and those behind it would never hear of the request.

    Where nobody else listens, both who do are called at once: the event packs what it tells for whoever there
    may be, and that costs as much as the record.
    """

    def __init__(self, environment: Any, recorder: Recorder) -> None:
        self._hook, self._stats, self._recorder = environment.events.request, environment.stats, recorder
        self._hook._handlers.insert(0, recorder.on_request)
        locust_s_own = [own for own in self._hook._handlers if own.__module__ == _LOCUST_S_OWN]
        self._expected = [recorder.on_request, *locust_s_own]

    def fire(self, record: RequestRecord) -> None:
        """A request has ended: record it, and tell everybody who listens."""
        if record.outcome == "ok" and self._hook._handlers == self._expected:
            self._recorder.add(record)
            self._stats.log_request(record.type, record.name, record.latency_s * 1e3, record.bytes_received)
            return
        if record.outcome == LEFT:
            # Locust would have to count it as a success or as a failure, and it is neither.
            self._recorder.add(record)
            return
        failure = None
        if record.outcome != "ok":
            words = f"{record.error_class or record.outcome}: {record.error}"
            failure = RequestFailedError(words.rstrip(": "))
        self._hook.fire(
            request_type=record.type,
            name=record.name,
            response_time=record.latency_s * 1e3,
            response_length=record.bytes_received,
            exception=failure,
            context={CONTEXT_KEY: record},
        )
