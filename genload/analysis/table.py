"""The requests of a run as columns: what every statistic is computed from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence.busy import IntArray, spells_of
from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.filling import SAID_BYTES, Filling
from genload.runlog.records import LEFT

OUTCOMES = {"ok": 0, "failed": 1, "unfinished": 2, LEFT: 3}

_ERROR = "\0error_class"  # among the labels while the table is made, under a name that no label has

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


def table_of(filling: Filling) -> RequestTable:
    """Columns as they were filled, in the order of start; they are used up."""
    filling.settle()
    started_s = np.frombuffer(filling.start_s, dtype=np.float64)
    duration_s = np.frombuffer(filling.duration_s, dtype=np.float64)
    start_s, end_s, delays_s = started_s, started_s + duration_s, _delays_s(filling)
    if delays_s is not None:
        start_s, duration_s = started_s.copy(), duration_s + np.nan_to_num(delays_s)
        start_s[list(filling.intended_s)] = list(filling.intended_s.values())
    order = np.argsort(start_s, kind="stable")
    numbers = filling.stages.columns(order, "stage.") | filling.numbers.columns(order)
    if delays_s is not None:
        delays_s = delays_s[order]
        told = numbers.get("start_delay_s", delays_s)
        numbers["start_delay_s"] = np.where(np.isnan(told), delays_s, told)
    words = np.frombuffer(filling.words, dtype=np.int32)[order]
    outcomes = [OUTCOMES.get(outcome, OUTCOMES["failed"]) for outcome, *_ in filling.known]
    labels = _labels(filling, words)
    return RequestTable(
        start_s=start_s[order],
        end_s=end_s[order],
        duration_s=duration_s[order],
        outcome=np.array(outcomes, dtype=np.uint8)[words],
        error_class=labels.pop(_ERROR, (np.zeros(0, dtype=np.int32), ("",))),
        drained=np.frombuffer(filling.drained, dtype=np.bool_)[order],
        numbers=numbers,
        labels=labels,
        said=_codes_said(filling, order),
        heard=_digits_heard(filling, order),
    )


def _codes_said(filling: Filling, order: npt.NDArray[np.int64]) -> npt.NDArray[np.bytes_] | None:
    if not filling.said:
        return None
    filling.said.extend(bytes(len(order) * SAID_BYTES - len(filling.said)))
    said: npt.NDArray[np.bytes_] = np.frombuffer(filling.said, dtype=f"S{SAID_BYTES}")[order]
    return said


def _digits_heard(filling: Filling, order: npt.NDArray[np.int64]) -> dict[int, str]:
    if not filling.heard:
        return {}
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return {int(places[row]): digits for row, digits in filling.heard.items()}


def _delays_s(filling: Filling) -> FloatArray | None:
    """How late each row of an open schedule began, NaN for others; None where there is none."""
    if not filling.intended_s:
        return None
    delays_s = np.full(len(filling.start_s), nan)
    rows = np.fromiter(filling.intended_s, dtype=np.int64)
    delays_s[rows] = np.array(filling.start_s)[rows] - np.fromiter(filling.intended_s.values(), np.float64)
    return delays_s


def _labels(filling: Filling, words: npt.NDArray[np.int32]) -> dict[str, Coded]:
    """The columns of the labels, and of the error class, from the word of each row."""
    combinations = [
        {_ERROR: "" if outcome == "ok" else error_class or outcome, "phase": phase, **dict(labels)}
        for outcome, error_class, phase, labels in filling.known
    ]
    found: dict[str, Coded] = {}
    for name in dict.fromkeys(name for combination in combinations for name in combination):
        known = {"": 0}
        codes = [known.setdefault(each.get(name, ""), len(known)) for each in combinations]
        found[name] = np.array(codes, dtype=np.int32)[words], tuple(known)
    return found
