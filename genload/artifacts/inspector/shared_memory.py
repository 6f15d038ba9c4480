"""Memory that this process and its inspector share: what is in it is read where it is.

Through a pipe it would be copied twice more.
"""

from __future__ import annotations

import mmap
import os

import gevent

from genload.spool import nameless_file

_USUAL_BYTES = 4 << 20
_PAGE_BYTES = 1 << 16
AT_ONCE_BYTES = 1 << 20
"""A copy as long as the event loop can be kept waiting: about 0.2 ms."""


class SharedMemory:
    """An open file without a name, and its memory here. It grows for what is large, until it is emptied.

    Attributes:
        file: its descriptor, in both processes.
        size_bytes: how large it is now.
    """

    def __init__(self) -> None:
        self.file = nameless_file("inspector")
        os.ftruncate(self.file, _USUAL_BYTES)
        self._map, self.size_bytes = mmap.mmap(self.file, _USUAL_BYTES), _USUAL_BYTES

    def write(self, content: bytes | memoryview, place: int) -> None:
        """Put something small there: at most `AT_ONCE_BYTES`."""
        end = place + len(content)
        if end > self.size_bytes:
            self._grow(end)
        self._map[place:end] = content

    def write_in_pieces(self, content: bytes, place: int) -> None:
        """Put something there, and let others have their turn meanwhile."""
        self._grow(place + len(content))
        view = memoryview(content)
        for start in range(0, len(content), AT_ONCE_BYTES):
            self.write(view[start : start + AT_ONCE_BYTES], place + start)
            gevent.sleep(0)

    def empty(self) -> None:
        """Nothing in it is needed any more."""
        if self.size_bytes != _USUAL_BYTES:
            self._resize(_USUAL_BYTES)

    def close(self) -> None:
        self._map.close()
        os.close(self.file)

    def _grow(self, end: int) -> None:
        if end > self.size_bytes:
            self._resize(-(-end // _PAGE_BYTES) * _PAGE_BYTES)

    def _resize(self, size_bytes: int) -> None:
        self._map.close()
        os.ftruncate(self.file, size_bytes)
        self._map, self.size_bytes = mmap.mmap(self.file, size_bytes), size_bytes
