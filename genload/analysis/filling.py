"""The columns of requests while they fill, some rows at a time.

About 8 bytes a number: a million jobs with their stages stay far under 1 GB. Nothing here needs more than
numpy, so that a second process can fill some of them (`genload.analysis.later`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import groupby, starmap
from math import nan
from operator import attrgetter
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import astuple

from genload.runlog.rows import Fields, Row

FloatArray = npt.NDArray[np.float64]

SAID_BYTES = 7
"""Of the longest code."""

_WAITING_BYTES = 1 << 20


class Numbers:
    """Named numbers of rows, a column each."""

    def __init__(self) -> None:
        self._columns: dict[str, array[float]] = {}
        # Some thousand rows with the same numbers, row by row, before they are put into the columns.
        self._names: tuple[str, ...] = ()
        self._waiting = bytearray()
        self._filled = 0

    def put(self, numbers: Iterable[Fields]) -> None:
        """Those of the next rows."""
        for kind, same in groupby(numbers, attrgetter("__class__")):
            names = kind.__struct_encode_fields__
            if names != self._names or len(self._waiting) > _WAITING_BYTES:
                self._flush()
                self._names = names
            if names:
                self._waiting += b"".join(starmap(Struct(f"{len(names)}d").pack, map(astuple, same)))
            else:
                self._filled += len([*same])

    def join(self, later: Numbers) -> None:
        """Take those of another's rows as the next ones; the other is used up."""
        self._flush()
        later._flush()
        for name in [*later._columns]:
            there = self._columns.setdefault(name, array("d"))
            _fill(there, self._filled)
            there.extend(later._columns.pop(name))
        self._filled += later._filled

    def _flush(self) -> None:
        if not self._waiting:
            return
        values = np.frombuffer(self._waiting, np.float64).reshape(-1, len(self._names))
        for name, column in zip(self._names, values.T, strict=True):
            there = self._columns.get(name)
            if there is None:
                if np.isnan(column).all():
                    continue
                there = self._columns[name] = array("d")
            _fill(there, self._filled)
            there.frombytes(column.tobytes())
        self._filled += len(values)
        self._waiting = bytearray()

    def columns(self, order: npt.NDArray[np.intp], prefix: str = "") -> dict[str, FloatArray]:
        """One column a name, in that order of the rows; the numbers are used up, so that only one column is
        held twice."""
        self._flush()
        found: dict[str, FloatArray] = {}
        for name in [*self._columns]:
            there = self._columns.pop(name)
            _fill(there, len(order))
            found[prefix + name] = np.frombuffer(there, dtype=np.float64)[order]
        return found


def _fill(column: array[float], rows: int) -> None:
    """NaN for the rows that had no such number."""
    if len(column) < rows:
        column.frombytes(np.full(rows - len(column), nan).tobytes())


class _Codes(dict[tuple[Any, ...], int]):
    """A number for each word, from 0 in the order in which they are asked for."""

    def __missing__(self, word: tuple[Any, ...]) -> int:
        code = self[word] = len(self)
        return code


class Filling:
    """Columns that fill; `genload.analysis.table.table_of` makes a RequestTable of them.

    Attributes:
        start_s, duration_s, drained: of each row.
        intended_s: by the number of the row, of those of an open schedule.
        numbers, stages: see `Numbers`.
        words: outcome, error class, phase and labels of a row are one word here: there are few combinations.
        known: the combinations, and the code of each.
        said: the code in the text of each, as long as there are any.
        heard: by the number of the row.
    """

    def __init__(self) -> None:
        self.start_s, self.duration_s, self.drained = array("d"), array("d"), bytearray()
        self.intended_s: dict[int, float] = {}
        self.numbers, self.stages = Numbers(), Numbers()
        self.words, self.known = array("i"), _Codes()
        self.said = bytearray()
        self.heard: dict[int, str] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Take them as the next ones."""
        first, known = len(self.start_s), self.known
        self.start_s.extend([row.start_s for row in rows])
        self.duration_s.extend([row.duration_s for row in rows])
        self.drained.extend([row.drained for row in rows])
        self.stages.put([row.stages for row in rows])
        self.numbers.put([row.numbers for row in rows])
        self.words.extend([known[row.outcome, row.error_class, row.phase, row.labels] for row in rows])
        self.intended_s.update(
            [(number, row.intended_s) for number, row in enumerate(rows, first) if row.intended_s is not None]
        )
        for number, row in enumerate(rows, first):
            if row.said or row.heard is not None:
                self._add_words(number, row)

    def join(self, later: Filling) -> None:
        """Take another's rows as the next ones; the other is used up."""
        first = len(self.start_s)
        self.start_s.extend(later.start_s)
        self.duration_s.extend(later.duration_s)
        self.drained.extend(later.drained)
        self.stages.join(later.stages)
        self.numbers.join(later.numbers)
        self.words.extend(later._words_as([self.known[word] for word in later.known]))
        self.intended_s.update((first + number, s) for number, s in later.intended_s.items())
        self.heard.update((first + number, digits) for number, digits in later.heard.items())
        if later.said:
            self.said.extend(bytes(first * SAID_BYTES - len(self.said)) + later.said)

    def settle(self) -> None:
        """Name labels by pairs, in the place of a type that was made for reading: another process can take
        them, and what two types say is said once.
        """
        known = _Codes()
        self.words = self._words_as([known[*others, _pairs(labels)] for *others, labels in self.known])
        self.known = known

    def _words_as(self, codes: Sequence[int]) -> array[int]:
        """The words by other codes."""
        return array("i", np.array(codes, np.int32)[np.frombuffer(self.words, np.int32)].tobytes())

    def _add_words(self, number: int, row: Row) -> None:
        if row.heard is not None:
            self.heard[number] = row.heard
        if row.said:
            self.said.extend(bytes(number * SAID_BYTES - len(self.said)))
            self.said.extend(row.said.encode()[:SAID_BYTES].ljust(SAID_BYTES, b"\0"))


def _pairs(labels: Fields | tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Those that a row has."""
    if isinstance(labels, tuple):
        return labels
    pairs = zip(labels.__struct_encode_fields__, astuple(labels), strict=True)
    return tuple((name, value) for name, value in pairs if value)
