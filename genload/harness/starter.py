"""Whoever has started this process hears when its load is over: it then has something to do itself.

What tells it is the pipe by which this process was told what to do, closed at this end. It is closed as well
when the process ends, whatever ends it.
"""

from __future__ import annotations

import os

_held: list[int] = []


def hold(descriptor: int) -> None:
    """This end is held until the load is over; by this process alone, and by none that it forks."""
    _held.append(descriptor)
    os.register_at_fork(after_in_child=load_is_over)


def load_is_over() -> None:
    """It is told now, unless it was told before, or there is nobody to tell."""
    while _held:
        os.close(_held.pop())
