"""What a run recorded, as columns of numpy, for reports that show more than judged numbers: charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from weakref import ref

from genload.analysis.filling import Filling
from genload.analysis.series import Series, SeriesStore
from genload.analysis.table import RequestTable, table_of
from genload.runlog.records import Event

KEPT_BYTES = 2**28
"""Columns of several runs stay in memory up to this size together; those of one run always do."""

_EVENT_BYTES = 1000  # a second has two
_SAMPLE_BYTES = 48  # of one metric: three numbers as they came, and in the order of time


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of one run; they are shared, and cannot be written to.

    Attributes:
        requests, warmup: the logical requests of the load, and those before it.
        store: the samples.
        events: in the order written.
    """

    requests: RequestTable
    warmup: RequestTable
    store: SeriesStore
    events: list[Event]

    def __post_init__(self) -> None:
        for table in (self.requests, self.warmup):
            for column in (*table.columns, table.ok):
                column.setflags(write=False)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        found = tuple(self.store.all())
        for series in found:
            for column in (series.times_s, series.values, series.took_s):
                column.setflags(write=False)
        return found

    @cached_property
    def size_bytes(self) -> int:
        """About what they take in memory."""
        numbers = sum(column.nbytes for column in (*self.requests.columns, *self.warmup.columns))
        return numbers + _SAMPLE_BYTES * self.store.samples + _EVENT_BYTES * len(self.events)


class Recorded:
    """Records, samples and events of one judged run. Times are seconds since the run began.

    What judging has read is here without being read again. Of several runs whose columns are more than
    `KEPT_BYTES`, those that were not asked for the longest go, and are read again when they are.

    Args:
        folder: the run directory.
        read: reads its columns.
        columns: those that were read already.

    Any attribute but `folder` raises a RunDirectoryError where the run has to be read again and cannot be.
    """

    def __init__(self, folder: Path, read: Callable[[], Columns], columns: Columns | None = None) -> None:
        self.folder = folder
        self._read = read
        self._columns = columns
        if columns is not None:
            _make_room_for(self)

    @property
    def requests(self) -> RequestTable:
        """The logical requests of the load in the order of their start, failed and unfinished ones too."""
        return self._there().requests

    @property
    def warmup(self) -> RequestTable:
        """The requests before the load, which are in no number of it."""
        return self._there().warmup

    @property
    def series(self) -> tuple[Series, ...]:
        """The samples: a series for each metric of each machine from each monitor, of the whole run."""
        return self._there().series

    @property
    def events(self) -> list[Event]:
        """What happened to the run as a whole: users by the second, phases, notices."""
        return self._there().events

    def _there(self) -> Columns:
        if self._columns is None:
            self._columns = self._read()
        _make_room_for(self)
        return self._columns


_in_memory: list[ref[Recorded]] = []  # the one in use last


def _make_room_for(used: Recorded) -> None:
    """Let go of other runs' columns that do not fit beside those of this one."""
    others = [each for known in _in_memory if (each := known()) is not None and each is not used]
    _in_memory[:] = map(ref, [*others, used])
    taken_bytes = 0
    for each in [used, *reversed(others)]:
        taken_bytes += each._columns.size_bytes if each._columns is not None else 0
        if taken_bytes > KEPT_BYTES and each is not used:
            each._columns = None


def nothing_recorded() -> Recorded:
    """Of a run without a run directory."""
    return Recorded(
        Path(), lambda: Columns(table_of(Filling()), table_of(Filling()), SeriesStore([], []), [])
    )
