"""What is kept of failures, in ``failures/<error class>/``: the first few outputs of each kind as they came,
and the first tracebacks of users' code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import gevent
import msgspec
from gevent.event import AsyncResult

from genload.code_errors import CodeFailure
from genload.human import human
from genload.runlog.layout import FAILURES, safe_name

KEPT_PER_CLASS = 3
MAX_OUTPUT_BYTES = 8 * 2**20
MAX_RUN_BYTES = 64 * 2**20
MAX_SENT_BYTES = 256 * 2**10  # from a worker: its records must not wait behind megabytes
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")


class FailedOutput(msgspec.Struct, kw_only=True):
    """An output that is why its request failed. `content` is None when it is too large for any to be
    kept, or for a worker to send."""

    error_class: str
    request_id: str
    name: str  # the service's file name
    size_bytes: int
    content: bytes | None

    def to_send(self) -> FailedOutput:
        """As a worker sends it: without a content that is too large."""
        too_large = self.size_bytes > MAX_SENT_BYTES
        return msgspec.structs.replace(self, content=None) if too_large else self


class FirstFew:
    """Lets the first `KEPT_PER_CLASS` outputs of each error class through."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def number(self, error_class: str) -> int:
        """The output's number in its class, from 1; 0 when there have been enough."""
        if self._seen[error_class] >= KEPT_PER_CLASS:
            return 0
        self._seen[error_class] += 1
        return self._seen[error_class]


def _nothing() -> None:
    """What a pool is started with."""


class FailureStore:
    """Writes failed outputs into a run directory, in gevent's threads: the disk holds up no user.

    Args:
        folder: the run directory.
        tell: takes one sentence for each output that was to be kept and is not.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder = folder / FAILURES
        self._tell = tell
        self._first_few = FirstFew()
        self._bytes = 0
        self._writing: list[tuple[str, AsyncResult[str]]] = []
        # Loaded and started now: with no file left to open it could be neither when it is wanted.
        gevent.get_hub().threadpool.spawn(_nothing)

    def keep(self, output: FailedOutput) -> None:
        """Keep it, if it is one of the first of its class and not too large; returns at once."""
        number = self._first_few.number(output.error_class)
        if not number:
            return
        what = f"the {output.error_class} output of request {output.request_id} ({output.size_bytes} bytes)"
        if output.size_bytes > MAX_OUTPUT_BYTES or self._bytes + output.size_bytes > MAX_RUN_BYTES:
            limits = f"{human(MAX_OUTPUT_BYTES, 'bytes')} each, {human(MAX_RUN_BYTES, 'bytes')} a run"
            self._tell(f"{what} was not kept: at most {limits}")
        elif output.content is None:
            self._tell(f"{what} was not kept: a worker sends at most {human(MAX_SENT_BYTES, 'bytes')}")
        else:
            self._bytes += output.size_bytes
            path = self._folder / safe_name(output.error_class) / f"{number}-{safe_name(output.request_id)}"
            path = path.with_name(path.name + _extension(output.name))
            self._writing.append((what, gevent.get_hub().threadpool.spawn(_write, path, output.content)))

    def keep_trace(self, failure: CodeFailure) -> None:
        """Keep the traceback, if it is one of the first; returns at once."""
        number = self._first_few.number("")
        if number and failure.trace:
            name = f"{number}-{safe_name(failure.place.rpartition('/')[2])}.txt"
            path, content = (
                self._folder / failure.error_class / name,
                failure.trace.encode("utf-8", "replace"),
            )
            what = f"the traceback of {failure.place}"
            self._writing.append((what, gevent.get_hub().threadpool.spawn(_write, path, content)))

    def close(self) -> None:
        """Wait until all is written, and tell what could not be."""
        for what, written in self._writing:
            if reason := written.get():
                self._tell(f"{what} was not kept: {reason}")
        self._writing = []


def _extension(name: str) -> str:
    """Of the service's file name, if it is a plain one."""
    suffix = PurePosixPath(name).suffix
    return suffix.lower() if _EXTENSION.fullmatch(suffix) else ".bin"


def _write(path: Path, content: bytes) -> str:
    """In a thread beside gevent: pure, and no exception, which gevent would print. Why it failed, or ""."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        return error.strerror or str(error)
    return ""
