"""One append-only file of JSON lines, written so that a kill can cut only its last line."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from genload.errors import RunDirectoryError

_encoder = msgspec.json.Encoder()
_encode = _encoder.encode


def to_line(record: msgspec.Struct) -> bytes:
    """A record as one line with its end, which whatever text and numbers are in it can be read back.

    JSON has no infinity and no NaN: a mapping's entry with one is left out (not measured), in a field of the
    record itself it becomes null, which the reader reports. Lone surrogates become "?".
    """
    try:
        line = _encode(record)
    except UnicodeEncodeError:
        line = _encode(_plain(msgspec.to_builtins(record)))
    # Fields at their default are left out, so a null is a number that JSON cannot hold, or a word in a text.
    if b"null" in line:
        line = _encode(_plain(msgspec.to_builtins(record)))
    return line + b"\n"


def to_lines(records: Sequence[msgspec.Struct]) -> bytes:
    """Records as `to_line` makes them, in their order. All at once, and one by one only where one of them
    cannot be written as it is.
    """
    try:
        lines = _encoder.encode_lines(records)
    except UnicodeEncodeError:
        lines = b"null"
    return lines if b"null" not in lines else b"".join(map(to_line, records))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key): _finite(item) for key, item in value.items()}
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        kept = ((k, v) for k, v in value.items() if not isinstance(v, float) or math.isfinite(v))
        return _plain(dict(kept))
    return _plain(value)


class LineFile:
    """A file that lines are added to; they wait in memory until `flush`.

    What could not be written keeps waiting, to the byte: once there is room again, `flush` goes on exactly
    where the disk refused, so that no line is lost, cut or written twice.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is touched before `open`; lines may be added already."""
        self.path = path
        self._waiting = bytearray()
        self._fd: int | None = None

    def open(self) -> None:
        """Open the file for appending, or make it.

        Raises:
            RunDirectoryError: it cannot be opened.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._fd = os.open(self.path, flags, 0o644)
        except OSError as error:
            raise _refused(self.path, error, self.waiting) from error

    @property
    def waiting(self) -> int:
        """Lines that are not, or not wholly, in the file."""
        return self._waiting.count(b"\n")

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return len(self._waiting)

    def add(self, lines: bytes) -> None:
        """Take lines, each with its end, into memory."""
        self._waiting += lines

    def flush(self) -> None:
        """Write what waits, in one call where the system takes it whole.

        Raises:
            RunDirectoryError: the disk is full, the folder is gone, …; what waits goes on waiting.
        """
        if not self._waiting:
            return
        if self._fd is None:
            raise RunDirectoryError(f"{self.path} is not open; {self.waiting} lines wait to be written")
        self._check_there(self._fd)
        while self._waiting:
            try:
                written = os.write(self._fd, self._waiting)
            except OSError as error:
                raise _refused(self.path, error, self.waiting) from error
            del self._waiting[:written]

    def _check_there(self, fd: int) -> None:
        """A deleted file goes on taking writes, and loses them at the end: ask before every flush.

        A folder that was only renamed keeps its files, so the link count has the last word.
        """
        if os.fstat(fd).st_nlink == 0 and not self.path.exists():
            raise RunDirectoryError(
                f"{self.path} was deleted during the run; {self.waiting} lines wait to be written",
                remedy="let nothing clean up the results folder while a run goes on, and run again",
            )

    def close(self) -> None:
        """Flush, wait until the disk has it, and close; nothing when it is not open.

        Raises:
            RunDirectoryError: as `flush`; the file is closed all the same.
        """
        if self._fd is None:
            return
        try:
            self.flush()
            # Network filesystems report a full disk only here.
            os.fsync(self._fd)
        except OSError as error:
            raise _refused(self.path, error, self.waiting) from error
        finally:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = None


def _refused(path: Path, error: OSError, lines: int) -> RunDirectoryError:
    left = f"; {lines} lines wait to be written" if lines else ""
    return RunDirectoryError(
        f"{path} cannot be written: {error.strerror or error}{left}",
        remedy="make room on that disk, or choose another folder with --results",
    )
