"""Statistics over time: of the requests in each of some equally long windows."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
import numpy.typing as npt

from genload.analysis.evidence.percentiles import percentile
from genload.reporting.page.path import Floats

MOST = 60
EACH = 8
"""Requests in a window, on average: fewer say little about a percentile."""


@dataclass(frozen=True)
class Windows:
    """Windows of equal length from `begin_s` on."""

    begin_s: float
    length_s: float
    count: int

    @classmethod
    def over(cls, begin_s: float, end_s: float, requests: int, each: int = EACH) -> Windows:
        """As many as leave `each` requests to a window, at most `MOST`."""
        count = max(1, min(MOST, floor(requests / each)))
        return cls(begin_s, (end_s - begin_s) / count, count)

    @property
    def end_s(self) -> float:
        return self.begin_s + self.count * self.length_s

    @property
    def middles_s(self) -> Floats:
        return np.asarray(self.begin_s + self.length_s * (np.arange(self.count) + 0.5), dtype=np.float64)

    def steps(self, values: Floats) -> tuple[Floats, Floats]:
        """Times and values of a line that is level in each window."""
        edges_s = self.begin_s + self.length_s * np.arange(self.count + 1)
        return np.repeat(edges_s, 2)[1:-1], np.repeat(values, 2)

    def of(self, times_s: Floats) -> npt.NDArray[np.int64]:
        """Which window each time lies in; below 0 or `count` and above: in none."""
        if self.length_s <= 0:
            return np.zeros(len(times_s), dtype=np.int64)
        return np.floor((times_s - self.begin_s) / self.length_s).astype(np.int64)

    def counted(self, times_s: Floats) -> Floats:
        """How many of the times lie in each window."""
        numbers = self.of(times_s)
        inside = numbers[(numbers >= 0) & (numbers < self.count)]
        return np.bincount(inside, minlength=self.count).astype(np.float64)

    def percentiles(self, times_s: Floats, values: Floats, percent: float) -> Floats:
        """A percentile of the values in each window; NaN where there is none, `inf` where failed ones
        (which are `inf`) reach it."""
        return np.array(
            [percentile(each, percent) if len(each) else np.nan for each in self._each(times_s, values)]
        )

    def means(self, times_s: Floats, values: Floats) -> Floats:
        """The mean of the values in each window; NaN where there is none."""
        return np.array([each.mean() if len(each) else np.nan for each in self._each(times_s, values)])

    def _each(self, times_s: Floats, values: Floats) -> list[Floats]:
        numbers = self.of(times_s)
        order = np.argsort(numbers, kind="stable")
        edges = np.searchsorted(numbers[order], np.arange(self.count + 1))
        return np.split(values[order], edges)[1:-1] if self.count else []
