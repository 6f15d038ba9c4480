"""Ticks made into time: how long a state was on, and of how long nothing is known.

A tick speaks for the time until the next one begins, and at most for one interval after it ended itself: a
probe that waits 4 s in vain speaks for these 4 s, though ticks that came due meanwhile were left out. What
no tick speaks for is unknown, and is neither on nor off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genload.analysis.evidence.estimate import FloatArray

Stretches = Sequence[tuple[float, float]]
LATE = 0.5
"""A tick may come so many intervals late and is not missing: threads wake up late."""


@dataclass(frozen=True)
class Spells:
    """From when to when each tick of one monitor speaks; seconds since the run began, in order."""

    begin_s: FloatArray
    end_s: FloatArray

    @classmethod
    def of(cls, times_s: FloatArray, took_s: FloatArray, interval_s: float) -> Spells:
        """The first tick speaks for the interval before it too, in which none was due."""
        nexts_s = np.append(times_s[1:], np.inf)
        alone_s = times_s + took_s + interval_s
        missing = nexts_s > alone_s + LATE * interval_s
        begin_s = times_s.copy()
        begin_s[:1] -= (1 + LATE) * interval_s
        return cls(begin_s, np.where(missing, alone_s, nexts_s))

    def within(self, stretches: Stretches) -> FloatArray:
        """Of each tick, for how many seconds of the stretches it speaks."""
        found = np.zeros(len(self.begin_s))
        for low, high in stretches:
            overlap_s = np.minimum(self.end_s, high) - np.maximum(self.begin_s, low)
            found += np.maximum(overlap_s, 0.0)
        return found


@dataclass(frozen=True, slots=True)
class Held:
    """For how many seconds a state was on and off, and for how many nothing is known."""

    on_s: float
    off_s: float
    unknown_s: float

    @classmethod
    def of(cls, spells: Spells, values: FloatArray, stretches: Stretches) -> Held:
        each_s = spells.within(stretches)
        on_s, known_s = float((each_s * values).sum()), float(each_s.sum())
        unknown_s = sum(high - low for low, high in stretches) - known_s
        return cls(on_s, known_s - on_s, unknown_s if unknown_s > 1e-9 else 0.0)

    @property
    def known_s(self) -> float:
        return self.on_s + self.off_s

    @property
    def share(self) -> float | None:
        """On, as a share of the time that is known."""
        return self.on_s / self.known_s if self.known_s > 0 else None
