"""How well the load generator itself does: how late its loop is, and what it costs."""

from __future__ import annotations

import contextlib
import time

import gevent
import psutil

LAG_PROBE_S = 0.05
SHORTEST_S = 1e-3  # over which a share of CPU is taken


class HealthMeter:
    """Measures scheduling lag and CPU of this process while it runs.

    The lag is how much later than asked a greenlet that sleeps 50 ms wakes up: the error bar of every time
    stamp that this process takes, whatever the client.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._lags_ms: list[float] = []
        self._cpu_s, self._since_s = time.process_time(), time.monotonic()
        self._rss_bytes = 0
        self._probe: gevent.Greenlet | None = None

    def start(self) -> None:
        self._cpu_s, self._since_s = time.process_time(), time.monotonic()
        self._lags_ms = []
        self._probe = gevent.spawn(self._measure)

    def stop(self) -> None:
        if self._probe is not None:
            self._probe.kill(block=False)
            self._probe = None

    def take(self) -> tuple[list[float], float, int]:
        """Lags in ms since the last call, CPU as a share of one core since then, resident bytes now."""
        lags_ms, self._lags_ms = self._lags_ms, []
        cpu_s, now_s = time.process_time(), time.monotonic()
        share = (cpu_s - self._cpu_s) / max(now_s - self._since_s, SHORTEST_S)
        self._cpu_s, self._since_s = cpu_s, now_s
        with contextlib.suppress(OSError):  # no file left to open: as before
            self._rss_bytes = self._process.memory_info().rss
        return lags_ms, share, self._rss_bytes

    def _measure(self) -> None:
        while True:
            due_s = time.monotonic() + LAG_PROBE_S
            gevent.sleep(LAG_PROBE_S)
            self._lags_ms.append(round(max(time.monotonic() - due_s, 0.0) * 1e3, 2))
