"""Looking into meshes in a process of its own.

Parsing a mesh is long pure Python and numpy: in a thread of the load generator it would take the
interpreter lock from the event loop, and falsify every measured time. So one plain Python child does it.
It is spawned, never forked: a fork of a gevent-patched process inherits the hub.

The wire: each way a 4-byte length and a msgpack message; a task is followed by its file, as it is.
Run as ``python -m genload.artifacts.inspector``, the module is the child.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import BinaryIO

import gevent
import gevent.lock
import gevent.os
import msgspec

from genload.artifacts.mesh_facts import MeshError, MeshFacts

_LENGTH = struct.Struct("<I")
_TIMEOUT_S = 120.0
_CHILD_MEMORY_BYTES = 4 * 2**30
_READ_BYTES = 1 << 16


class _Task(msgspec.Struct):
    hint: str
    size: int


class _Refusal(msgspec.Struct, tag="refusal"):
    error_class: str
    message: str


class _Found(msgspec.Struct, tag="found"):
    facts: MeshFacts


_encode = msgspec.msgpack.Encoder().encode
_decode_task = msgspec.msgpack.Decoder(_Task).decode
_decode_reply = msgspec.msgpack.Decoder(_Found | _Refusal).decode


class Inspector:
    """One child process that reads meshes for all greenlets of this one, one after the other.

    The child starts with the first mesh, or with `start`; it ends with `close`, or by itself when this
    process does.
    """

    def __init__(self, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._child: _Child | None = None
        self._turn = gevent.lock.BoundedSemaphore(1)

    def start(self) -> None:
        """Start the child now, so that the first mesh does not wait for it (about a second)."""
        if self._child is None:
            self._child = _Child()

    @property
    def pid(self) -> int | None:
        """Of the child; None before it started."""
        return self._child.pid if self._child else None

    def mesh(self, content: bytes, hint: str = "") -> MeshFacts:
        """What `genload.artifacts.mesh.read_mesh` says of the file; other greenlets run meanwhile.

        Raises:
            MeshError: as `read_mesh`; ``inspector`` when the child died of this file twice, or took longer
                than the time limit.
        """
        with self._turn:
            try:
                reply = self._ask(content, hint)
            except (OSError, EOFError, msgspec.DecodeError):
                reply = self._ask_again(content, hint)
        if isinstance(reply, _Refusal):
            raise MeshError(reply.error_class, reply.message)
        return reply.facts

    def _ask_again(self, content: bytes, hint: str) -> _Found | _Refusal:
        """The child may have died of anything: a second one that dies, too, died of the file."""
        try:
            return self._ask(content, hint)
        except (OSError, EOFError, msgspec.DecodeError) as error:
            reason = str(error) or type(error).__name__
            raise MeshError("inspector", f"the inspector died twice of this file: {reason}") from error

    def _ask(self, content: bytes, hint: str) -> _Found | _Refusal:
        child = self._child = self._child or _Child()
        limit = gevent.Timeout(self._timeout_s)
        try:
            with limit:
                return child.exchange(_Task(hint, len(content)), content)
        except gevent.Timeout as timeout:
            self.close()
            if timeout is not limit:
                raise
            raise MeshError("inspector", f"the file was not read within {self._timeout_s:g} s") from None
        except BaseException:
            # A greenlet killed half-way leaves half a message in the pipe: nobody may read on from there.
            self.close()
            raise

    def close(self) -> None:
        """End the child; a later mesh starts another one."""
        child, self._child = self._child, None
        if child:
            child.close()


@cache
def shared() -> Inspector:
    """The one inspector of this process."""
    return Inspector()


class _Child:
    """The parent's end of one child."""

    def __init__(self) -> None:
        # Pipes of our own, not Popen's: they are the same whether gevent has patched Popen or not.
        tasks, self._tasks = os.pipe()
        self._replies, replies = os.pipe()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  open for as long as the child
        try:
            self._process = subprocess.Popen(
                # -P: whatever lies in the working directory must not be taken for a module of ours.
                [sys.executable, "-P", "-m", "genload.artifacts.inspector"],
                stdin=tasks,
                stdout=replies,
                stderr=self._words,
                env=_child_environment(),
            )
        finally:
            os.close(tasks)
            os.close(replies)
        self.pid = self._process.pid
        gevent.os.make_nonblocking(self._tasks)
        gevent.os.make_nonblocking(self._replies)

    def exchange(self, task: _Task, content: bytes) -> _Found | _Refusal:
        """Send one task and its file, and read the reply.

        Raises:
            OSError, EOFError: the child is gone.
        """
        try:
            self._write(_frame(task))
            self._write(content)
            (size,) = _LENGTH.unpack(self._read(_LENGTH.size))
            reply: _Found | _Refusal = _decode_reply(self._read(size))
            return reply
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
        self._words.seek(max(self._words.tell() - 2000, 0))
        lines = self._words.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        os.close(self._tasks)
        os.close(self._replies)
        self._words.close()
        self._process.kill()
        self._process.wait()


def _child_environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # One thread: the child runs beside the load generator on the same few cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}


def _frame(message: msgspec.Struct) -> bytes:
    data = _encode(message)
    return _LENGTH.pack(len(data)) + data


def _serve(tasks: BinaryIO, replies: BinaryIO) -> None:
    """The child: answer tasks until there are no more."""
    while head := tasks.read(_LENGTH.size):
        task = _decode_task(tasks.read(*_LENGTH.unpack(head)))
        content = tasks.read(task.size)
        if len(content) < task.size:
            return
        replies.write(_frame(_inspect(content, task.hint)))
        replies.flush()


def _inspect(content: bytes, hint: str) -> _Found | _Refusal:
    # Here and not above: the process that generates load must not carry the mesh libraries.
    from genload.artifacts.mesh import read_mesh

    try:
        return _Found(read_mesh(content, hint))
    except MeshError as error:
        return _Refusal(error.error_class, error.message)
    except MemoryError:
        return _Refusal("too_large", "the mesh does not fit into the inspector's memory")


def _limit_memory() -> None:
    """A file that unpacks to more than the machine has must end in an error, not in a dead machine."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux: no such limit there
        return
    in_use = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + _CHILD_MEMORY_BYTES, resource.RLIM_INFINITY))


def main() -> None:
    """Serve the process that started this one, over standard input and output."""
    # Ctrl-C reaches the whole process group; the parent decides when inspection ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import genload.artifacts.mesh  # noqa: F401  before the limit, which counts from what is loaded

    _limit_memory()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a parser prints must not get between the replies
    _serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
