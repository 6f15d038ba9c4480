"""Whether a level grows under load, and how: by a step, to a ceiling, or on and on.

What a service holds at its emptiest tells more than what it holds while it works, so a block of completed
jobs is one number: the least sample of its time. A straight line through the blocks gives the growth; its
interval comes from the moving block bootstrap (Künsch, Annals of Statistics 17, 1989) of what the line leaves
over. Neighbours stay together in it, because memory that is high now is high a moment later; and with few
stretches of neighbours the error is widened as Student's t is. bench/trends.py measures how often flat but
autocorrelated memory is called a leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.evidence.means import student
from genload.analysis.judged.trends import SHORTEST_S, Kind

MIN_BLOCKS = 10
MAX_BLOCKS = 40
DRAWS = 2000
STRETCHES = 4
"""Into so many stretches of neighbours the blocks are cut for the bootstrap."""
MIN_PART = 3
"""Fewest blocks on either side of a step."""
STEP_REST = 0.25
"""A step leaves over at most this share of the squares that a line does …"""
STEP_HEIGHT = 5.0
"""… and is at least this many times as high as the blocks scatter about it."""
FLATTENING = 1 / 3
"""A second half that grows less than this share of the first one's speed is a cache that fills."""


@dataclass(frozen=True)
class Blocks:
    """The least sample of each block of completed jobs; `times_s` is when that sample was taken."""

    times_s: FloatArray
    minima: FloatArray

    def __len__(self) -> int:
        return len(self.minima)


def blocks_of(times_s: FloatArray, values: FloatArray, ends_s: FloatArray) -> Blocks:
    """Samples by blocks of equally many completions, at most MAX_BLOCKS; a block without a sample is none.

    Args:
        times_s, values: the samples of the load, in the order of time.
        ends_s: when jobs were completed, in any order.
    """
    count = min(MAX_BLOCKS, len(ends_s))
    if not count or not len(values):
        return Blocks(np.zeros(0), np.zeros(0))
    ends = np.sort(ends_s)
    last_of = np.linspace(0, len(ends), count + 1).round().astype(np.int64)[1:] - 1
    which = np.searchsorted(ends[last_of], times_s, side="left")
    places = []
    for block in np.unique(which[which < count]):  # what came after the last completion belongs to none
        inside = np.flatnonzero(which == block)
        places.append(inside[np.argmin(values[inside])])
    return Blocks(times_s[places], values[places])


