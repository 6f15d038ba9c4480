"""Memory's housekeeping: while a process starts and ends, Python looks for nothing to put away, and while a
load runs, neither Python nor the C library puts things away that the next answer needs again.

Modules stay until the end. Going through them again and again takes a tenth of the time in which they are
imported, a twelfth of a second when a load begins, and an eighth when the process ends.

A full collection stops every user while it goes through all objects, and 80,000 of those are modules and
settings: 110 ms at a time on one busy core, in the middle of a load. And with Python's 700, a young one comes
every few requests, and finds hundreds of requests under way and nothing to free: 5 % of the CPU time of a
speech run.

glibc gives the end of its heap back to the system when 128 KiB of it are free, and asks the system each time
for anything larger; the system clears every page before it hands it out. With answers of 48 kB that was 20 %
of the CPU time of a speech run. So it was with columns of 8 MB, of a million requests: 0.2 s of judging them.

The linear algebra behind numpy, and once more behind scipy, starts a thread for each core as it is imported,
and these turn idly for a tenth of a second. Nothing here is large enough for them.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
from functools import cache
from typing import Any

YOUNG_OBJECTS = 10_000
"""So many more than there were make a young collection, which takes a millisecond at most."""

KEPT_BYTES = 32 << 20
"""So much of the heap may be free and stay this process's."""

_LARGE_BYTES = 1 << 20  # from here on the system is asked, and has it back: few answers are so large
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

_usual = gc.get_threshold()


@cache
def begin() -> None:
    """A process begins: to be called before it imports much. What is there is set aside, and everything is
    in the end.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *_usual[1:])
    atexit.register(gc.freeze)


def hold_back() -> None:
    """A load begins: collect now, set aside what is there, and keep what is freed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *_usual[1:])
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def let_go() -> None:
    """The load is over: of several runs of one process, none keeps another's leavings."""
    gc.set_threshold(*_usual)
    gc.unfreeze()
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def reuse_columns() -> None:
    """Many requests have been read: what their columns become while they are judged, and is let go, is used
    again. Not before: columns that still grow would leave holes between them.
    """
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        libc.mallopt(_M_MMAP_THRESHOLD, KEPT_BYTES)


@cache
def _glibc() -> Any:
    """The C library, if it is the one with these calls; None elsewhere."""
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
