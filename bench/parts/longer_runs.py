"""Whether the longer run that an unproven statement names decides as often as it says.

Many runs of a world are drawn. Of each that does not prove that its number is below the threshold, which is
true, the longer run that it names is drawn afresh.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from parts.open_worlds import APART, ESTIMATORS, Make, World, truths, worlds

from genload.analysis.evidence.estimate import Estimate

MOST_REQUESTS = 400_000
"""A run of more requests is drawn with so many."""
_AT_ONCE = 20
_NAMED = re.compile(r"about ([\d,]+)")

Draw = Callable[[np.random.Generator, Sequence[int]], Iterator[Estimate]]


@dataclass(frozen=True)
class Unproven:
    """`draw` makes runs of so many requests each, of whose number the truth is below the threshold."""

    name: str
    count: int
    threshold: float
    draw: Draw


def of_open_loads() -> Iterator[Unproven]:
    for world in worlds():
        true = truths(world)
        for metric, name in (("mean", "spells"), ("p95", "schedule"), ("p95", "spells")):
            make = ESTIMATORS[metric][name]

            def draw(
                rng: np.random.Generator, counts: Sequence[int], world: World = world, make: Make = make
            ) -> Iterator[Estimate]:
                starts, took = world.runs(rng, len(counts), max(counts))
                for start, times, count in zip(starts, took, counts, strict=True):
                    yield make(world, start[:count], times[:count])

            yield Unproven(f"{world!s:15} {metric:4} {name}", 5000, APART * true[metric], draw)


def one_by_one(draw: Callable[[np.random.Generator, int], Estimate]) -> Draw:
    return lambda rng, counts: (draw(rng, count) for count in counts)


def decides(estimate: Estimate, threshold: float) -> bool:
    """Whether a bound of either side is beyond the threshold."""
    above, below = (estimate.bound(side, threshold).value for side in ("upper", "lower"))
    return (above is not None and above < threshold) or (below is not None and below > threshold)


def report(cases: Iterator[Unproven], runs: int) -> None:
    """A line a world: the runs that decide nothing, how long a run they name, how often that decides."""
    print(f"the longer run that is named, drawn afresh; {runs} runs a line")
    print(
        f"{'world, number':36} {'proven':>7} {'name one':>9} {'10 %':>9} {'half':>9} {'90 %':>9} {'then':>7}"
    )
    for number, case in enumerate(cases):
        rng = np.random.default_rng(500 + number)
        named: dict[bool, list[int]] = {True: [], False: []}
        open_runs = 0
        for estimate in case.draw(rng, [case.count] * runs):
            if decides(estimate, case.threshold):
                continue
            open_runs += 1
            words = estimate.needs("upper", case.threshold)
            # "None of them slower" says which run would decide, and not how often there is one.
            if (found := _NAMED.search(words)) and "none of them" not in words:
                named["decide" in words].append(int(found[1].replace(",", "")))
        for can_decide, counts in named.items():
            if counts:
                reached = _reached(case, rng, sorted(counts), can_decide)
                low, half, high = np.percentile(counts, [10, 50, 90])
                print(
                    f"{case.name:36} {1 - open_runs / runs:7.0%} {len(counts) / open_runs:9.0%} {low:9,.0f} "
                    f"{half:9,.0f} {high:9,.0f} {reached:7.0%}{'' if can_decide else '  have enough spells'}",
                    flush=True,
                )


def _reached(case: Unproven, rng: np.random.Generator, counts: list[int], can_decide: bool) -> float:
    """The share of the runs of so many requests that decide, or that could."""
    reached = 0
    for place in range(0, len(counts), _AT_ONCE):
        some = [min(count, MOST_REQUESTS) for count in counts[place : place + _AT_ONCE]]
        for estimate in case.draw(rng, some):
            if can_decide:
                reached += decides(estimate, case.threshold)
            else:
                reached += estimate.bound("upper", case.threshold).assumption != ""
    return reached / len(counts)
