"""What the service counts of itself."""

from __future__ import annotations

import threading
from time import monotonic


class Tally:
    """Since the start. Seconds. Engines speak in threads; the rest is counted on the event loop."""

    def __init__(self) -> None:
        self.started_s = monotonic()
        self.successes = 0  # answers from the cache included
        self.running = self.waiting = 0  # requests; waiting for a slot
        self.made = 0  # not from the cache
        self.made_s = self.audio_s = 0.0  # spent on it, without any waiting; how much audio it is
        self._hits = self._misses = 0
        self._lock = threading.Lock()

    def spoke(self, audio_s: float, took_s: float) -> None:
        """An engine has spoken a text."""
        with self._lock:
            self.made += 1
            self.audio_s += audio_s
            self.made_s += took_s

    def looked_up(self, *, hit: bool) -> None:
        """The cache was asked."""
        self._hits += hit
        self._misses += not hit

    @property
    def hit_share(self) -> float:
        """Of all look-ups in the cache, 0..1; 0 before the first."""
        return self._hits / max(1, self._hits + self._misses)
