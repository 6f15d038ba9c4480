"""When callers come: the schedule of an open load, every moment of it known before it begins.

A load is stages of a rate λ(t) that is constant, or rises or falls evenly. Λ(t), the integral of the rate
from the load's beginning to t, is how many arrivals are expected by t. The schedule is made by inversion:
arrival k is due at Λ⁻¹(sₖ), where

    constant:  sₖ = k
    poisson:   sₖ = e₀ + e₁ + … + eₖ,   e independent, exponential of mean 1

Constant arrivals are as even as the rate allows, the first with the load. Poisson arrivals come as callers
do who know nothing of each other: s is a Poisson process of rate 1, and the inverse of Λ turns it into one
of rate λ(t) (Çinlar, Introduction to Stochastic Processes, 1975, section 4.7). How many come in any stretch
of time is Poisson distributed with mean Λ(end) − Λ(begin), independent of every other stretch. Thinning
(Lewis and Shedler, Naval Research Logistics Quarterly 26, 1979) makes the same process from more draws than
it keeps.

Within a stage that takes d seconds from rate r to rate q, Λ grows by r·t + (q − r)·t² / 2d. So, with x = s
− Λ of the stage's begin and a = (q − r) / d,

    t = 2x / (r + √(r² + 2ax))

which is right for a = 0, too, and loses no digits near it. A moment on the boundary of two stages belongs
to the later one, and one on a pause (a rate of 0) to its end.

Everything is drawn by `random.Random` from the seed alone, whose numbers are the same in every version of
Python: each process of a run computes the same schedule, and nobody sends it to anybody.
"""

from __future__ import annotations

import random
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, count
from math import ceil, log
from typing import TYPE_CHECKING, Literal, TypeVar

from genload.human import human
from genload.settings.phases import Ask, Phase, Timeline

if TYPE_CHECKING:  # a worker imports this, and does not need numpy
    import numpy as np
    import numpy.typing as npt

    Amount = TypeVar("Amount", float, npt.NDArray[np.float64])

Process = Literal["constant", "poisson"]

MOST_ARRIVALS = 2_000_000
MOST_PER_S = 100_000.0
MOST_USERS = 2000
"""Of a load without a limit of its own; each takes a connection while it waits for its answer."""

