"""One chart: an axis, and what is drawn on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Literal

import numpy as np
import numpy.typing as npt

from genload.reporting.page import path, thinning
from genload.reporting.page.axis import Axis
from genload.reporting.page.path import Floats

MOST_IN_A_LINE, MOST_IN_A_CLOUD = 600, 3000

Look = Literal["line", "stairs", "cloud", "failed", "area"]


@dataclass(frozen=True, slots=True)
class Trace:
    """One line, cloud of points or surface.

    Attributes:
        color: which of the page's colours, from 1 on; 0: that of failures.
        path: of an SVG of `path.WIDTH` by `path.HEIGHT`.
    """

    name: str
    look: Look
    color: int
    path: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart of many over the same horizontal axis."""

    title: str
    axis: Axis
    traces: list[Trace]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """What becomes a trace once the panel's axis is known: `values` in base units, NaN where nothing is.

    Attributes:
        below: of an area its lower edge.
        holes: before which points a line is interrupted; None: after each NaN alone.
    """

    name: str
    look: Look
    color: int
    times_s: Floats
    values: Floats
    below: Floats | None = None
    holes: npt.NDArray[np.bool_] | None = None


@dataclass(slots=True)
class Sketch:
    """A panel while its points are gathered."""

    title: str
    unit: str
    points: list[Points] = field(default_factory=list)
    note: str = ""
    from_zero: bool = True

    def drawn(self, begin_s: float, end_s: float) -> Panel | None:
        """The panel over this time; None where there is nothing to see."""
        finite = [
            found
            for each in self.points
            if len(found := each.values[np.isfinite(each.values) & _between(each.times_s, begin_s, end_s)])
        ]
        if not finite:
            return None
        lowest = min(float(each.min()) for each in finite)
        highest = max(float(each.max()) for each in finite)
        axis = Axis.fitting(min(0.0, lowest) if self.from_zero else lowest, highest, self.unit)
        traces = [_traced(each, axis, (begin_s, end_s)) for each in self.points]
        return Panel(self.title, axis, [trace for trace in traces if trace.path], self.note)


def _traced(points: Points, axis: Axis, span_s: tuple[float, float]) -> Trace:
    times_s, values, below, holes = _kept(points, *span_s)
    x = path.steps_across(times_s, *span_s)
    y = path.steps_down(values * axis.factor, axis.low, axis.high)
    if points.look == "area" and below is not None:
        drawn = path.area(x, y, path.steps_down(below * axis.factor, axis.low, axis.high))
    elif points.look == "stairs":
        drawn = path.stairs(x, y)
    else:
        drawn = path.line(x, y, holes) if points.look == "line" else path.dots(x, y)
    return Trace(points.name, points.look, points.color, drawn)


def _between(times_s: Floats, begin_s: float, end_s: float) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (times_s >= begin_s) & (times_s <= end_s)
    return found


def _kept(
    points: Points, begin_s: float, end_s: float
) -> tuple[Floats, Floats, Floats | None, npt.NDArray[np.bool_]]:
    """The points that are drawn; an infinite one is, beyond the upper end."""
    there = ~np.isnan(points.values) & _between(points.times_s, begin_s, end_s)
    holes = np.zeros(len(there), dtype=np.bool_) if points.holes is None else points.holes
    number_of_hole = np.cumsum(holes | ~there)[there]  # where it changes, the line is interrupted
    times_s, values = points.times_s[there], np.where(points.values == inf, 1e300, points.values)[there]
    below = None if points.below is None else points.below[there]
    if points.look == "line":
        rows = thinning.of_a_line(times_s, values, MOST_IN_A_LINE)
    elif points.look in ("cloud", "failed"):
        rows = thinning.of_a_cloud(times_s, values, MOST_IN_A_CLOUD)
    else:
        rows = np.arange(len(times_s))
    interrupted = np.diff(number_of_hole[rows], prepend=number_of_hole[:1]) > 0
    return times_s[rows], values[rows], None if below is None else below[rows], interrupted
