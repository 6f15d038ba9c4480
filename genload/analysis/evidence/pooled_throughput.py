"""Completions per second of several runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genload.analysis.evidence.alike import between, differ
from genload.analysis.evidence.estimate import Bound, FloatArray, Side
from genload.analysis.evidence.means import student
from genload.analysis.evidence.series import Throughput, longer_load


@dataclass(frozen=True)
class PooledThroughput:
    """Completions per second of several runs: all of them ÷ the time of all, as sure as each is."""

    parts: tuple[Throughput, ...]
    missing: str = ""
    exact: bool = False
    basis: str = ""

    @property
    def _seconds(self) -> FloatArray:
        return np.array([part.to_s - part.from_s for part in self.parts])

    @cached_property
    def value(self) -> float | None:
        rates = [part.value for part in self.parts]
        if any(rate is None for rate in rates):
            return None
        return float(np.average(np.array(rates, dtype=np.float64), weights=self._seconds))

    def bound(self, side: Side, threshold: float) -> Bound:
        errors = [part.error for part in self.parts]
        if self.value is None or any(error is None for error in errors):
            return Bound(None, "")
        runs, shares, reach = len(self.parts), self._seconds / self._seconds.sum(), self._within
        words = f"{self.parts[0].bound(side, threshold).assumption} in each of {runs} runs that are alike"
        if self._unlike:
            reach = max(reach, student(runs - 1) * between(shares, self._rates))
            words = f"the {runs} runs are independent of each other, and differ"
        return Bound(self.value + (reach if side == "upper" else -reach), words)

    @property
    def _within(self) -> float:
        """How far away the bound is by what varies within the runs, all of which know their error."""
        errors = np.array([part.error for part in self.parts], dtype=np.float64)
        together = float(np.sqrt(((self._seconds * errors) ** 2).sum()) / self._seconds.sum())
        return student(sum(part.freedom for part in self.parts)) * together

    @property
    def _rates(self) -> list[float]:
        return [part.value or 0.0 for part in self.parts]

    @cached_property
    def _unlike(self) -> bool:
        return differ(self._rates, [part.error or 0.0 for part in self.parts])

    def needs(self, side: Side, threshold: float) -> str:
        errors = [part.error for part in self.parts]
        if None in errors:
            return self.parts[errors.index(None)].needs(side, threshold)
        if self._unlike:
            return f"more runs: these {len(self.parts)} differ by more than chance"
        away = abs((self.value or 0.0) - threshold)
        return longer_load(float(self._seconds.sum()), away, self._within)
