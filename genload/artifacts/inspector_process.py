"""The near end of the inspector's process: its pipes, and the memory that both share."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import gevent
import gevent.os

from genload.artifacts.inspection import LENGTH, Batch, Reply, Task, decode_replies, framed, place_after

_READ_BYTES = 1 << 16
_SHARED_BYTES = 4 << 20
_COPY_BYTES = 1 << 20  # a copy as long as the event loop can be kept waiting: about 0.2 ms
_PAGE_BYTES = 1 << 16
_LAST_WORDS_BYTES = 2000


class InspectorProcess:
    """One child process. Spawned, never forked: a fork of a gevent-patched process inherits the hub."""

    def __init__(self) -> None:
        # Pipes of our own, not Popen's: they are the same whether gevent has patched Popen or not.
        tasks, self._tasks = os.pipe()
        self._replies, replies = os.pipe()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  open for as long as the child
        self._shared = _SharedMemory()
        # -P: whatever lies in the working directory must not be taken for a module of ours.
        command = [sys.executable, "-P", "-m", "genload.artifacts.inspector_child", str(self._shared.file)]
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
                command,
                stdin=tasks,
                stdout=replies,
                stderr=self._words,
                env=_environment(),
                pass_fds=(self._shared.file,),
            )
        finally:
            os.close(tasks)
            os.close(replies)
        self.pid = self._process.pid
        gevent.os.make_nonblocking(self._tasks)
        gevent.os.make_nonblocking(self._replies)

    def exchange(self, tasks: Sequence[Task], contents: Sequence[bytes]) -> list[Reply]:
        """Have tasks done; a reply for each, in their order. Other greenlets run meanwhile.

        Raises:
            OSError, EOFError, msgspec.DecodeError: the child is gone, or talks nonsense.
        """
        try:
            shared_bytes = self._shared.hold(contents)
            self._write(framed(Batch(shared_bytes, list(tasks))))
            (size,) = LENGTH.unpack(self._read(LENGTH.size))
            return decode_replies(self._read(size))
        except (OSError, EOFError) as error:
            raise EOFError(f"{error} {self._last_words()}".strip()) from error

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[gevent.os.nb_write(self._tasks, rest) :]

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = gevent.os.nb_read(self._replies, min(size - len(data), _READ_BYTES))
            if not piece:
                raise EOFError("it ended")
            data += piece
        return bytes(data)

    def _last_words(self) -> str:
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(self._words.tell() - _LAST_WORDS_BYTES, 0))
        lines = self._words.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        """End it."""
        os.close(self._tasks)
        os.close(self._replies)
        self._words.close()
        self._shared.close()
        self._process.kill()
        self._process.wait()


class _SharedMemory:
    """Files for the child to read where they are: a pipe would copy them twice more.

    Grows for a large batch, and goes back with the next small one.
    """

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            self.file = os.memfd_create("genload-inspector")
        else:  # not Linux: a file without a name serves as well
            with tempfile.TemporaryFile() as file:
                self.file = os.dup(file.fileno())
        self._map, self._size = self._mapped(_SHARED_BYTES), _SHARED_BYTES

    def hold(self, contents: Sequence[bytes]) -> int:
        """Put in files, in place of those before; how large the memory is now."""
        places, needed = [], 0
        for content in contents:
            places.append(needed)
            needed = place_after(needed, len(content))
        size = max(_SHARED_BYTES, -(-needed // _PAGE_BYTES) * _PAGE_BYTES)
        if size != self._size:
            self._map.close()
            self._map, self._size = self._mapped(size), size
        for place, content in zip(places, contents, strict=True):
            if len(content) <= _COPY_BYTES:
                self._map[place : place + len(content)] = content
            else:
                self._copy(content, place)
        return size

    def _copy(self, content: bytes, place: int) -> None:
        """In pieces, between which others have their turn."""
        view = memoryview(content)
        for start in range(0, len(content), _COPY_BYTES):
            piece = view[start : start + _COPY_BYTES]
            self._map[place + start : place + start + len(piece)] = piece
            gevent.sleep(0)

    def _mapped(self, size: int) -> mmap.mmap:
        os.ftruncate(self.file, size)
        return mmap.mmap(self.file, size)

    def close(self) -> None:
        self._map.close()
        os.close(self.file)


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # One thread: the child runs beside the load generator on the same few cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}
