"""A heap that does not creep: the testbed's memory is judged for leaks, so it must have none to show.

glibc raises, as blocks are freed, the size from which it maps memory instead of cutting it from the heap,
up to 32 MiB. Images and meshes then fragment the heap, and resident memory grows by a tenth in a few
hundred jobs although nothing is kept. A fixed threshold gives every such block back at once.
"""

from __future__ import annotations

import ctypes
import gc

_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD, _M_ARENA_MAX = -3, -1, -8  # malloc.h
_MAPPED_FROM_BYTES = 32 * 1024


def keep_heap_flat() -> None:
    """Fix the C library's thresholds; does nothing where there is no mallopt (macOS, musl)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
    mallopt(_M_TRIM_THRESHOLD, _MAPPED_FROM_BYTES)
    mallopt(_M_ARENA_MAX, 1)


def settle_heap() -> None:
    """Call when everything that stays is loaded: later passes of the collector leave it out."""
    gc.collect()
    gc.freeze()
