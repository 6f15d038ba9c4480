"""A place before others for the first parts of answers.

A loop with hundreds of streams reads them in turn. Where a turn takes longer than the pause between two
parts, the kernel joins them, and the first has the stamp of the second. What a listener waits for is the
first audio: so whoever waits for the first parts of an answer is looked at in between, every millisecond.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from functools import cache
from time import monotonic
from typing import Any

from gevent import monkey

_EVERY_S = 0.001
_IS_LINUX = sys.platform == "linux"


class FastLane:
    """Sockets of one event loop that are looked at in between those of others; see `lane_of`."""

    __slots__ = ("_due_s", "_looks", "_poll")

    def __init__(self) -> None:
        self._looks: dict[int, Callable[[], None]] = {}
        self._poll: Any = monkey.get_original("select", "epoll")()
        self._due_s = 0.0  # when the next look is

    def __len__(self) -> int:
        return len(self._looks)

    def enter(self, descriptor: int, look: Callable[[], None]) -> None:
        """Have `look` called as soon as this socket, which is not in it yet, has something to read."""
        self._looks[descriptor] = look
        self._poll.register(descriptor, select.EPOLLIN)

    def leave(self, descriptor: int) -> None:
        del self._looks[descriptor]
        self._poll.unregister(descriptor)

    def look(self) -> None:
        """To be called again and again while there is much else to do."""
        if not self._looks or (now_s := monotonic()) < self._due_s:
            return
        self._due_s = now_s + _EVERY_S
        for descriptor, _ in self._poll.poll(0):
            look = self._looks.get(descriptor)
            if look is not None:  # it may have left while another was looked at
                look()


@cache
def lane_of(hub: Any) -> FastLane | None:
    """That of this thread's loop; None where there is no epoll."""
    return FastLane() if _IS_LINUX else None
