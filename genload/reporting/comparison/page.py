"""``compare.html``: two builds to look at, on the same axes, in one file that needs nothing beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from genload.analysis.comparison import ComparedSuite, Comparison, MetricShift, Verdict
from genload.reporting.comparison import wording
from genload.reporting.page.axis import Axis
from genload.reporting.page.panel import Panel, Points, Sketch
from genload.reporting.page.path import Floats
from genload.reporting.page.template import environment, part, policy
from genload.reporting.wording import utc

TONES: dict[Verdict, str] = {
    "regression": "fail",
    "no_regression": "pass",
    "inconclusive": "open",
    "descriptive": "open",
}
_REACH = 3.0
"""How many times what is allowed a bar reaches to each side."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, the axis that lies under it, and what it says."""

    panel: Panel
    across: Axis
    under: str
    note: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A shift beside what is allowed, in percent of a bar's width: worse is to the right of the middle."""

    low: float | None
    high: float | None
    value: float
    allowed: tuple[float, float]

    @classmethod
    def of(cls, metric: MetricShift) -> Bar | None:
        """None where there is no shift, or nothing is allowed to be worse."""
        shift, tolerance = metric.shift, metric.tolerance
        if shift is None or not tolerance:
            return None
        turned = -1 if metric.better == "higher" else 1
        ends = [None if end is None else _place(turned * end, tolerance) for end in (shift.low, shift.high)]
        low, high = ends if turned > 0 else ends[::-1]
        either = metric.better == "either"
        allowed = (
            _place(-tolerance if either else -_REACH * tolerance, tolerance),
            _place(tolerance, tolerance),
        )
        return cls(low, high, _place(turned * shift.value, tolerance), allowed)


def _place(value: float, tolerance: float) -> float:
    share = 0.5 + value / tolerance / (2 * _REACH)
    return 100 * min(1.0, max(0.0, share))


def page(suite: ComparedSuite) -> str:
    """The HTML of a comparison."""
    style = Markup("\n").join((part("page.css"), part("compare.css")))
    return (
        _environment()
        .get_template("compare.html")
        .render(suite=suite, style=style, policy=policy(style, ""), charts=charts)
    )


def charts(comparison: Comparison) -> list[Chart]:
    """Quantiles on one axis, quantile against quantile, and medians over the load."""
    found = (_quantiles(comparison), _against(comparison), _over_time(comparison))
    return [chart for chart in found if chart is not None]


def _quantiles(comparison: Comparison) -> Chart | None:
    pictures = comparison.pictures
    levels = np.array(pictures.levels)
    sketch = Sketch("duration", "s", [*_both(levels, pictures.base, pictures.new)])
    return _chart(
        sketch, Axis(0.0, 100.0, 1.0, "%"), "of the requests are faster", "failed ones are infinitely slow"
    )


def _against(comparison: Comparison) -> Chart | None:
    pictures = comparison.pictures
    base, new = _column(pictures.base), _column(pictures.new)
    there = np.isfinite(base) & np.isfinite(new)
    if not there.any():
        return None
    most = float(max(base[there].max(), new[there].max()))
    across = Axis.fitting(0.0, most, "s")
    equal = np.array([0.0, across.high / across.factor])
    points = [
        Points("equal builds", "line", 8, equal * across.factor, equal),
        Points("percentiles 1 to 99.9", "cloud", 2, base[there] * across.factor, new[there]),
    ]
    note = "above the line NEW is slower"
    return _chart(Sketch("NEW against BASE", "s", points), across, f"{across.unit}, BASE", note)


def _over_time(comparison: Comparison) -> Chart | None:
    pictures = comparison.pictures
    parts = len(pictures.base_medians)
    middles = (np.arange(parts) + 0.5) / parts * 100 if parts else np.zeros(0)
    sketch = Sketch("median duration", "s", [*_both(middles, pictures.base_medians, pictures.new_medians)])
    return _chart(sketch, Axis(0.0, 100.0, 1.0, "%"), "of the load", "of what began then")


def _both(at: Floats, base: list[float | None], new: list[float | None]) -> tuple[Points, Points]:
    return _line("BASE", 1, at, base), _line("NEW", 2, at, new)


def _line(name: str, color: int, at: Floats, values: list[float | None]) -> Points:
    """A line that goes on over parts of a load in which nothing began."""
    column = _column(values)
    there = ~np.isnan(column)
    return Points(name, "line", color, at[there], column[there])


def _column(values: list[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _chart(sketch: Sketch, across: Axis, under: str, note: str) -> Chart | None:
    panel = sketch.drawn(across.low, across.high)
    return None if panel is None else Chart(panel, across, under, note)


@cache
def _environment() -> Environment:
    return environment(Bar=Bar, TONES=TONES, utc=utc, wording=wording)
