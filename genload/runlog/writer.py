"""Writing a run directory while the run goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from genload.errors import RunDirectoryError
from genload.runlog.layout import EVENTS, HEADER, REQUESTS, SAMPLES
from genload.runlog.lines import LineFile, to_line, to_lines
from genload.runlog.packing import PACKED
from genload.runlog.records import Event, RequestRecord, RunHeader

MAX_ERROR_CHARACTERS = 500
BLOCK = 256
"""So many records are made into lines before a `flush`."""
MOST_WAITING_BYTES = 2**20
"""Lines of records are written when there are more, without a `flush`: memory stays the same, and the others
of a process are not held up by many of them at once."""


class RunWriter:
    """The one writer of a run directory; the sampler adds samples.jsonl beside it.

    `requests` and `event` take into memory; `flush` writes, and is called at least every second. Of thousands
    of records a second `requests` writes some before that. Records are made into lines many at a time, which
    takes half of what it takes one by one. What waits before `header` is written after it, so that a
    directory with records in it always says what they belong to.
    """

    def __init__(self, folder: Path) -> None:
        """Make the directory.

        Raises:
            RunDirectoryError: it holds a run already, or cannot be made.
        """
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunDirectoryError(
                f"{folder} cannot be made: {error.strerror or error}",
                remedy="choose another folder with --results",
            ) from error
        if any((folder / name).exists() for name in (HEADER, REQUESTS, REQUESTS + PACKED, EVENTS, SAMPLES)):
            raise RunDirectoryError(
                f"{folder} holds a run already", remedy="choose another folder: runs are never added to"
            )
        self._requests = LineFile(folder / REQUESTS)
        self._events = LineFile(folder / EVENTS)
        self._begun = False
        self._taken: list[RequestRecord] = []  # that are no lines yet

    @property
    def unwritten(self) -> int:
        """Records and events that are not in a file yet."""
        return len(self._taken) + self._requests.waiting + self._events.waiting

    def header(self, header: RunHeader) -> None:
        """Write run.json: whole, or not at all.

        Raises:
            RunDirectoryError: it cannot be written, or has been.
        """
        path = self.folder / HEADER
        if self._begun:
            raise RunDirectoryError(f"{path} is written once, and has been")
        partial = path.with_suffix(".json.part")
        try:
            with partial.open("wb") as file:
                file.write(msgspec.json.format(to_line(header), indent=2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            raise RunDirectoryError(
                f"{path} cannot be written: {error.strerror or error}",
                remedy="make room on that disk, or choose another folder with --results",
            ) from error
        self._begun = True
        self._requests.open()
        self._events.open()

    def requests(self, records: Sequence[RequestRecord]) -> None:
        """Take request records, which are not changed any more; their error texts are bounded."""
        self._taken += records
        if len(self._taken) >= BLOCK:
            self._make_lines()

    def event(self, event: Event) -> None:
        """Take one event."""
        self._events.add(to_line(event))

    def flush(self) -> None:
        """Write what waits, requests before events, so that no event speaks of a record that is not there.

        Raises:
            RunDirectoryError: the disk is full, the folder is gone, …; what waits goes on waiting
                (`unwritten`), and the next flush tries again.
        """
        self._make_lines()
        if self._begun:
            self._requests.flush()
            self._events.flush()

    def close(self) -> None:
        """Write what waits and close the files. A second call does nothing.

        Raises:
            RunDirectoryError: something could not be written (`unwritten`), or there was never a header.
        """
        self._make_lines()
        if not self._begun and self.unwritten:
            raise RunDirectoryError(f"{self.folder} has {self.unwritten} records waiting, and no {HEADER}")
        try:
            self._requests.close()
        finally:
            self._events.close()

    def _make_lines(self) -> None:
        if self._taken:
            bounded = [_bounded(record) if record.error else record for record in self._taken]
            self._requests.add(to_lines(bounded))
            self._taken.clear()
            if self._begun and self._requests.size >= MOST_WAITING_BYTES:
                with suppress(RunDirectoryError):  # what is wrong, the next `flush` says
                    self._requests.flush()


def _bounded(record: RequestRecord) -> RequestRecord:
    if len(record.error) <= MAX_ERROR_CHARACTERS:
        return record
    return msgspec.structs.replace(record, error=record.error[: MAX_ERROR_CHARACTERS - 1] + "…")
