"""When a service is given up: the suite's `give_up`, watched while the load goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from genload.code_errors import CLIENT_ERROR, CLIENT_LIMIT
from genload.human import human
from genload.runlog.error_classes import SILENT
from genload.runlog.records import RequestRecord
from genload.settings.suite import GiveUp

OURS = frozenset((CLIENT_ERROR, CLIENT_LIMIT))
"""Say something about the test or its machine, nothing about the service."""


class Patience:
    """Counts failures in a row, and how long the service has not been there.

    Args:
        settings: the limits in force.
        is_ready: asks the service; may take as long as a request's own limits allow.
        clock: monotonic seconds.
    """

    def __init__(
        self, settings: GiveUp, is_ready: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._is_ready, self._clock = settings, is_ready, clock
        self._failures = 0
        self._silent_since_s: float | None = None

    def add(self, records: Sequence[RequestRecord]) -> None:
        """Logical requests have ended, in this order."""
        for record in records:
            if record.outcome == "ok":
                if self._failures:
                    self._failures, self._silent_since_s = 0, None
            elif record.outcome == "failed" and record.error_class not in OURS:
                self._failures += 1
                if record.error_class in SILENT and self._silent_since_s is None:
                    self._silent_since_s = self._clock()

    def ask(self) -> None:
        """Where requests got no answer, ask whether the service is there; blocks while it answers."""
        if self._settings.down_for_s is not None and self._silent_since_s is not None and self._is_ready():
            self._silent_since_s = None

    def spent(self) -> str:
        """Why the service is to be given up; empty while it is not."""
        limit, down_for_s = self._settings.consecutive_failures, self._settings.down_for_s
        if limit is not None and self._failures >= limit:
            return f"{self._failures} requests in a row failed"
        if down_for_s is not None and self._silent_since_s is not None:
            silent_s = self._clock() - self._silent_since_s
            if silent_s >= down_for_s:
                return f"it was not there for {human(silent_s, 's')}"
        return ""
