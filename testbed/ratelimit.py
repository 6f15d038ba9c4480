"""ORFEAS's optional rate limit: a sliding window a client address, one bucket for upload and submission."""

from __future__ import annotations

from collections import defaultdict, deque

WINDOW_S = 60.0  # modelled


class RateLimit:
    """At most `limit` requests an address within `window_s` real seconds; 0 is no limit."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, address: str, now_s: float) -> bool:
        """Count a request at `now_s`; False, and not counted, when the window is full."""
        if not self._limit:
            return True
        times = self._times[address]
        while times and now_s - times[0] >= self._window_s:
            times.popleft()
        if len(times) >= self._limit:
            return False
        times.append(now_s)
        return True

    @property
    def refusal(self) -> str:
        """ORFEAS's words; its window is 60 s whatever the scale."""
        return f"Rate limit exceeded. Max {self._limit} requests per {WINDOW_S:.0f}s"
