"""The requests of a run as columns: what every statistic is computed from.

One pass over the records, about 8 bytes a number: a million jobs with their stages stay far under 1 GB.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby
from math import nan
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import astuple

from genload.analysis.evidence.busy import IntArray, spells_of
from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.runlog.records import LEFT
from genload.runlog.rows import Fields, Row

OUTCOMES = {"ok": 0, "failed": 1, "unfinished": 2, LEFT: 3}

_ERROR = "\0error_class"  # among the labels while the table is filled, under a name that no label has

_SAID_BYTES = 7  # of the longest code

Coded = tuple[npt.NDArray[np.int32], tuple[str, ...]]
"""A column of words: a code a request, and the word of each code."""


@dataclass(frozen=True)
class RequestTable:
    """Requests in the order of their start; all columns have one entry a request.

    Attributes:
        start_s: seconds since the run began: the intended start where a schedule had one.
        end_s: when it really ended.
        duration_s: end - start, so that a request which an open schedule had to hold back has waited.
        outcome: codes of OUTCOMES.
        error_class: codes, and the class of each code; "" for a success.
        numbers: by name; stages as ``stage.NAME``; NaN where a request has none.
        labels: by name, the phase among them: codes, and the value of each code.
        said: the code in the text of each; None where no text has one.
        heard: by row, the digits that were heard in the answers that were listened to.
        warmup_codes: how many the warm-up spoke, and how many of them were understood.
        unheard: why the words of some answers are not judged; "" where all are that were listened to.
    """

    start_s: FloatArray
    end_s: FloatArray
    duration_s: FloatArray
    outcome: npt.NDArray[np.uint8]
    error_class: Coded
    drained: BoolArray
    numbers: Mapping[str, FloatArray]
    labels: Mapping[str, Coded]
    said: npt.NDArray[np.bytes_] | None = None
    heard: Mapping[int, str] = field(default_factory=dict)
    warmup_codes: tuple[int, int] = (0, 0)
    unheard: str = ""

    def __len__(self) -> int:
        return len(self.start_s)

    @cached_property
    def spells(self) -> IntArray:
        """Of an open load: the busy spell in which each request came."""
        return spells_of(self.start_s, self.end_s)

    @property
    def columns(self) -> list[npt.NDArray[Any]]:
        """All of them; of words their codes."""
        words = [codes for codes, _ in (self.error_class, *self.labels.values())]
        return [
            self.start_s,
            self.end_s,
            self.duration_s,
            self.outcome,
            self.drained,
            *words,
            *self.numbers.values(),
        ]

    @cached_property
    def ok(self) -> BoolArray:
        found: BoolArray = self.outcome == OUTCOMES["ok"]
        return found

    def where(self, label: str, value: str) -> BoolArray:
        """Which requests carry this value of a label (``phase`` is one)."""
        codes, values = self.labels.get(label, (None, ()))
        if codes is None or value not in values:
            return np.zeros(len(self), dtype=np.bool_)
        found: BoolArray = codes == values.index(value)
        return found

    def failed_with(self, classes: Collection[str]) -> BoolArray:
        """Which requests failed with one of these error classes."""
        codes, names = self.error_class
        found: BoolArray = np.isin(codes, [code for code, name in enumerate(names) if name in classes])
        return found

    def values_of(self, label: str) -> tuple[str, ...]:
        """The values of a label that occurred, in the order of their first record."""
        return tuple(value for value in self.labels.get(label, (None, ()))[1] if value)

    def column(self, key: str) -> FloatArray | None:
        """A number of the records by its key (`Metric.key`); None when no record has it."""
        return self.duration_s if key == "duration" else self.numbers.get(key)


class _Numbers:
    """Named numbers of rows, a column each that grows by many rows at a time."""

    def __init__(self) -> None:
        self._columns: dict[str, array[float]] = {}

    def put(self, first: int, numbers: Iterable[Fields]) -> None:
        """Those of the rows from `first` on."""
        for names, same in groupby(numbers, attrgetter("__struct_encode_fields__")):
            rows = [*map(astuple, same)]
            if names:
                values = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * len(names))
                for name, column in zip(names, values.reshape(len(rows), -1).T, strict=True):
                    self._put(name, first, column)
            first += len(rows)

    def _put(self, name: str, first: int, column: FloatArray) -> None:
        there = self._columns.get(name)
        if there is None:
            if np.isnan(column).all():
                return
            there = self._columns[name] = array("d")
        if len(there) < first:
            _fill(there, first)
        there.frombytes(column.tobytes())

    def columns(self, order: npt.NDArray[np.intp], prefix: str = "") -> dict[str, FloatArray]:
        """One column a name, in that order of the rows; the numbers are used up, so that only one column is
        held twice."""
        found: dict[str, FloatArray] = {}
        for name in [*self._columns]:
            there = self._columns.pop(name)
            _fill(there, len(order))
            found[prefix + name] = np.frombuffer(there, dtype=np.float64)[order]
        return found


def _fill(column: array[float], rows: int) -> None:
    """NaN for the rows that had no such number."""
    column.frombytes(np.full(rows - len(column), nan).tobytes())


class _Codes(dict[tuple[Any, ...], int]):
    """A number for each word, from 0 in the order in which they are asked for."""

    def __missing__(self, word: tuple[Any, ...]) -> int:
        code = self[word] = len(self)
        return code


class TableBuilder:
    """Fills the columns of a RequestTable, some rows at a time."""

    def __init__(self) -> None:
        self._start_s, self._duration_s = array("d"), array("d")
        self._intended_s: dict[int, float] = {}  # of the rows of an open schedule
        self._drained = bytearray()
        self._numbers, self._stages = _Numbers(), _Numbers()
        self._said = bytearray()
        self._heard: dict[int, str] = {}
        # Outcome, phase, error class and labels of a row are one word here: there are few combinations.
        self._words, self._known = array("i"), _Codes()

    def add(self, rows: Sequence[Row]) -> None:
        """Take them as the next ones."""
        first, known = len(self._start_s), self._known
        self._start_s.extend([row.start_s for row in rows])
        self._duration_s.extend([row.duration_s for row in rows])
        self._drained.extend([row.drained for row in rows])
        self._stages.put(first, [row.stages for row in rows])
        self._numbers.put(first, [row.numbers for row in rows])
        self._words.extend([known[row.outcome, row.error_class, row.phase, row.labels] for row in rows])
        self._intended_s.update(
            [(number, row.intended_s) for number, row in enumerate(rows, first) if row.intended_s is not None]
        )
        self._heard.update(
            [(number, row.heard) for number, row in enumerate(rows, first) if row.heard is not None]
        )
        for number, row in enumerate(rows, first):
            if row.said:
                self._said.extend(bytes(number * _SAID_BYTES - len(self._said)))
                self._said.extend(row.said.encode()[:_SAID_BYTES].ljust(_SAID_BYTES, b"\0"))

    def build(self) -> RequestTable:
        """The table, in the order of start; the builder is used up."""
        started_s = np.frombuffer(self._start_s, dtype=np.float64)
        duration_s = np.frombuffer(self._duration_s, dtype=np.float64)
        start_s, end_s, delays_s = started_s, started_s + duration_s, self._delays_s()
        if delays_s is not None:
            start_s, duration_s = started_s.copy(), duration_s + np.nan_to_num(delays_s)
            start_s[list(self._intended_s)] = list(self._intended_s.values())
        order = np.argsort(start_s, kind="stable")
        numbers = self._stages.columns(order, "stage.") | self._numbers.columns(order)
        if delays_s is not None:
            delays_s = delays_s[order]
            told = numbers.get("start_delay_s", delays_s)
            numbers["start_delay_s"] = np.where(np.isnan(told), delays_s, told)
        words = np.frombuffer(self._words, dtype=np.int32)[order]
        outcomes = [OUTCOMES.get(outcome, OUTCOMES["failed"]) for outcome, *_ in self._known]
        labels = self._labels(words)
        return RequestTable(
            start_s=start_s[order],
            end_s=end_s[order],
            duration_s=duration_s[order],
            outcome=np.array(outcomes, dtype=np.uint8)[words],
            error_class=labels.pop(_ERROR, (np.zeros(0, dtype=np.int32), ("",))),
            drained=np.frombuffer(self._drained, dtype=np.bool_)[order],
            numbers=numbers,
            labels=labels,
            said=self._codes_said(order),
            heard=self._digits_heard(order),
        )

    def _codes_said(self, order: npt.NDArray[np.int64]) -> npt.NDArray[np.bytes_] | None:
        if not self._said:
            return None
        self._said.extend(bytes(len(order) * _SAID_BYTES - len(self._said)))
        said: npt.NDArray[np.bytes_] = np.frombuffer(self._said, dtype=f"S{_SAID_BYTES}")[order]
        return said

    def _digits_heard(self, order: npt.NDArray[np.int64]) -> dict[int, str]:
        if not self._heard:
            return {}
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        return {int(places[row]): digits for row, digits in self._heard.items()}

    def _delays_s(self) -> FloatArray | None:
        """How late each row of an open schedule began, NaN for others; None where there is none."""
        if not self._intended_s:
            return None
        delays_s = np.full(len(self._start_s), nan)
        rows = np.fromiter(self._intended_s, dtype=np.int64)
        delays_s[rows] = np.array(self._start_s)[rows] - np.fromiter(self._intended_s.values(), np.float64)
        return delays_s

    def _labels(self, words: npt.NDArray[np.int32]) -> dict[str, Coded]:
        """The columns of the labels, and of the error class, from the word of each row."""
        combinations = [
            {_ERROR: "" if outcome == "ok" else error_class or outcome, "phase": phase, **_named(labels)}
            for outcome, error_class, phase, labels in self._known
        ]
        found: dict[str, Coded] = {}
        for name in dict.fromkeys(name for combination in combinations for name in combination):
            known = {"": 0}
            codes = [known.setdefault(each.get(name, ""), len(known)) for each in combinations]
            found[name] = np.array(codes, dtype=np.int32)[words], tuple(known)
        return found


def _named(labels: Fields) -> dict[str, str]:
    """Those that a row has."""
    pairs = zip(labels.__struct_encode_fields__, astuple(labels), strict=True)
    return {name: value for name, value in pairs if value}
