"""The garbage collector while a load runs: no full collections of what never goes, and fewer of the young.

A full collection stops every user while it goes through all objects, and 80,000 of those are modules and
settings: 110 ms at a time on one busy core, in the middle of a load. And with Python's 700, a young one comes
every few requests, and finds hundreds of requests under way and nothing to free: 5 % of the CPU time of a
speech run.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 10_000
"""So many more than there were make a young collection, which takes a millisecond at most."""

_usual = gc.get_threshold()


def hold_back() -> None:
    """A load begins: collect now, and set aside what is there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *_usual[1:])


def let_go() -> None:
    """The load is over: of several runs of one process, none keeps another's leavings."""
    gc.set_threshold(*_usual)
    gc.unfreeze()
