"""The requests of a run as columns: what every statistic is computed from.

One pass over the records, about 8 bytes a number: a million jobs with their stages stay far under 1 GB.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence import BoolArray, FloatArray
from genload.runlog.records import RequestRecord

OUTCOMES = {"ok": 0, "failed": 1, "unfinished": 2}


@dataclass(frozen=True)
class RequestTable:
    """Requests in the order of their start; all columns have one entry a request.

    Attributes:
        start_s: seconds since the run began: the intended start where a schedule had one.
        end_s: when it really ended.
        outcome: codes of OUTCOMES.
        numbers: by name; stages as ``stage.NAME``; NaN where a request has none.
        labels: by name, the phase among them: codes, and the value of each code.
    """

    start_s: FloatArray
    end_s: FloatArray
    duration_s: FloatArray
    outcome: npt.NDArray[np.uint8]
    drained: BoolArray
    numbers: Mapping[str, FloatArray]
    labels: Mapping[str, tuple[npt.NDArray[np.int32], tuple[str, ...]]]

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

    def values_of(self, label: str) -> tuple[str, ...]:
        """The values of a label that occurred, in the order of their first record."""
        return tuple(value for value in self.labels.get(label, (None, ()))[1] if value)

    def column(self, name: str) -> FloatArray | None:
        """``duration``, a stage or another number of the records; None when no record has it."""
        if name == "duration":
            return self.duration_s
        return self.numbers.get(name, self.numbers.get(f"{name}_s"))


class TableBuilder:
    """Fills the columns of a RequestTable, one record at a time."""

    def __init__(self) -> None:
        self._start_s, self._end_s, self._duration_s = array("d"), array("d"), array("d")
        self._outcome, self._drained = bytearray(), bytearray()
        self._numbers: dict[str, array[float]] = {}
        self._codes: dict[str, array[int]] = {"phase": array("i")}
        self._known: dict[str, dict[str, int]] = {"phase": {"": 0}}

    def add(self, record: RequestRecord) -> None:
        row = len(self._outcome)
        self._start_s.append(record.start_s if record.intended_s is None else record.intended_s)
        self._end_s.append(record.start_s + record.duration_s)
        self._duration_s.append(record.duration_s)
        self._outcome.append(OUTCOMES.get(record.outcome, OUTCOMES["failed"]))
        self._drained.append(record.drained)
        self._label(row, "phase", record.phase)
        for name, value in record.labels.items():
            self._label(row, name, value)
        for name, seconds in record.stages.items():
            self._number(row, f"stage.{name}", seconds)
        for name, number in record.numbers.items():
            self._number(row, name, number)

    def _number(self, row: int, name: str, value: float) -> None:
        column = self._numbers.get(name)
        if column is None:
            column = self._numbers[name] = array("d")
        if len(column) < row:
            column.extend((nan,) * (row - len(column)))
        column.append(value)

    def _label(self, row: int, name: str, value: str) -> None:
        codes = self._codes.get(name)
        if codes is None:
            codes, self._known[name] = self._codes.setdefault(name, array("i")), {"": 0}
        if len(codes) < row:
            codes.extend((0,) * (row - len(codes)))
        known = self._known[name]
        codes.append(known.setdefault(value, len(known)))

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
        labels = {}
        for name, codes in self._codes.items():
            codes.extend((0,) * (rows - len(codes)))
            labels[name] = (np.frombuffer(codes, dtype=np.int32)[order], tuple(self._known[name]))
        return RequestTable(
            start_s=start_s[order],
            end_s=np.frombuffer(self._end_s, dtype=np.float64)[order],
            duration_s=np.frombuffer(self._duration_s, dtype=np.float64)[order],
            outcome=np.frombuffer(self._outcome, dtype=np.uint8)[order],
            drained=np.frombuffer(self._drained, dtype=np.bool_)[order],
            numbers=numbers,
            labels=labels,
        )
