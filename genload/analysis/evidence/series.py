"""How sure a statement on a machine's samples is: states, growth, slope, throughput.

These are deliberately few and simple; the analysis of trends (breakpoints, leaks in steps) is a chapter
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt

import numpy as np

from genload.analysis.evidence.estimate import Bound, FloatArray, Side
from genload.analysis.evidence.longer import CHANCE_TEXT, deciding
from genload.analysis.evidence.means import student
from genload.analysis.states import Held
from genload.human import human

BLOCKS = 10
MIN_PER_BLOCK = 5


@dataclass(frozen=True)
class State:
    """The share of time in which a state (0 or 1) was on, of the time that is known.

    Where ticks were missed it could have been either: the bounds are the shares if it was on all that time,
    or off. With every tick seen they coincide, and the statement is exact, about the ticks.
    """

    held: Held
    ticks: int
    missing: str = ""

    @property
    def value(self) -> float | None:
        return self.held.share

    @property
    def exact(self) -> bool:
        return self.held.unknown_s == 0

    @property
    def basis(self) -> str:
        return f"about the {self.ticks:,} ticks; nothing is known of the time between them"

    def bound(self, side: Side, threshold: float) -> Bound:
        held = self.held
        on_s = held.on_s + (held.unknown_s if side == "upper" else 0.0)
        worst = "on" if side == "upper" else "off"
        text = f"it was {worst} in the {human(held.unknown_s, 's')} without a tick; {self.basis}"
        return Bound(on_s / (held.known_s + held.unknown_s), text)

    def needs(self, side: Side, threshold: float) -> str:
        return f"a monitor that misses no tick (nothing is known of {human(self.held.unknown_s, 's')})"


def tenths(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first and the last tenth of the samples, at least one each."""
    size = max(1, len(values) // BLOCKS)
    return values[:size], values[-size:]


def growth(values: FloatArray) -> float | None:
    """Relative change: (median of the last tenth - median of the first tenth) / median of the first tenth.

    0.1 is a growth by 10 %. None with fewer than two samples, or from a median that is not positive.
    """
    if len(values) < 2:
        return None
    first, last = (float(np.median(part)) for part in tenths(values))
    return (last - first) / first if first > 0 else None


def slope(times_s: FloatArray, values: FloatArray) -> float | None:
    """Least-squares slope, base units per second; None with fewer than two different times."""
    if len(values) < 2:
        return None
    centred = times_s - times_s.mean()
    square = float((centred**2).sum())
    return float((centred * (values - values.mean())).sum() / square) if square else None


@dataclass(frozen=True)
class Growth:
    """`growth` of one series, bounded by how its tenths scatter about a straight line.

    The medians of the ten tenths are fitted by a line; what is left over (8 degrees of freedom) is the
    standard deviation of one median, and the change between two of them has sqrt(2) of it. A step or a
    curve leaves much over, which widens the bound: never a proof by too simple a model.
    """

    values: FloatArray
    missing: str = ""
    exact: bool = False
    basis: str = ""

    @cached_property
    def value(self) -> float | None:
        return growth(self.values)

    def bound(self, side: Side, threshold: float) -> Bound:
        if self.value is None or len(self.values) < BLOCKS * MIN_PER_BLOCK:
            return Bound(None, "")
        size = len(self.values) // BLOCKS
        middle = np.array_split(self.values[size:-size], BLOCKS - 2)
        parts = (self.values[:size], *middle, self.values[-size:])
        medians = np.array([float(np.median(part)) for part in parts])
        ticks = np.arange(BLOCKS, dtype=np.float64)
        rises = medians - medians[0]  # of gigabytes, only the changes matter to the fit
        rest = rises - np.polyval(np.polyfit(ticks, rises, 1), ticks)
        scatter = sqrt(float((rest**2).sum()) / (BLOCKS - 2))
        reach = student(BLOCKS - 2) * scatter * sqrt(2) / float(medians[0])
        value = self.value + (reach if side == "upper" else -reach)
        return Bound(value, "tenths of the run scatter independently about a straight line")

    def needs(self, side: Side, threshold: float) -> str:
        if len(self.values) < BLOCKS * MIN_PER_BLOCK:
            return f"at least {BLOCKS * MIN_PER_BLOCK} samples ({len(self.values)} so far)"
        return "a longer run: the tenths of this one scatter too much to tell"


def longer_load(seconds: float, away: float, reach: float) -> str:
    """The load that decides of a rate so far from its threshold, with a bound that is `reach` away."""
    wanted_s = deciding(seconds, away, lambda more_s: reach * sqrt(seconds / more_s))
    if wanted_s == inf:
        return "a wider margin: no length of a load decides this close to the threshold"
    return f"about {human(wanted_s, 's')} of such load, {CHANCE_TEXT} ({human(seconds, 's')} so far)"


@dataclass(frozen=True)
class Throughput:
    """Completions per second, bounded by Student's t on the rates of ten equal stretches of time.

    With `weights`, one a completion, what these add up to per second: seconds of audio.
    """

    ends_s: FloatArray  # of the completions inside the window
    from_s: float
    to_s: float
    weights: FloatArray | None = None
    sampled: str = ""  # what an assumption has to say of the completions, where they are a sample
    missing: str = ""
    exact: bool = False
    basis: str = ""

    @property
    def value(self) -> float | None:
        length = self.to_s - self.from_s
        amount = float(len(self.ends_s)) if self.weights is None else float(self.weights.sum())
        return amount / length if length > 0 else None

    freedom = BLOCKS - 1

    @cached_property
    def error(self) -> float | None:
        """Standard error; None with too few completions."""
        if len(self.ends_s) < BLOCKS * MIN_PER_BLOCK:
            return None
        window = (self.from_s, self.to_s)
        amounts, _ = np.histogram(self.ends_s, bins=BLOCKS, range=window, weights=self.weights)
        return float(amounts.std(ddof=1)) * sqrt(BLOCKS) / (self.to_s - self.from_s)

    def bound(self, side: Side, threshold: float) -> Bound:
        if self.value is None or self.error is None:
            return Bound(None, "")
        reach = student(self.freedom) * self.error
        value = self.value + (reach if side == "upper" else -reach)
        return Bound(value, f"{BLOCKS} equal stretches of the time are independent{self.sampled}")

    def needs(self, side: Side, threshold: float) -> str:
        if len(self.ends_s) < BLOCKS * MIN_PER_BLOCK:
            return f"at least {BLOCKS * MIN_PER_BLOCK} completions ({len(self.ends_s)} so far)"
        reach = student(self.freedom) * (self.error or 0.0)
        return longer_load(self.to_s - self.from_s, abs((self.value or 0.0) - threshold), reach)
