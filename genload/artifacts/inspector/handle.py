"""The near end of the inspector's process: its socket and pipe."""

from __future__ import annotations

import array
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import gevent
import gevent.os
import gevent.socket

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
        # Of our own, not Popen's: they are the same whether gevent has patched Popen or not. A socket can
        # hand over open files.
        tasks, self._tasks = gevent.socket.socketpair()
        os.set_blocking(tasks.fileno(), True)
        self._replies, replies = os.pipe()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  open for as long as the child
        # -P: whatever lies in the working directory must not be taken for a module of ours.
        command = [sys.executable, "-P", "-m", "genload.artifacts.inspector.child", *kinds]
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
                command,
                stdin=tasks.fileno(),
                stdout=replies,
                stderr=self._words,
                env=_environment(),
                pass_fds=files,
            )
        finally:
            tasks.close()
            os.close(replies)
        self.pid = self._process.pid
        gevent.os.make_nonblocking(self._replies)

    def exchange(self, batch: Batch, files: Sequence[int] = ()) -> list[Reply]:
        """Have tasks done; a reply for each, in their order. Other greenlets run meanwhile.

        Args:
            files: open ones that are handed over with it.

        Raises:
            OSError, EOFError, msgspec.DecodeError: the child is gone, or talks nonsense.
        """
        try:
            message = memoryview(framed(batch))
            handed = [(gevent.socket.SOL_SOCKET, gevent.socket.SCM_RIGHTS, array.array("i", files))]
            sent = self._tasks.sendmsg([message], handed if files else [])
            self._tasks.sendall(message[sent:])
            (size,) = LENGTH.unpack(self._read(LENGTH.size))
            return decode_replies(self._read(size))
        except (OSError, EOFError) as error:
            raise EOFError(f"{error} {self._last_words()}".strip()) from error

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
        self._tasks.close()
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
