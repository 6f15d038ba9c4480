"""Who speaks when several want to: so many at once, or one while all the world waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .tally import Tally

_TURNS_TO_COME_IN = 3  # of the event loop: a connection is accepted, read, and its request begun


class Line:
    """First come, first served.

    Args:
        slots: how many are served at once; 0: all.
        head_of_line: none is answered while another waits to be spoken, as in a service that speaks on its
            event loop: what waits there is taken first, and everybody hears at about the end.
    """

    def __init__(self, slots: int, tally: Tally, *, head_of_line: bool) -> None:
        self._slots = asyncio.Semaphore(slots) if slots and not head_of_line else None
        self._tally, self._head_of_line = tally, head_of_line
        self._unspoken = 0
        self._all_spoken = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether the next one would have to wait."""
        return self._slots is not None and self._slots.locked()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Wait for one's turn; the block is to speak, and to block the loop if everybody is to wait.

        It is told whether it had to wait, or might have had to.
        """
        if self._head_of_line:
            async with self._alone():
                yield True
            return
        had_to_wait = self.full
        self._tally.waiting += 1
        try:
            if self._slots is not None:
                await self._slots.acquire()
        finally:
            self._tally.waiting -= 1
        try:
            yield had_to_wait
        finally:
            if self._slots is not None:
                self._slots.release()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        self._unspoken += 1
        self._all_spoken.clear()
        try:
            await self._let_in()
            yield
            await self._let_in()
        finally:
            self._unspoken -= 1
            if not self._unspoken:
                self._all_spoken.set()
        await self._all_spoken.wait()

    async def _let_in(self) -> None:
        for _ in range(_TURNS_TO_COME_IN):
            await asyncio.sleep(0)
