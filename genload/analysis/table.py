"""The requests of a run as columns: what every statistic is computed from.

One pass over the records, about 8 bytes a number: a million jobs with their stages stay far under 1 GB.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence import BoolArray, FloatArray
from genload.runlog.records import RequestRecord

OUTCOMES = {"ok": 0, "failed": 1, "unfinished": 2}

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

    def column(self, name: str) -> FloatArray | None:
        """``duration``, a stage or another number of the records; None when no record has it."""
        if name == "duration":
            return self.duration_s
        return self.numbers.get(name, self.numbers.get(f"{name}_s"))


class _Words:
    """A column of words while it is filled; a row that is passed over has none."""

    def __init__(self) -> None:
        self._codes = array("i")
        self._known = {"": 0}

    def put(self, row: int, word: str) -> None:
        codes, known = self._codes, self._known
        if len(codes) < row:
            codes.extend((0,) * (row - len(codes)))
        codes.append(known.setdefault(word, len(known)))

    def coded(self, order: npt.NDArray[np.intp]) -> Coded:
        self._codes.extend((0,) * (len(order) - len(self._codes)))
        return np.frombuffer(self._codes, dtype=np.int32)[order], tuple(self._known)


class TableBuilder:
    """Fills the columns of a RequestTable, one record at a time."""

    def __init__(self) -> None:
        self._start_s, self._end_s, self._duration_s = array("d"), array("d"), array("d")
        self._outcome, self._drained = bytearray(), bytearray()
        self._numbers: dict[str, array[float]] = {}
        self._errors = _Words()
        self._labels: dict[str, _Words] = {"phase": _Words()}

    def add(self, record: RequestRecord) -> None:
        row = len(self._outcome)
        intended_s = record.start_s if record.intended_s is None else record.intended_s
        end_s = record.start_s + record.duration_s
        self._start_s.append(intended_s)
        self._end_s.append(end_s)
        # Not end - start for the others: what one clock measured is not put through two roundings.
        self._duration_s.append(record.duration_s if record.intended_s is None else end_s - intended_s)
        self._outcome.append(OUTCOMES.get(record.outcome, OUTCOMES["failed"]))
        self._drained.append(record.drained)
        if record.outcome != "ok":
            self._errors.put(row, record.error_class or record.outcome)
        self._labels["phase"].put(row, record.phase)
        for name, value in record.labels.items():
            words = self._labels.get(name)
            if words is None:
                words = self._labels[name] = _Words()
            words.put(row, value)
        for name, seconds in record.stages.items():
            self._number(row, f"stage.{name}", seconds)
        for name, number in record.numbers.items():
            self._number(row, name, number)
        if record.intended_s is not None and "start_delay_s" not in record.numbers:
            self._number(row, "start_delay_s", record.start_s - intended_s)

    def _number(self, row: int, name: str, value: float) -> None:
        column = self._numbers.get(name)
        if column is None:
            column = self._numbers[name] = array("d")
        if len(column) < row:
            column.extend((nan,) * (row - len(column)))
        column.append(value)

    def build(self) -> RequestTable:
        """The table, in the order of start; the builder is used up."""
        start_s = np.frombuffer(self._start_s, dtype=np.float64)
        order = np.argsort(start_s, kind="stable")
        rows = len(order)
        numbers = {}
        while self._numbers:  # one by one, so that a column is never held twice
            name, column = self._numbers.popitem()
            column.extend((nan,) * (rows - len(column)))
            numbers[name] = np.frombuffer(column, dtype=np.float64)[order]
        return RequestTable(
            start_s=start_s[order],
            end_s=np.frombuffer(self._end_s, dtype=np.float64)[order],
            duration_s=np.frombuffer(self._duration_s, dtype=np.float64)[order],
            outcome=np.frombuffer(self._outcome, dtype=np.uint8)[order],
            error_class=self._errors.coded(order),
            drained=np.frombuffer(self._drained, dtype=np.bool_)[order],
            numbers=numbers,
            labels={name: words.coded(order) for name, words in self._labels.items()},
        )
