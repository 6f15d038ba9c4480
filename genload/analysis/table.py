"""The requests of a run as columns: what every statistic is computed from.

One pass over the records, about 8 bytes a number: a million jobs with their stages stay far under 1 GB.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.runlog.records import RequestRecord

OUTCOMES = {"ok": 0, "failed": 1, "unfinished": 2}

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
    each of which grows by a whole record at a time.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, ...], tuple[array[int], array[float]]] = {}

    def put(self, row: int, numbers: Mapping[str, float]) -> None:
        names = tuple(numbers)
        group = self._groups.get(names)
        if group is None:
            group = self._groups[names] = array("i"), array("d")
        group[0].append(row)
        group[1].extend(numbers.values())

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
    """Fills the columns of a RequestTable, one record at a time."""

    def __init__(self) -> None:
        self._start_s, self._end_s, self._duration_s = array("d"), array("d"), array("d")
        self._outcome, self._drained = bytearray(), bytearray()
        self._numbers, self._stages = _Numbers(), _Numbers()
        # Phase, error class and labels of a row are one word here: there are few combinations of them.
        self._words = array("i")
        self._known: dict[tuple[tuple[str, str], ...], int] = {}

    def add(self, record: RequestRecord) -> None:
        row = len(self._outcome)
        intended_s = record.start_s if record.intended_s is None else record.intended_s
        end_s = record.start_s + record.duration_s
        self._start_s.append(intended_s)
        self._end_s.append(end_s)
        self._duration_s.append(record.latency_s)
        self._outcome.append(OUTCOMES.get(record.outcome, OUTCOMES["failed"]))
        self._drained.append(record.drained)
        error_class = "" if record.outcome == "ok" else record.error_class or record.outcome
        words = ((_ERROR, error_class), ("phase", record.phase), *record.labels.items())
        self._words.append(self._known.setdefault(words, len(self._known)))
        if record.stages:
            self._stages.put(row, record.stages)
        if record.numbers:
            self._numbers.put(row, record.numbers)
        if record.intended_s is not None and "start_delay_s" not in record.numbers:
            self._numbers.put(row, {"start_delay_s": record.start_s - intended_s})

    def build(self) -> RequestTable:
        """The table, in the order of start; the builder is used up."""
        start_s = np.frombuffer(self._start_s, dtype=np.float64)
        order = np.argsort(start_s, kind="stable")
        rows = len(order)
        numbers = self._stages.columns(rows, "stage.") | self._numbers.columns(rows)
        for name in numbers:  # one by one, so that only one column is held twice
            numbers[name] = numbers[name][order]
        labels = self._labels(np.frombuffer(self._words, dtype=np.int32)[order])
        return RequestTable(
            start_s=start_s[order],
            end_s=np.frombuffer(self._end_s, dtype=np.float64)[order],
            duration_s=np.frombuffer(self._duration_s, dtype=np.float64)[order],
            outcome=np.frombuffer(self._outcome, dtype=np.uint8)[order],
            error_class=labels.pop(_ERROR, (np.zeros(0, dtype=np.int32), ("",))),
            drained=np.frombuffer(self._drained, dtype=np.bool_)[order],
            numbers=numbers,
            labels=labels,
        )

    def _labels(self, words: npt.NDArray[np.int32]) -> dict[str, Coded]:
        """The columns of the labels, and of the error class, from the word of each row."""
        combinations = [dict(word) for word in self._known]
        found: dict[str, Coded] = {}
        for name in dict.fromkeys(name for combination in combinations for name in combination):
            known = {"": 0}
            codes = [known.setdefault(each.get(name, ""), len(known)) for each in combinations]
            found[name] = np.array(codes, dtype=np.int32)[words], tuple(known)
        return found
