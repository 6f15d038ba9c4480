"""Large bytes outside Python's own memory: each in an open file without a name, all of a process's bounded.

What lies there needs no copy to be read by another process, and is gone with the last who holds it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress

import gevent

_PIECE_BYTES = 1 << 20
_AT_ONCE_BYTES = 4 << 20


def nameless_file(purpose: str) -> int:
    """The descriptor of an open file without a name: in memory where the system has such files, so that no
    write ever waits for a disk."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(f"genload-{purpose}")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class SpoolFullError(Exception):
    """More than may be held at once; the text says how much that is."""


class Spool:
    """What is held of large bytes at once in one process.

    Args:
        limit_bytes: of all of it.
    """

    __slots__ = ("_limit_bytes", "held_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.held_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Room for so much more.

        Raises:
            SpoolFullError: there is none.
        """
        if self.held_bytes + size_bytes > self._limit_bytes:
            limit = f"{self._limit_bytes:,} bytes (service.max_large_answers)"
            raise SpoolFullError(f"large answers together have more than {limit}")
        self.held_bytes += size_bytes


class Spooled:
    """The bytes of one file of a spool; `len` and `bytes` work as they do for bytes.

    Attributes:
        file: the descriptor.

    Raises:
        SpoolFullError: no more files can be opened.
    """

    __slots__ = ("_size_bytes", "_spool", "file")

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._size_bytes = 0
        try:
            self.file = nameless_file("answer")
        except OSError as error:
            raise SpoolFullError(f"a large answer cannot be kept: {error.strerror}") from error

    def write(self, data: bytes) -> None:
        """Put something behind what is there.

        Raises:
            SpoolFullError: there is no room for it.
        """
        self._spool.take(len(data))
        self._size_bytes += len(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.file, rest) :]
        except OSError as error:
            raise SpoolFullError(f"a large answer cannot be kept: {error.strerror}") from error

    def written(self, size_bytes: int) -> None:
        """Another process has written so much into the file, which was empty.

        Raises:
            SpoolFullError: as `write`.
        """
        self._spool.take(size_bytes)
        self._size_bytes = size_bytes

    def __len__(self) -> int:
        return self._size_bytes

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())

    def beginning(self, size_bytes: int) -> bytes:
        """At most its first so many bytes."""
        return os.pread(self.file, min(size_bytes, len(self)), 0)

    def pieces(self) -> Iterator[bytes]:
        """All of it, in pieces that are each read at once."""
        for start in range(0, len(self), _PIECE_BYTES):
            yield os.pread(self.file, min(_PIECE_BYTES, len(self) - start), start)

    def __del__(self) -> None:
        if not hasattr(self, "file"):
            return
        self._spool.held_bytes -= self._size_bytes
        if self._size_bytes > _AT_ONCE_BYTES and not sys.is_finalizing():
            with suppress(RuntimeError):  # this process ends: it has no threads any more
                gevent.get_hub().threadpool.spawn(os.close, self.file)  # 15 ms for 100 MB
                return
        os.close(self.file)


Content = bytes | Spooled
"""The bytes of something, wherever they are."""


def beginning(content: Content, size_bytes: int) -> bytes:
    """At most its first so many bytes."""
    return content.beginning(size_bytes) if isinstance(content, Spooled) else content[:size_bytes]
