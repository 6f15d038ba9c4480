"""How many requests were in flight: begun, or held back by an open schedule, and not ended.

A service that does not keep up shows here first. How much slower later requests are than earlier ones need
not show it: of a load whose every request ends after it, all may be late alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from genload.analysis.evidence.estimate import Absent, BoolArray, Estimate, Exact, FloatArray, Unbounded
from genload.analysis.evidence.percentiles import Percentile
from genload.analysis.evidence.series import Growth, slope
from genload.analysis.states import Stretches
from genload.analysis.table import RequestTable
from genload.runlog.error_classes import NOT_STARTED
from genload.settings.criteria.ast import Subject

MOMENTS = 100
"""A stretch of time is looked at so often, at equal distances, or once a second where that is oftener."""

_ALL_THE_TIME = "about all of that time"


@dataclass(frozen=True)
class InFlight:
    """Some requests through stretches of time. At a moment those are in flight that began before it and did
    not end before it: at the load's end, all that the load left.
    """

    begins_s: FloatArray
    ends_s: FloatArray
    stretches: Stretches

    @classmethod
    def of(cls, those: Sequence[tuple[RequestTable, BoolArray]], stretches: Stretches) -> InFlight:
        """Of some requests of each table."""
        # What was never started "ends" at the load's end, and is what a backlog consists of.
        begins_s = [table.start_s[rows] for table, rows in those]
        ends_s = [
            np.where(table.failed_with({NOT_STARTED}), np.inf, table.end_s)[rows] for table, rows in those
        ]
        return cls(np.sort(np.concatenate(begins_s)), np.sort(np.concatenate(ends_s)), stretches)

    def at(self, moments_s: FloatArray) -> FloatArray:
        """How many, at each moment."""
        begun = np.searchsorted(self.begins_s, moments_s, side="left")
        ended = np.searchsorted(self.ends_s, moments_s, side="left")
        return (begun - ended).astype(np.float64)

    @cached_property
    def moments_s(self) -> FloatArray:
        return np.concatenate(
            [np.linspace(low, high, max(MOMENTS, ceil(high - low)) + 1) for low, high in self.stretches]
        )

    def estimate(self, subject: Subject) -> Estimate:
        """One statistic of it."""
        values, stat = self.at(self.moments_s), subject.stat
        if stat == "p" and subject.percentile is not None:
            return Percentile(values, subject.percentile, noun="moments")
        makers: dict[str | None, Callable[[], Estimate]] = {
            "last": lambda: Exact(float(values[-1]), "a count at the end of that time"),
            "min": lambda: Exact(min(map(self._lowest, self.stretches)), _ALL_THE_TIME),
            "max": lambda: Exact(max(map(self._highest, self.stretches)), _ALL_THE_TIME),
            "mean": lambda: Exact(self._mean(), _ALL_THE_TIME),
            "count": lambda: Exact(float(len(values)), "the moments looked at"),
            "growth": lambda: Growth(values),
            "slope": lambda: Unbounded(slope(self.moments_s, values), "last: a slope has no bound here"),
        }
        found = makers[stat]()
        return Absent("requests in flight in the first tenth of the time") if found.value is None else found

    def _mean(self) -> float:
        """Of the number through the time: seconds that requests spent in flight ÷ seconds."""
        spent_s = sum(
            float(np.clip(self.ends_s, low, high).sum() - np.clip(self.begins_s, low, high).sum())
            for low, high in self.stretches
        )
        return spent_s / sum(high - low for low, high in self.stretches)

    def _highest(self, stretch: tuple[float, float]) -> float:
        return float(self._within(stretch).max())

    def _lowest(self, stretch: tuple[float, float]) -> float:
        return float(self._within(stretch).min())

    def _within(self, stretch: tuple[float, float]) -> FloatArray:
        """The number at the stretch's begin and end, and after each begin and each end of a request in it."""
        low, high = stretch
        changes_s = np.concatenate([self.begins_s, self.ends_s])
        inside = changes_s[(changes_s >= low) & (changes_s < high)]
        after = np.nextafter(inside, np.inf)
        return self.at(np.concatenate([[low, high], after]))
