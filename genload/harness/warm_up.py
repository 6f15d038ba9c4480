"""The warm-up of one run, as the process sees it whose user makes it: whether it has done enough."""

from __future__ import annotations

from genload.runlog.records import RequestRecord
from genload.settings.scenario import Warmup
from genload.steadiness import at_rest_from


class WarmUp:
    """Of `settings`; takes its requests as they end."""

    def __init__(self, settings: Warmup) -> None:
        self._settings = settings
        self._made = 0
        self._durations_s: list[float] = []

    def add(self, record: RequestRecord) -> None:
        """One of its requests has ended. A service that fails is not at rest, and begins anew."""
        self._made += 1
        if record.outcome == "ok":
            self._durations_s.append(record.duration_s)
        else:
            self._durations_s.clear()

    @property
    def is_done(self) -> bool:
        """Whether no more of them are needed."""
        if self._settings.until is None or self._made < self._settings.jobs:
            return False
        return at_rest_from(self._durations_s) is not None
