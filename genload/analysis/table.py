"""The requests of a run as columns: what every statistic is computed from.

One pass over the records, about 8 bytes a number: a million jobs with their stages stay far under 1 GB.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.runlog.records import LEFT, RequestRecord

OUTCOMES = {"ok": 0, "failed": 1, "unfinished": 2, LEFT: 3}

_ERROR = "\0error_class"  # among the labels while the table is filled, under a name that no label has

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
    """

    start_s: FloatArray
    end_s: FloatArray
    duration_s: FloatArray
    outcome: npt.NDArray[np.uint8]
    error_class: Coded
    drained: BoolArray
    numbers: Mapping[str, FloatArray]
    labels: Mapping[str, Coded]

    def __len__(self) -> int:
        return len(self.start_s)

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
    """Named numbers of rows, kept together as they come: those of one set of names in one array.

    Records of one kind name the same numbers in the same order, so that a million of them is a few arrays,
    each of which grows by many whole records at a time.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, ...], tuple[array[int], array[float]]] = {}

    def put(self, first: int, numbers: Sequence[Mapping[str, float]]) -> None:
        """Those of the rows from `first` on."""
        shapes = [tuple(each) for each in numbers]
        different = set(shapes)
        for names in different - {()}:
            rows: Sequence[int] = range(len(shapes))
            if len(different) > 1:
                rows = [row for row in rows if shapes[row] == names]
            places, values = self._groups.setdefault(names, (array("i"), array("d")))
            places.extend([first + row for row in rows])
            values.extend(chain.from_iterable([numbers[row].values() for row in rows]))

    def columns(self, rows: int, prefix: str = "") -> dict[str, FloatArray]:
        """One column a name, NaN where a row has none; the numbers are used up."""
        found: dict[str, FloatArray] = {}
        while self._groups:
            names, (places, values) = self._groups.popitem()
            table = np.frombuffer(values, dtype=np.float64).reshape(len(places), len(names))
            for number, name in enumerate(names):
                column = found.setdefault(prefix + name, np.full(rows, nan))
                column[np.frombuffer(places, dtype=np.int32)] = table[:, number]
        return found


class TableBuilder:
    """Fills the columns of a RequestTable, some records at a time."""

    def __init__(self) -> None:
        self._start_s, self._duration_s = array("d"), array("d")
        self._intended_s: dict[int, float] = {}  # of the rows of an open schedule
        self._outcome, self._drained = bytearray(), bytearray()
        self._numbers, self._stages = _Numbers(), _Numbers()
        # Phase, error class and labels of a row are one word here: there are few combinations of them.
        self._words = array("i")
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, records: Sequence[RequestRecord]) -> None:
        """Take them as the next rows."""
        first = len(self._outcome)
        self._start_s.extend([record.start_s for record in records])
        self._duration_s.extend([record.duration_s for record in records])
        self._outcome.extend([OUTCOMES.get(record.outcome, OUTCOMES["failed"]) for record in records])
        self._drained.extend([record.drained for record in records])
        known = self._known
        self._words.extend(
            [
                known.setdefault(
                    (record.outcome, record.error_class, record.phase, *record.labels.items()), len(known)
                )
                for record in records
            ]
        )
        self._stages.put(first, [record.stages for record in records])
        self._numbers.put(first, [record.numbers for record in records])
        for row, record in enumerate(records, first):
            if record.intended_s is not None:
                self._intended_s[row] = record.intended_s

    def build(self) -> RequestTable:
        """The table, in the order of start; the builder is used up."""
        started_s = np.frombuffer(self._start_s, dtype=np.float64)
        duration_s = np.frombuffer(self._duration_s, dtype=np.float64)
        start_s, end_s, delays_s = started_s, started_s + duration_s, self._delays_s()
        if delays_s is not None:
            start_s, duration_s = started_s.copy(), duration_s + np.nan_to_num(delays_s)
            start_s[list(self._intended_s)] = list(self._intended_s.values())
        order = np.argsort(start_s, kind="stable")
        rows = len(order)
        numbers = self._stages.columns(rows, "stage.") | self._numbers.columns(rows)
        if delays_s is not None:
            told = numbers.get("start_delay_s", delays_s)
            numbers["start_delay_s"] = np.where(np.isnan(told), delays_s, told)
        for name in numbers:  # one by one, so that only one column is held twice
            numbers[name] = numbers[name][order]
        labels = self._labels(np.frombuffer(self._words, dtype=np.int32)[order])
        return RequestTable(
            start_s=start_s[order],
            end_s=end_s[order],
            duration_s=duration_s[order],
            outcome=np.frombuffer(self._outcome, dtype=np.uint8)[order],
            error_class=labels.pop(_ERROR, (np.zeros(0, dtype=np.int32), ("",))),
            drained=np.frombuffer(self._drained, dtype=np.bool_)[order],
            numbers=numbers,
            labels=labels,
        )

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
            {_ERROR: "" if outcome == "ok" else error_class or outcome, "phase": phase, **dict(labels)}
            for outcome, error_class, phase, *labels in self._known
        ]
        found: dict[str, Coded] = {}
        for name in dict.fromkeys(name for combination in combinations for name in combination):
            known = {"": 0}
            codes = [known.setdefault(each.get(name, ""), len(known)) for each in combinations]
            found[name] = np.array(codes, dtype=np.int32)[words], tuple(known)
        return found
