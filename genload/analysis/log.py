"""What analysis reads of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from genload.runlog.reader import Later
from genload.runlog.records import Event, RunHeader, Sample
from genload.runlog.rows import Row


class Log(Protocol):
    """An opened run; `genload.runlog.reader.RunLog` is one."""

    folder: Path
    header: RunHeader

    def rows(self, later: Later | None = None) -> Iterator[Sequence[Row]]: ...

    def events(self) -> Iterator[Event]: ...

    def samples(self) -> Iterator[Sample]: ...

    def missing_records(self) -> dict[str, int]: ...

    @property
    def problems(self) -> list[str]: ...
