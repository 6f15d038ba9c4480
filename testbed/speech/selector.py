"""An event loop that wakes when it is told to, to the microsecond."""

from __future__ import annotations

import asyncio
import ctypes
import select
import selectors

_PR_SET_TIMERSLACK = 29  # prctl.h


def precise_loop() -> asyncio.AbstractEventLoop:
    """asyncio's loop, whose epoll would round every wait up to a whole millisecond.

    Where there is no epoll (macOS), its usual one.
    """
    if not hasattr(selectors, "EpollSelector"):
        return asyncio.new_event_loop()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)  # ns; otherwise the kernel takes 50 µs of its own
    return asyncio.SelectorEventLoop(_PreciseSelector())


class _PreciseSelector(selectors.EpollSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            # An epoll is itself a file that one can wait for, here with microseconds.
            select.select([self.fileno()], [], [], timeout)
            timeout = 0.0
        return super().select(timeout)
