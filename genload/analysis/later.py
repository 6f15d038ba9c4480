"""The later half of very many records, read by a process of its own while the one that judges reads the
earlier half: `python -P -m genload.analysis.later FOLDER MEMBER OFFSET OPERATION POPULATION`.

What it hands back are columns, by pickle: it is this program's own, and from nowhere else.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from genload.analysis.taken import Taken
from genload.cores import cores_there
from genload.runlog.layout import REQUESTS
from genload.runlog.noted import Noted
from genload.runlog.packing import Cut, middle, size_bytes
from genload.runlog.reader import open_run
from genload.runlog.records import RunHeader

LEAST_BYTES = 1 << 26
"""Less than this one process reads before a second one is there."""


class LaterHalf:
    """The other process. As a context manager it ends with it.

    Attributes:
        cut: where its half begins.
        taken: what it has read, once `noted` has been asked for; None where that cannot be used.
    """

    def __init__(self, folder: Path, header: RunHeader, cut: Cut) -> None:
        self.cut = cut
        self.taken: Taken | None = None
        where = [str(folder), str(cut.member), str(cut.offset)]
        # -P: whatever lies in the working directory must not be taken for a module of ours.
        command = [sys.executable, "-P", "-m", __name__, *where, header.operation, header.population]
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> LaterHalf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        with self._process:  # closes its pipe, and waits for it
            pass

    def noted(self) -> Noted | None:
        """Wait until it has read all; None where it failed."""
        assert self._process.stdout is not None  # noqa: S101  it was asked for
        try:
            noted, self.taken = pickle.load(self._process.stdout)  # noqa: S301  our own process
        except (EOFError, pickle.UnpicklingError):
            return None
        assert isinstance(noted, Noted)  # noqa: S101  see `main`
        return noted

    def refuse(self) -> None:
        """What it has read is not used."""
        self.taken = None


def later_half(folder: Path, header: RunHeader) -> LaterHalf | None:
    """A process that reads it; None where one is enough, or there is no core for it."""
    path = folder / REQUESTS
    if size_bytes(path) < LEAST_BYTES or cores_there() < 2:
        return None
    cut = middle(path)
    return None if cut is None else LaterHalf(folder, header, cut)


def main() -> None:
    folder, member, offset, operation, population = sys.argv[1:]
    rows, noted = open_run(Path(folder)).rows_after(Cut(int(member), int(offset)))
    taken = Taken(operation)
    for block in rows:
        taken.add([row for row in block if row.population == population] if population else block)
    taken.settle()
    pickle.dump((noted, taken), sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main()
