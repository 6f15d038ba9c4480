"""How well the load generator itself does: how late its loop is, and what it costs."""

from __future__ import annotations

import time

import gevent
import psutil

LAG_PROBE_S = 0.05


class HealthMeter:
    """Measures scheduling lag and CPU of this process while it runs.

    The lag is how much later than asked a greenlet that sleeps 50 ms wakes up: the error bar of every time
    stamp that this process takes, whatever the client.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._lags_ms: list[float] = []
        self._probe: gevent.Greenlet | None = None

    def start(self) -> None:
        self._process.cpu_percent()  # the first call only sets the starting point
        self._lags_ms = []
        self._probe = gevent.spawn(self._measure)

    def stop(self) -> None:
        if self._probe is not None:
            self._probe.kill(block=False)
            self._probe = None

    def take(self) -> tuple[list[float], float, int]:
        """Lags in ms since the last call, CPU as a share of one core since then, resident bytes now."""
        lags_ms, self._lags_ms = self._lags_ms, []
        return lags_ms, self._process.cpu_percent() / 100, self._process.memory_info().rss

    def _measure(self) -> None:
        while True:
            due_s = time.monotonic() + LAG_PROBE_S
            gevent.sleep(LAG_PROBE_S)
            self._lags_ms.append(round(max(time.monotonic() - due_s, 0.0) * 1e3, 2))