@dataclass(frozen=True)
class GrowthTrend:
    """The trend of at least MIN_BLOCKS blocks; growths are shares of the line's level at the first block."""

    blocks: Blocks
    seed: int

    @cached_property
    def slope(self) -> float:
        """Of the line through all blocks; per second."""
        return _line(self.blocks)[0]

    @cached_property
    def growth(self) -> float | None:
        """The line's change from the first block to the last; None from a level that is not positive."""
        return self._share(self.slope)

    @cached_property
    def limits(self) -> tuple[float | None, float | None]:
        """One-sided 95 % bounds on `growth`, the lower and the upper one."""
        low, high = self._slopes
        return self._share(low), self._share(high)

    @cached_property
    def _slopes(self) -> tuple[float, float]:
        return slope_limits(self.blocks, self.seed)

    def _share(self, slope: float) -> float | None:
        level = _line(self.blocks)[1]
        return slope * float(np.ptp(self.blocks.times_s)) / level if level > 0 else None

    @cached_property
    def second_half(self) -> float:
        """Slope of the second half of the blocks; per second."""
        return _line(self._half(second=True))[0]

    def _half(self, *, second: bool) -> Blocks:
        middle = len(self.blocks) // 2
        part = slice(middle, None) if second else slice(0, middle)
        return Blocks(self.blocks.times_s[part], self.blocks.minima[part])

    @cached_property
    def step(self) -> int | None:
        """The first block after a step, where one step says more than a line does; None without one."""
        values = self.blocks.minima - self.blocks.minima[0]
        if not values.any():
            return None
        places = range(MIN_PART, len(values) - MIN_PART + 1)
        rests = [_rest(values[:place]) + _rest(values[place:]) for place in places]
        best = int(np.argmin(rests))
        place, rest = places[best], rests[best]
        slope, level = _line(self.blocks)
        line = level + slope * (self.blocks.times_s - self.blocks.times_s[0])
        if rest > STEP_REST * float(((self.blocks.minima - line) ** 2).sum()):
            return None
        height = abs(float(values[place:].mean() - values[:place].mean()))
        return place if height >= STEP_HEIGHT * sqrt(rest / (len(values) - 2)) else None

    @property
    def step_bytes(self) -> float | None:
        """How high the step is, by the blocks next to it."""
        if self.step is None:
            return None
        near = slice(max(0, self.step - MIN_PART), self.step), slice(self.step, self.step + MIN_PART)
        return float(np.median(self.blocks.minima[near[1]]) - np.median(self.blocks.minima[near[0]]))

    @property
    def step_height(self) -> float | None:
        """The same as a share of the level at the first block."""
        level = _line(self.blocks)[1]
        return self.step_bytes / level if self.step_bytes is not None and level > 0 else None

    @cached_property
    def kind(self) -> Kind:
        """What its course is; "leak" only where both the whole and the second half are shown to grow."""
        if self.step is not None:
            return "step"
        low, high = self._slopes
        if low <= 0 <= high:
            return "none"
        if high < 0:
            return "falling"
        if self.second_half < FLATTENING * _line(self._half(second=False))[0]:
            return "filling"
        return "leak" if slope_limits(self._half(second=True), self.seed)[0] > 0 else "growing"


def called(trend: GrowthTrend, matters: float, watched_s: float) -> Kind:
    """What growth is called: no rise by a smaller share than `matters`, and none that was watched for less
    than ten minutes, is a leak.
    """
    rise = trend.step_height if trend.kind == "step" else trend.growth
    if trend.kind in ("step", "filling", "growing", "leak") and rise is not None and 0 <= rise < matters:
        return "slight"
    # A load of ten minutes ends some milliseconds early or late.
    short = watched_s < 0.99 * SHORTEST_S
    return "short" if short and trend.kind in ("growing", "leak") else trend.kind


def _line(blocks: Blocks) -> tuple[float, float]:
    """Least squares: the slope per second, and the level at the first block."""
    rises = blocks.minima - blocks.minima[0]  # of gigabytes, only the changes matter to the fit
    after_s = blocks.times_s - blocks.times_s[0]
    centred = after_s - after_s.mean()
    square = float((centred**2).sum())
    slope = float((centred * rises).sum()) / square if square else 0.0
    return slope, float(blocks.minima[0] + rises.mean() - slope * after_s.mean())


def _rest(values: FloatArray) -> float:
    return float(((values - values.mean()) ** 2).sum())


def slope_limits(blocks: Blocks, seed: int) -> tuple[float, float]:
    """One-sided 95 % bounds on the slope, by the moving block bootstrap of the residuals."""
    count = len(blocks)
    slope, level = _line(blocks)
    after_s = blocks.times_s - blocks.times_s[0]
    centred = after_s - after_s.mean()
    square = float((centred**2).sum())
    if not square:
        return -np.inf, np.inf
    rest = blocks.minima - level - slope * after_s
    length = max(2, round(count / STRETCHES))
    drawn = -(-count // length)
    begins = np.random.default_rng(seed).integers(0, count, size=(DRAWS, drawn))
    places = (begins[:, :, None] + np.arange(length)).reshape(DRAWS, -1)[:, :count] % count
    slopes = rest[places] @ centred / square
    freedom = max(drawn - 2, 1)
    error = float(slopes.std()) * sqrt(count / (count - 2))
    reach = student(freedom) * error
    return slope - reach, slope + reach
