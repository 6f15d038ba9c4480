"""The capacity curve: the throughput of each level of a search, and beside it what users would make who never
queue."""

from __future__ import annotations

import numpy as np

from genload.analysis.judged import JudgedRun
from genload.analysis.judged.capacity import Capacity, Saturation
from genload.human import shown_in
from genload.reporting.page.against import Against
from genload.reporting.page.axis import Axis
from genload.reporting.page.panel import Points, Sketch

_LOOKS = (("holds", "holds", "cloud"), ("does not hold", "does not hold", "failed"))


def capacity_curve(run: JudgedRun) -> Against | None:
    """Throughput against the level; None without two levels that were measured soundly."""
    found = run.capacity
    if found is None or len({one.value for one in found.levels if one.outcome != "invalid"}) < 2:
        return None
    factor = 1.0 if found.of == "users" else shown_in(found.highest, "1/s")[0]
    most = max(one.value for one in found.levels) * factor
    across = Axis.fitting(0.0, most, "count")
    points = [_levels(found, name, outcome, look, factor) for name, outcome, look in _LOOKS]
    line = _line(found.saturation, most) if found.saturation is not None else None
    drawn = Sketch("throughput", "1/s", [*([line] if line else []), *points]).drawn(across.low, across.high)
    return None if drawn is None else Against(drawn, across)


def _levels(found: Capacity, name: str, outcome: str, look: str, factor: float) -> Points:
    those = [one for one in found.levels if one.outcome == outcome and one.throughput_per_minute is not None]
    x = np.array([one.value * factor for one in those], dtype=np.float64)
    y = np.array([(one.throughput_per_minute or 0.0) / 60 for one in those], dtype=np.float64)
    return Points(name, look, 1 if outcome == "holds" else 2, x, y)  # type: ignore[arg-type]


def _line(model: Saturation, most: float) -> Points:
    """Of users who never queue, up to as many as the service works on at once."""
    bend = most if model.slots is None else min(model.slots, most)
    x = np.array([0.0, bend, most])
    return Points("without a queue, for comparison", "line", 3, x, np.minimum(x, bend) / model.cycle_seconds)
