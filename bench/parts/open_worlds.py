"""Open loads whose truth is known, and how right and how sure several estimators are about them.

Callers come at random (Poisson) to c slots, each of which takes a constant time (M/D/c), or one that is
log-normal with σ 0.7 (M/G/c). Many runs of a world are simulated beside each other, request after request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from genload.analysis.evidence.busy import BusyMean, BusyPercentile, IntArray, Scatter, spells_of
from genload.analysis.evidence.chance import Chance
from genload.analysis.evidence.estimate import Bound, Estimate, FloatArray, Side
from genload.analysis.evidence.means import MIN_EFFECTIVE, Mean, student
from genload.analysis.evidence.percentiles import Percentile
from genload.settings.arrivals import Stage

LOADS = (0.5, 0.8, 0.95)
SLOTS = (1, 3, 8)
SIGMA = 0.7
_SPIN_UP = {0.5: 1000, 0.8: 2000, 0.95: 8000}
APART = 1.2  # the truth is 20 % away
_SIDES: tuple[Side, Side] = ("upper", "lower")


@dataclass(frozen=True)
class World:
    """Callers, and a service of so many slots that is busy for a share `load` of its time."""

    kind: str
    slots: int
    load: float

    def __str__(self) -> str:
        return f"M/{self.kind}/{self.slots} at {self.load:.0%}"

    def runs(self, rng: np.random.Generator, runs: int, count: int) -> tuple[FloatArray, FloatArray]:
        """Starts and latencies of so many runs of so many requests, one run a row."""
        spin_up = _SPIN_UP[self.load]
        shape = (count + spin_up, runs)
        starts = np.cumsum(rng.exponential(1 / (self.load * self.slots), shape), axis=0)
        works = rng.lognormal(-(SIGMA**2) / 2, SIGMA, shape) if self.kind == "G" else np.ones(shape)
        free, every = np.zeros((runs, self.slots)), np.arange(runs)
        latencies = np.empty(shape)
        for n in range(count + spin_up):
            slot = free.argmin(axis=1)
            free[every, slot] = np.maximum(starts[n], free[every, slot]) + works[n]
            latencies[n] = free[every, slot] - starts[n]
        return starts[spin_up:].T, latencies[spin_up:].T


def worlds() -> Iterator[World]:
    for kind in ("D", "G"):
        for slots in SLOTS:
            for load in LOADS:
                yield World(kind, slots, load)


@dataclass(frozen=True)
class Regenerative(Mean):
    """The classical estimator: a cycle begins with each request that finds nobody in flight."""

    cycles: IntArray | None = None

    def bound(self, side: Side, threshold: float) -> Bound:
        assert self.cycles is not None
        scatter = Scatter.of(self.values, self.cycles)
        if scatter.spells < MIN_EFFECTIVE:
            return Bound(None, "")
        reach = student(scatter.spells - 1) * scatter.error
        return Bound(float(self.values.mean()) + (reach if side == "upper" else -reach), "")


def empty_cycles(start_s: FloatArray, end_s: FloatArray) -> IntArray:
    """The number of the cycle of each request that begins when nobody is in flight."""
    found = np.arange(len(start_s)) - np.searchsorted(np.sort(end_s), start_s, side="right")
    return np.cumsum(found == 0).astype(np.int64)


Make = Callable[[World, FloatArray, FloatArray], Estimate]


def without_luck(world: World, start: FloatArray, took: FloatArray) -> BusyPercentile:
    """As a run is judged whose schedule genload has drawn."""
    came, rate = start - start[0], world.load * world.slots
    stage = Stage("", float(came[-1]) + 1 / rate, rate, rate)
    chance = Chance(came, came + took, np.ones(len(took), dtype=np.bool_), [stage])
    luck = partial(chance.luck, np.arange(len(took)))
    return BusyPercentile(took, 95, spells=spells_of(start, start + took), luck=luck)


ESTIMATORS: dict[str, dict[str, Make]] = {
    "mean": {
        "spells": lambda world, start, took: BusyMean(took, spells=spells_of(start, start + took)),
        "empty": lambda world, start, took: Regenerative(took, cycles=empty_cycles(start, start + took)),
        "blocks": lambda world, start, took: Mean(took),
    },
    "p95": {
        "schedule": without_luck,
        "spells": lambda world, start, took: BusyPercentile(took, 95, spells=spells_of(start, start + took)),
        "blocks": lambda world, start, took: Percentile(took, 95),
    },
}


def truths(world: World) -> dict[str, float]:
    """Of 500 long runs together."""
    _, took = world.runs(np.random.default_rng(5), 500, 8000)
    return {"mean": float(took.mean()), "p95": float(np.percentile(took, 95))}


def shares(
    make: Make, world: World, true: float, starts: FloatArray, took: FloatArray
) -> tuple[float, float, float, float]:
    """The runs that prove a claim of each side, of a truth on its threshold, and of one 20 % away."""
    proven = np.zeros(4)
    for start, latencies in zip(starts, took, strict=True):
        estimate = make(world, start, latencies)
        for number, side in enumerate(_SIDES):
            far = true * APART if side == "upper" else true / APART
            for place, threshold in ((number, true), (number + 2, far)):
                bound = estimate.bound(side, threshold).value
                proven[place] += bound is not None and (
                    bound < threshold if side == "upper" else bound > threshold
                )
    return tuple(proven / len(starts))


def report(runs: int, counts: tuple[int, ...] = (5000, 1000)) -> None:
    """A line for each world, metric, size and estimator."""
    print(f"open loads; truth on the threshold (error), or 20 % away (power); {runs} runs a line")
    print(f"{'world, size':26} {'estimator':14} {'below':>7} {'above':>7}   {'below':>7} {'above':>7}")
    print(f"{'':41} {'error':>7} {'error':>7}   {'power':>7} {'power':>7}")
    for number, world in enumerate(worlds()):
        true = truths(world)
        for count in counts:
            starts, took = world.runs(np.random.default_rng(100 + number), runs, count)
            for metric, estimators in ESTIMATORS.items():
                for name, make in estimators.items():
                    errors = shares(make, world, true[metric], starts, took)
                    told = "   ".join(
                        " ".join(f"{share:7.1%}" for share in pair) for pair in (errors[:2], errors[2:])
                    )
                    print(f"{world!s:17} n={count:<6} {metric:4} {name:9} {told}", flush=True)
