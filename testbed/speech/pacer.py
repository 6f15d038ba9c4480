"""When which stream writes next: one heap for all of them, one timer for the first.

A timer of asyncio's own for each of 25,000 writes a second would cost more than the writes, and so would a
turn of the event loop: what becomes due within half a millisecond of the last turn is written together.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from time import monotonic_ns

_TURN_NS = 500_000

Step = Callable[[int], int | None]
"""Does what is due, given the time; returns when it wants to be called again, None for not again."""


class Pacer:
    """Calls steps at their times, monotonic nanoseconds, never before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[int, int, Step]] = []
        self._added = 0
        self._timer: asyncio.TimerHandle | None = None
        self._armed_ns = self._ran_ns = 0

    def call_at(self, due_ns: int, step: Step) -> None:
        """Call `step` at that time, or as soon as possible after it."""
        self._added += 1
        heapq.heappush(self._heap, (due_ns, self._added, step))
        if self._timer is None or max(due_ns, self._ran_ns + _TURN_NS) < self._armed_ns:
            self._arm()

    def close(self) -> None:
        """Call nothing any more."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._armed_ns = max(self._heap[0][0], self._ran_ns + _TURN_NS)
            self._timer = self._loop.call_at(self._armed_ns / 1e9, self._run)

    def _run(self) -> None:
        self._timer, self._ran_ns = None, monotonic_ns()
        heap, due_by_ns = self._heap, self._ran_ns
        while heap and heap[0][0] <= due_by_ns:
            _, number, step = heapq.heappop(heap)
            next_ns = step(monotonic_ns())
            if next_ns is not None:
                # Never twice in a turn: other streams' requests want to be read, too.
                heapq.heappush(heap, (max(next_ns, due_by_ns + 1), number, step))
        self._arm()
