"""The later half of very many records, read by a process of its own while the one that judges reads the
earlier half.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from genload.cores import cores_there
from genload.runlog.layout import HEADER, REQUESTS, is_run_directory
from genload.runlog.noted import Noted
from genload.runlog.packing import Cut, middle, size_bytes

if TYPE_CHECKING:  # numpy is behind it, and the process is started before there is any
    from genload.analysis.taken import Taken

LEAST_BYTES = 1 << 26
"""Less than this one process reads before a second one is there."""

_BEGIN_BYTES = 40 << 20
"""About what a process reads in the time in which another begins: imports numpy, or what judges."""


class LaterHalf:
    """The other process. As a context manager it ends with it.

    Attributes:
        cut: where its half begins.
        taken: what it has read of each population, once `noted` has been asked for; None where that cannot
            be used.
    """

    def __init__(self, folder: Path, cut: Cut) -> None:
        self.cut = cut
        self.taken: Sequence[Taken] | None = None
        # -P: whatever lies in the working directory must not be taken for a module of ours.
        command = [sys.executable, "-P", "-m", "genload.analysis.later_process"]
        # A file, not a pipe: into that it could write no more than 64 KiB before anybody reads.
        self._columns = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
            [*command, str(folder), str(cut.member), str(cut.offset)],
            stdin=subprocess.DEVNULL,
            stdout=self._columns,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> LaterHalf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        with self._columns, self._process:  # waits for it
            pass

    def noted(self) -> Noted | None:
        """Wait until it has read all; None where it failed, or has ended before."""
        if self._process.wait() != 0:
            return None
        self._columns.seek(0)
        noted, self.taken = pickle.load(self._columns)  # noqa: S301  our own process
        assert isinstance(noted, Noted)  # noqa: S101  see `later_process`
        return noted

    def refuse(self) -> None:
        """What it has read is not used."""
        self.taken = None


_ahead: dict[Path, LaterHalf] = {}


@contextmanager
def reading_ahead(folder: Path) -> Iterator[None]:
    """Let the other process begin now with what is judged first in this context, a run or the first one of a
    suite folder: before what judges is imported, which takes as long as reading 150,000 records.
    """
    folder = (
        folder
        if is_run_directory(folder)
        else min(folder.glob(f"*/{HEADER}"), default=folder / HEADER).parent
    )
    if folder not in _ahead and (half := _started(folder)) is not None:
        _ahead[folder] = half
    try:
        yield
    finally:
        if (unused := _ahead.pop(folder, None)) is not None:
            with unused:
                pass


def later_half(folder: Path) -> LaterHalf | None:
    """A process that reads it; None where one is enough, or there is no core for it."""
    return _ahead.pop(folder, None) or _started(folder)


def _started(folder: Path) -> LaterHalf | None:
    path = folder / REQUESTS
    if size_bytes(path) < LEAST_BYTES or cores_there() < 2:
        return None
    # Who has numpy has begun, and reads until the other has, too; who has not is the later one of the two.
    further = _BEGIN_BYTES if "numpy" in sys.modules else -_BEGIN_BYTES
    try:
        cut = middle(path, further // 2)
        return None if cut is None else LaterHalf(folder, cut)
    except OSError:  # of the records, who reads the earlier half says so
        return None
