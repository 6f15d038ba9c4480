"""One GPU that several testbeds share: a file in which one says how many jobs run, for the others to read."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

_NUMBER = struct.Struct("=q")


class Board:
    """Eight bytes of memory that processes have in common. A reader sees a number of before or after, never
    half of each.

    Args:
        path: of the file, which is made if it is not there; None: nobody shares the GPU.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path | None) -> None:
        self._memory: mmap.mmap | None = None
        if path is None:
            return
        with path.open("a+b") as file:
            if os.fstat(file.fileno()).st_size < _NUMBER.size:
                file.write(bytes(_NUMBER.size))
                file.flush()
            self._memory = mmap.mmap(file.fileno(), _NUMBER.size)

    @property
    def jobs(self) -> int:
        """How many jobs run on the GPU."""
        return int(_NUMBER.unpack_from(self._memory)[0]) if self._memory is not None else 0

    @jobs.setter
    def jobs(self, running: int) -> None:
        if self._memory is not None:
            _NUMBER.pack_into(self._memory, 0, running)