_NOTHING = 1e-300  # so that no arrivals at a rate that begins with 0 come after 0 s
_ROUNDING = 1e-9  # of an arrival: 1.1 s ÷ 100 ms is 11.000000000000002 in floating point, and 11 arrivals


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of an open load.

    Attributes:
        rate_per_s, to_per_s: at its beginning and at its end; the rate moves evenly from one to the other.
    """

    name: str
    duration_s: float
    rate_per_s: float
    to_per_s: float

    @property
    def expected(self) -> float:
        """How many arrivals it has: of a Poisson process on average."""
        return (self.rate_per_s + self.to_per_s) / 2 * self.duration_s

    def after_s(self, arrivals: Amount) -> Amount:
        """When so many arrivals are expected to have come, in seconds since it began; a number, or an array.

        Of all that it has, rounding may make this a hair more than the stage lasts.
        """
        steep = (self.to_per_s - self.rate_per_s) / self.duration_s
        root: Amount = abs(self.rate_per_s**2 + 2 * steep * arrivals) ** 0.5  # below 0 by rounding alone
        return 2 * arrivals / (self.rate_per_s + root + _NOTHING)


def open_load(
    stages: Sequence[Stage], process: Process, seed: int, in_flight: int | None, limit: str
) -> Timeline:
    """A phase for each stage, with the moments of its arrivals.

    Args:
        in_flight: the most requests at once; None: all of them may be.
        limit: the name of the setting that says it.

    Raises:
        ValueError: a load that cannot be, or that is no load at all.
    """
    _check(stages)
    schedule = _schedule(tuple(stages), process, seed)
    hands = hands_for(sum(map(len, schedule)), in_flight, limit)
    return Timeline(
        tuple(
            Phase(
                stage.name,
                stage.duration_s,
                hands,
                arrivals=len(due_s),
                rates_per_s=(stage.rate_per_s, stage.to_per_s) if process == "poisson" else None,
                due_s=due_s,
            )
            for stage, due_s in zip(stages, schedule, strict=True)
        )
    )


def replay(name: str, due_s: Sequence[float], asks: Sequence[Ask], hands: int) -> Timeline:
    """One phase of arrivals that came as they did. It ends the mean time between two arrivals after the last.

    Args:
        due_s: of at least one arrival, the first at 0, in order.
    """
    gap_s = due_s[-1] / (len(due_s) - 1) if len(due_s) > 1 else 0.0
    phase = Phase(name, due_s[-1] + (gap_s or 1.0), hands, arrivals=len(due_s), due_s=due_s, asks=asks)
    return Timeline((phase,))


def arrivals_within(duration_s: float, every_s: float) -> int:
    """How many come before the end, one every so often, the first at once."""
    return max(ceil(duration_s / every_s - _ROUNDING), 1)


def evenly(name: str, duration_s: float, users: int, every_s: float) -> Phase:
    """A phase with an arrival every so often, the first with the phase."""
    arrivals = arrivals_within(duration_s, every_s)
    due_s = array("d", (number * every_s for number in range(arrivals)))
    return Phase(name, duration_s, users, arrivals=arrivals, due_s=due_s)


def hands_for(arrivals: int, in_flight: int | None, limit: str) -> int:
    """How many users an open load has, whose arrivals are so many.

    Args:
        limit: the name of the setting that says `in_flight`.

    Raises:
        ValueError: none was said, and there are too many arrivals for a user each; or for one scenario.
    """
    check_count(arrivals)
    if in_flight is None and arrivals > MOST_USERS:
        raise ValueError(
            f"{arrivals:,} requests may all be in flight at once, and need a user each: set {limit} "
            "to the most that you want in flight"
        )
    return max(arrivals if in_flight is None else min(in_flight, arrivals), 1)  # chance may make none


def check_count(arrivals: float) -> None:
    """Raises ValueError: these arrivals are too many for one scenario."""
    if arrivals > MOST_ARRIVALS:
        raise ValueError(
            f"this load is about {arrivals:,.0f} requests, and {MOST_ARRIVALS:,} are the most of one "
            "scenario: take a lower rate or a shorter time"
        )


def _check(stages: Sequence[Stage]) -> None:
    for stage in stages:
        if stage.duration_s <= 0:
            raise ValueError(f"stage {stage.name} lasts no time: its duration must be more than 0")
        fastest = max(stage.rate_per_s, stage.to_per_s)
        if fastest > MOST_PER_S:
            raise ValueError(f"{_rate(fastest)} is more than any load: {_rate(MOST_PER_S)} is the most")
    expected = sum(stage.expected for stage in stages)
    if expected <= 0:
        raise ValueError("a rate of 0 is no load: nobody would ever come")
    check_count(expected)


def _rate(per_s: float) -> str:
    return human(per_s, "1/s")


@lru_cache(maxsize=8)
def _schedule(stages: tuple[Stage, ...], process: Process, seed: int) -> tuple[array[float], ...]:
    """When the arrivals of each stage are due, in seconds since it began."""
    reached = list(accumulate((stage.expected for stage in stages), initial=0.0))
    found = tuple(array("d") for _ in stages)
    for expected in _points(process, seed):
        if expected >= reached[-1] - _ROUNDING:
            break
        index = bisect_right(reached, expected + _ROUNDING) - 1
        found[index].append(
            min(stages[index].after_s(max(expected - reached[index], 0.0)), stages[index].duration_s)
        )
    return found


def _points(process: Process, seed: int) -> Iterator[float]:
    """The numbers s, without an end."""
    if process == "constant":
        yield from count(0)
        return
    draw, expected = random.Random(f"arrivals/{seed}").random, 0.0
    while True:
        expected -= log(1.0 - draw())
        yield expected
