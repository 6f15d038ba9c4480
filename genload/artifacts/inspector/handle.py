"""The near end of the inspector's process: its pipes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import gevent
import gevent.os

from genload.artifacts.inspector.messages import LENGTH, Batch, Reply, decode_replies, framed

_READ_BYTES = 1 << 16
_LAST_WORDS_BYTES = 2000


class InspectorProcess:
    """One child process. Spawned, never forked: a fork of a gevent-patched process inherits the hub.

    Args:
        files: open ones that it reads.
        kinds: of output that are expected; what reads another is imported when one comes.
    """

    def __init__(self, files: Sequence[int], kinds: Sequence[str] = ()) -> None:
        # Pipes of our own, not Popen's: they are the same whether gevent has patched Popen or not.
        tasks, self._tasks = os.pipe()
        self._replies, replies = os.pipe()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  open for as long as the child
        # -P: whatever lies in the working directory must not be taken for a module of ours.
        command = [sys.executable, "-P", "-m", "genload.artifacts.inspector.child", *kinds]
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
                command,
                stdin=tasks,
                stdout=replies,
                stderr=self._words,
                env=_environment(),
                pass_fds=files,
            )
        finally:
            os.close(tasks)
            os.close(replies)
        self.pid = self._process.pid
        gevent.os.make_nonblocking(self._tasks)
        gevent.os.make_nonblocking(self._replies)

    def exchange(self, batch: Batch) -> list[Reply]:
        """Have tasks done; a reply for each, in their order. Other greenlets run meanwhile.

        Raises:
            OSError, EOFError, msgspec.DecodeError: the child is gone, or talks nonsense.
        """
        try:
            self._write(framed(batch))
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
        self._process.kill()
        self._process.wait()


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[3])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # One thread: the child runs beside the load generator on the same few cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}
