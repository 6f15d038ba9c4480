"""What was at its end where a service did not hold any more: shown beside the answer, and no part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from genload.analysis.capacity.levels import Level
from genload.analysis.judged.capacity import Capacity, LevelResult
from genload.analysis.observe import Measures
from genload.analysis.tallies import rejections
from genload.human import human
from genload.settings.metrics.labelled import unlabelled

BUSY = 0.9
"""A share of a GPU or of a host from which on it is called busy."""
FLAT = 0.1
"""What grows by less than this share of the growth of the load has stopped growing."""


def limited_by(found: Capacity, times: Mapping[int, Level], measures: Measures) -> list[str]:
    """What a reader should look at first; nothing where every level held, or none is known not to.

    Args:
        times: the levels as they were announced, by their numbers.
    """
    above = _at(found, found.lowest_observed_not, "does not hold")
    if above is None:
        return []
    below = _at(found, found.highest_observed, "holds")
    return [*_refusals(above, measures), *_machines(times[above.level], measures), *_throughput(below, above)]


def _at(found: Capacity, value: float | None, outcome: str) -> LevelResult | None:
    return next((one for one in found.levels if one.value == value and one.outcome == outcome), None)


def _refusals(level: LevelResult, measures: Measures) -> Iterator[str]:
    count = rejections(measures.table, measures.table.where("phase", f"level{level.level}"))
    if count:
        yield f"the service refused {count:,.0f} times (429, 503)"


def _machines(time: Level, measures: Measures) -> Iterator[str]:
    """Machines that were busy in the level's time."""
    for series in measures.store.all():
        name, _ = unlabelled(series.metric)
        if name not in _NAMES:
            continue
        within = (series.times_s >= time.start_s) & (series.times_s <= time.end_s)
        if within.any() and float(np.mean(series.values[within])) >= BUSY:
            yield f"{_NAMES[name]} {human(float(np.mean(series.values[within])), 'ratio')} ({series.metric})"


_NAMES = {
    "gpu.utilisation": "the GPU was busy:",
    "host.cpu": "the machine's cores were busy:",
    "server.cpu": "the server's processes took of a core:",
}


def _throughput(below: LevelResult | None, above: LevelResult) -> Iterator[str]:
    """Whether more load made no more throughput."""
    if below is None or not below.throughput_per_minute or above.throughput_per_minute is None:
        return
    load, done = above.value / below.value - 1, above.throughput_per_minute / below.throughput_per_minute - 1
    if done < FLAT * load or done < 0:
        yield f"its throughput did not grow with the load: {human(above.throughput_per_minute / 60, '1/s')}"
