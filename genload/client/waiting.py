"""Waiting for a socket, never longer than said."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any

from gevent import get_hub, getcurrent, socket

from genload.client.fast_lane import lane_of


class ExpiredError(Exception):
    """The limit of a wait has passed."""


class Readable:
    """Waits for one socket to have something to read; one greenlet at a time.

    Its timer outlives the waits: most of them end long before their limit, and thousands of polling users
    would otherwise start and stop a timer for every answer. When it rings, whoever waits then is looked at.
    So does the watch on the socket, which the kernel would otherwise be told of for every answer; it ends
    when something comes that nobody waits for.

    Args:
        descriptor: of the socket; `close` before the socket is closed.

    Attributes:
        until_s: when to give up the wait; `look` may move it further.
    """

    __slots__ = (
        "_alarm",
        "_alarm_s",
        "_descriptor",
        "_greenlet",
        "_hub",
        "_hurries",
        "_lane",
        "_read_ahead",
        "_reader",
        "_watcher",
        "_watching",
        "until_s",
    )

    def __init__(self, descriptor: int) -> None:
        self._hub = get_hub()
        self._descriptor = descriptor
        self._lane = lane_of(self._hub)
        self._hurries = False
        self._read_ahead = False  # before its turn, which may still come
        self._watcher = self._hub.loop.io(descriptor, 1)
        self._watching = False
        self._alarm: Any = None
        self._alarm_s = inf  # when the alarm will ring
        self.until_s = inf
        self._greenlet: Any = None
        self._reader: Callable[[], bool] | None = None

    def wait(self, until_s: float, look: Callable[[], bool]) -> bool:
        """True when `look` has said so; False when the time is up.

        Args:
            until_s: on the monotonic clock.
            look: called in the event loop each time there may be something to read, or the end of the stream:
                a wait that goes on costs no switch to the greenlet and back. What it raises is raised here.
        """
        if until_s <= monotonic():
            return False
        self.until_s = until_s
        if until_s < self._alarm_s:
            self._set_alarm()
        if not self._watching:
            self._watching = True
            self._watcher.start(self._look)
        self._greenlet, self._reader = getcurrent(), look
        # Not the hub's own `wait`: whoever is switched to for another reason looks, finds nothing and comes
        # back, so that nothing need be made for each wait to tell the reasons apart.
        try:
            self._hub.switch()
        except ExpiredError:
            return False
        finally:
            self._greenlet = self._reader = None
        return True

    def hurry(self) -> None:
        """From now on look before others do, see `genload.client.fast_lane`."""
        if self._lane is not None and not self._hurries:
            self._hurries = True
            self._lane.enter(self._descriptor, self._look_ahead)

    def take_turns(self) -> None:
        """Look when it is its turn."""
        if self._lane is not None and self._hurries:
            self._hurries = False
            self._lane.leave(self._descriptor)

    def _look(self) -> None:
        """It is its turn: there may be something to read."""
        if self._lane is not None and (self._reader is not None or not self._read_ahead):
            self._lane.look()
        if self._reader is None and self._read_ahead:
            # What the loop has found was read in between; if there is more, it finds that again.
            self._read_ahead = False
        else:
            self._look_now()

    def _look_ahead(self) -> None:
        """Before its turn."""
        self._read_ahead = True
        self._look_now()

    def _look_now(self) -> None:
        if self._reader is None:
            self._watching = False
            self._watcher.stop()
            self.take_turns()
            return
        try:
            if not self._reader():
                return
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits is to hear of it
            self._greenlet.throw(error)
        else:
            self._greenlet.switch()

    def close(self) -> None:
        self.take_turns()
        self._watcher.close()
        if self._alarm is not None:
            self._alarm.close()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.close()
        self._alarm_s = self.until_s
        self._alarm = self._hub.loop.timer(max(self.until_s - monotonic(), 0.0))
        self._alarm.start(self._ring)

    def _ring(self) -> None:
        self._alarm_s = inf
        if self._greenlet is None:
            return
        if monotonic() < self.until_s:
            # Rung for an earlier wait; or too early, as the clock of a busy loop is an old one.
            self._set_alarm()
        else:
            self._greenlet.throw(ExpiredError)


def wait_writable(descriptor: int, until_s: float) -> bool:
    """True once a socket takes bytes, or is connected; False when the time is up (monotonic clock)."""
    return _waited(socket.wait_write, descriptor, until_s)


def wait_readable(descriptor: int, until_s: float) -> bool:
    """As `Readable.wait`, for a single wait."""
    return _waited(socket.wait_read, descriptor, until_s)


def _waited(wait: Callable[..., None], descriptor: int, until_s: float) -> bool:
    while (rest_s := until_s - monotonic()) > 0:
        try:
            wait(descriptor, None if rest_s == inf else rest_s, ExpiredError)
        except ExpiredError:
            continue  # a busy loop's timers ring early: only the clock says when it is late
        return True
    return False
