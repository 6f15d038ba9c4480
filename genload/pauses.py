"""Pauses of many users at once.

Thousands of users who each sleep in a timer of their own cost more than their requests do: the loop keeps its
timers in a heap, and wakes for each. So all who are to wake within the same millisecond, which is as finely
as the loop tells time, share one timer.
"""

from __future__ import annotations

from functools import cache
from math import ceil
from time import monotonic
from typing import Any

import gevent
from gevent import get_hub, getcurrent

_A_SECOND = 1000  # of the moments at which pauses end


def pause(seconds: float) -> None:
    """As `gevent.sleep`, with nothing to cancel it but an exception: at least so long, and the loop has its
    turn.
    """
    if seconds <= 0:
        gevent.sleep(0)
        return
    hub = get_hub()
    moment = ceil((monotonic() + seconds) * _A_SECOND)
    dormitory = _dormitory(hub)
    sleepers = dormitory.get(moment)
    if sleepers is None:
        dormitory[moment] = sleepers = {}
        _Bell(hub, moment).start()
    sleeper = getcurrent()
    sleepers[sleeper] = None
    try:
        while sleeper in sleepers:
            hub.switch()
    except BaseException:  # killed, or a timeout of its own
        sleepers.pop(sleeper, None)
        raise


@cache
def _dormitory(hub: Any) -> dict[int, dict[Any, None]]:
    """Who sleeps in this thread, by the moment of waking."""
    return {}


class _Bell:
    """Wakes all who sleep until a moment."""

    __slots__ = ("_hub", "_moment", "_timer")

    def __init__(self, hub: Any, moment: int) -> None:
        self._hub, self._moment = hub, moment

    def start(self) -> None:
        # The loop's clock stands still while its callbacks run; a pause must not end early for that.
        self._hub.loop.update_now()
        self._timer = self._hub.loop.timer(max(self._moment / _A_SECOND - monotonic(), 0.0))
        self._timer.start(self._ring)

    def _ring(self) -> None:
        self._timer.close()
        if monotonic() * _A_SECOND < self._moment:
            self.start()
            return
        sleepers = _dormitory(self._hub).pop(self._moment)
        for sleeper in list(sleepers):
            if sleepers.pop(sleeper, self) is not None:
                continue  # one who woke before had it killed
            try:
                sleeper.switch()
            except BaseException as error:  # noqa: BLE001  its own; the others must wake all the same
                self._hub.handle_error(sleeper, type(error), error, error.__traceback__)
