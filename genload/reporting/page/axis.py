"""The axes of a chart: round numbers, in units that people read."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

from genload.human import shown_in

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_CLOSE = 0.5
"""An axis starts at 0 unless all numbers lie in the upper part of it, above this share."""
_NOTHING = 1e-300  # below it a power of ten loses its digits
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
_MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """A vertical axis of two equal steps.

    Attributes:
        low, high: its ends, in the unit shown.
        factor: what 1 of the base unit is in that.
        unit: its name; "" for counts and plain numbers.
    """

    low: float
    high: float
    factor: float
    unit: str

    @classmethod
    def fitting(cls, lowest: float, highest: float, unit: str) -> Axis:
        """An axis on which numbers of a dimension fit, in base units; pass 0 as the lowest to start there."""
        factor, name = shown_in(max(abs(lowest), abs(highest)), unit)
        low, high = lowest * factor, highest * factor
        if 0 <= low <= _CLOSE * high or low == high:
            low = min(0.0, low)
        step = _round_up((high - low) / 2)
        bottom = floor(low / step) * step
        while bottom + 2 * step < high:  # the lower end was moved down to a round number
            step = _round_up(step * 1.01)
            bottom = floor(low / step) * step
        return cls(bottom, bottom + 2 * step, factor, name)

    @property
    def ticks(self) -> tuple[str, str, str]:
        """Its high end, middle and low end, as text; the first with the unit."""
        high, middle, low = (f"{value:.4g}" for value in (self.high, (self.low + self.high) / 2, self.low))
        return f"{high} {self.unit}".rstrip(), middle, low


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 … that is no smaller; 1 for nothing, and for what is hardly a number."""
    if value <= _NOTHING:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(power * each for each in _ROUND if power * each >= value * (1 - 1e-9))


def time_ticks(length_s: float) -> list[tuple[float, str]]:
    """Where marks stand on an axis of time, and their text: at most eight, after its beginning."""
    if length_s <= 0:
        return []
    step_s = next(
        (float(step) for step in _TIME_STEPS_S if length_s / step <= _MOST_TICKS),
        ceil(length_s / _MOST_TICKS / 86400) * 86400.0,
    )
    if length_s < 4:
        step_s = _round_up(length_s / _MOST_TICKS)
    count = floor(length_s / step_s + 1e-9)
    return [(n * step_s, _clock(n * step_s, step_s)) for n in range(1, count + 1)]


def _clock(time_s: float, step_s: float) -> str:
    if step_s >= 3600:
        return f"{time_s / 3600:g} h"
    return f"{time_s / 60:g} min" if step_s >= 60 else f"{time_s:g} s"
