"""What one run's charts show over one axis of time: users, requests, stages, and what the machines did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from genload.analysis.judged import JudgedRun
from genload.analysis.series import Series
from genload.human import human
from genload.reporting.page import path
from genload.reporting.page.axis import time_ticks
from genload.reporting.page.panel import MOST_IN_A_CLOUD, Panel, Points, Sketch
from genload.reporting.page.path import Floats
from genload.reporting.page.windows import Windows
from genload.runlog.records import Interrupted, Notice, Users, WorkerLost

_FIRST = (
    "gpu.utilisation",
    "gpu.memory_used",
    "gpu.power",
    "server.in_flight",
    "server.cpu",
    "server.memory",
    "host.cpu",
    "client.cpu",
)
"""Metrics of machines that are open on the page; the others are behind a fold."""
_MOST_MACHINES = 8  # series in one panel: more cannot be told apart
_MISSED = 2.5  # intervals without a sample from which on a line is interrupted
_MOST_MARKS = 40
_OF_A_TICK = ("t_s", "in_flight")
_TO_COUNT = 2  # requests in a window of the throughput, on average


@dataclass(frozen=True, slots=True)
class Band:
    """A phase, from where to where on the axis."""

    name: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which something happened."""

    at: int
    time: str
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float  # percent of the width
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that is drawn over the time of one run, which begins with its load."""

    length_s: float
    ticks: list[Tick]
    phases: list[Band]
    marks: list[Mark]
    panels: list[Panel]
    folded: list[Panel]


def timeline(run: JudgedRun, beside: Sequence[JudgedRun] = ()) -> Timeline | None:
    """The charts of a run; None where it has no load, or nothing was recorded of it.

    Args:
        beside: the other populations that were at work at the same time.

    Raises:
        RunDirectoryError: its records are gone since it was judged.
    """
    requests = run.recorded.requests
    if not run.phases or not len(requests):
        return None
    begin_s = run.phases[0].start_s
    end_s = max(run.phases[-1].end_s, float(requests.end_s.max()))
    units = {each.metric: each.unit for each in run.series}
    machines = list(_machines(run.recorded.series, units))
    shown = [*_of_requests(run, beside), *(each for each in machines if each.title in _FIRST)]
    return Timeline(
        length_s=end_s - begin_s,
        ticks=[Tick(100 * at_s / (end_s - begin_s), text) for at_s, text in time_ticks(end_s - begin_s)],
        phases=[
            Band(
                phase.name,
                *(int(at) for at in path.steps_across([phase.start_s, phase.end_s], begin_s, end_s)),
            )
            for phase in run.phases
        ],
        marks=_marks(run, begin_s, end_s),
        panels=_drawn(shown, begin_s, end_s),
        folded=_drawn((each for each in machines if each.title not in _FIRST), begin_s, end_s),
    )


def _drawn(sketches: Iterable[Sketch], begin_s: float, end_s: float) -> list[Panel]:
    return [panel for sketch in sketches if (panel := sketch.drawn(begin_s, end_s)) is not None]


# --- the requests --------------------------------------------------------------------------------


def _of_requests(run: JudgedRun, beside: Sequence[JudgedRun]) -> Iterator[Sketch]:
    table = run.recorded.requests
    windows = Windows.over(run.phases[0].start_s, run.phases[-1].end_s, len(table))
    yield _users(run)
    if beside:
        yield _beside(beside)
    yield _throughput(run, windows)
    yield _cloud("duration", run, table.duration_s, windows)
    if (first_audio := table.column("ttfa_s")) is not None:
        yield _cloud("first audio", run, first_audio, windows)
    if len(run.stages) > 1:
        yield _stages(run, windows)


def _users(run: JudgedRun) -> Sketch:
    ticks = [event for event in run.recorded.events if isinstance(event, Users)]
    times_s = np.array([tick.t_s for tick in ticks])
    lines = {
        "asked for": ("stairs", [tick.target for tick in ticks]),
        "working": ("line", [tick.working for tick in ticks]),
        "requests in flight": ("line", [tick.in_flight for tick in ticks]),
    }
    return Sketch(
        "users",
        "count",
        [
            Points(name, look, color, times_s, np.array(values, dtype=np.float64))  # type: ignore[arg-type]
            for color, (name, (look, values)) in enumerate(lines.items(), 1)
        ],
    )


def _beside(others: Sequence[JudgedRun]) -> Sketch:
    """What the other populations did meanwhile."""
    points = []
    for color, other in enumerate(others, 1):
        ticks = [event for event in other.recorded.events if isinstance(event, Users)]
        times_s, in_flight = (np.array([getattr(t, name) for t in ticks], float) for name in _OF_A_TICK)
        points.append(Points(f"{other.population} in flight", "line", color, times_s, in_flight))
    return Sketch("requests of the others", "count", points)


def _throughput(run: JudgedRun, windows: Windows) -> Sketch:
    table = run.recorded.requests
    windows = Windows.over(windows.begin_s, windows.end_s, len(table), each=_TO_COUNT)
    per_s = 1 / windows.length_s if windows.length_s > 0 else 0.0
    ended = windows.counted(table.end_s[table.ok]) * per_s
    failed = windows.counted(table.end_s[~table.ok]) * per_s
    points = [Points("completed", "line", 1, *windows.steps(ended))]
    if failed.any():
        points.append(Points("failed", "line", 0, *windows.steps(failed)))
    return Sketch("throughput", "1/s", points, f"in windows of {human(windows.length_s, 's')}")


def _cloud(title: str, run: JudgedRun, values: Floats, windows: Windows) -> Sketch:
    """Every request as a point, and percentiles of all of them over time, in which failed ones never end."""
    table = run.recorded.requests
    ok, failed = table.ok & ~np.isnan(values), ~table.ok
    points = [Points("completed", "cloud", 1, table.start_s[ok], values[ok])]
    if failed.any():
        points.append(Points("failed", "failed", 0, table.start_s[failed], table.duration_s[failed]))
    if windows.count > 1:
        ranked = np.where(failed, inf, values)
        known = ~np.isnan(ranked)
        for color, percent in ((2, 50.0), (3, 95.0)):
            level = windows.percentiles(table.start_s[known], ranked[known], percent)
            points.append(Points(f"p{percent:g}", "line", color, windows.middles_s, level))
    note = ""
    if len(table) > MOST_IN_A_CLOUD:
        drawn = f"of {len(table):,} requests about {MOST_IN_A_CLOUD:,} are drawn, the extremes among them"
        note = f"{drawn}; lines are of all"
    return Sketch(title, "s", points, note)


def _stages(run: JudgedRun, windows: Windows) -> Sketch:
    """The mean time in each stage, one upon the other, of the requests that began in each window."""
    table = run.recorded.requests
    below = np.zeros(windows.count)
    points: list[Points] = []
    for color, name in enumerate(run.stages, 1):
        column = table.column(f"stage.{name}")
        if column is None:
            continue
        known = table.ok & ~np.isnan(column)
        means = windows.means(table.start_s[known], column[known])
        upper = below + np.nan_to_num(means)
        times_s, edge = windows.steps(upper)
        points.append(Points(name, "area", color, times_s, edge, below=windows.steps(below)[1]))
        below = upper
    return Sketch("stages, mean", "s", points)


# --- the machines --------------------------------------------------------------------------------


def _machines(series: Iterable[Series], units: Mapping[str, str]) -> Iterator[Sketch]:
    """A panel a metric, in the order of `_FIRST`, then of their names; what never moved from 0 has none."""
    by_name: dict[str, list[Series]] = {}
    for each in series:
        if len(each.values) > 1 and np.any(each.values):
            by_name.setdefault(each.name, []).append(each)
    order = {name: place for place, name in enumerate(_FIRST)}
    for name in sorted(by_name, key=lambda name: (order.get(name, len(order)), name)):
        found = by_name[name]
        yield Sketch(
            name,
            next((units[each.metric] for each in found if each.metric in units), ""),
            [_machine(each, color, len(found) > 1) for color, each in enumerate(found[:_MOST_MACHINES], 1)],
            f"{_MOST_MACHINES} of {len(found)} series are drawn" if len(found) > _MOST_MACHINES else "",
            from_zero=False,
        )


def _machine(series: Series, color: int, several: bool) -> Points:
    labels = ", ".join(f"{label} {value}" for label, value in series.labels.items())
    name = f"{labels or series.name}, {series.monitor}" if several else labels or series.name
    holes = np.diff(series.times_s, prepend=series.times_s[:1]) > _MISSED * series.interval_s
    return Points(name, "line", color, series.times_s, series.values, holes=holes)


# --- what happened -------------------------------------------------------------------------------


def _marks(run: JudgedRun, begin_s: float, end_s: float) -> list[Mark]:
    found = [*_of_events(run), *_restarts(run.recorded.series)]
    inside = sorted((at_s, text) for at_s, text in found if begin_s <= at_s <= end_s)
    places = path.steps_across([at_s for at_s, _ in inside[:_MOST_MARKS]], begin_s, end_s)
    return [
        Mark(int(at), human(at_s - begin_s, "s"), text)
        for at, (at_s, text) in zip(places, inside[:_MOST_MARKS], strict=True)
    ]


def _of_events(run: JudgedRun) -> Iterator[tuple[float, str]]:
    for event in run.recorded.events:
        if isinstance(event, Notice):
            yield event.t_s, event.text
        elif isinstance(event, WorkerLost):
            yield event.t_s, f"worker {event.source} was lost"
        elif isinstance(event, Interrupted):
            yield event.t_s, f"interrupted by {event.by}"


def _restarts(series: Iterable[Series]) -> Iterator[tuple[float, str]]:
    """Where a count of restarts rose; each moment once, however many monitors saw it."""
    seen: set[float] = set()
    for each in series:
        if each.name == "server.restarts" and len(each.values):
            for row in np.flatnonzero(np.diff(each.values, prepend=each.values[0]) > 0):
                at_s = float(each.times_s[row])
                if not any(abs(at_s - other) <= 2 * each.interval_s for other in seen):
                    seen.add(at_s)
                    yield at_s, "the service restarted"
