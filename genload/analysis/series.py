"""What the machines did during the load: samples by metric, and how many ticks were missed."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import floor

import msgspec
import numpy as np

from genload.analysis.contract import STATE
from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.states import Held, Spells, Stretches
from genload.human import human
from genload.runlog.records import MonitorPlan, Sample
from genload.settings.metrics.labelled import unlabelled

PAGE_UP = "server.up"
TICKS_FORGIVEN = 2
"""Missed ticks that cost no coverage: in a short phase two of them would be more than 5 %."""
ENOUGH = 0.95
"""A monitor that speaks for this share of the load covers it."""
SEEN = "server.restarts"
"""A count of what was seen: what one monitor saw has happened, though another saw nothing."""


def ticks_owed(stretches: Stretches, interval_s: float) -> int:
    """How many ticks a monitor must deliver in stretches of time.

    A stretch of 9.5 intervals holds 9 or 10 ticks; only the 9 are owed.
    """
    return sum(floor((high - low) / interval_s + 1e-9) for low, high in stretches)


def slowed(plans: Sequence[MonitorPlan], samples: Iterable[Sample]) -> list[MonitorPlan]:
    """What the monitors promised, with the interval that each was slowed down to."""
    longest_s: dict[str, float] = {}
    for sample in samples:
        if sample.interval_s:
            longest_s[sample.monitor] = max(sample.interval_s, longest_s.get(sample.monitor, 0.0))
    return [
        msgspec.structs.replace(plan, interval_s=max(plan.interval_s, longest_s.get(plan.name, 0.0)))
        for plan in plans
    ]


@dataclass(frozen=True)
class Series:
    """One metric from one monitor, in the order of time; base units.

    `metric` has the labels of the machine, where the monitor watches several; `source` says for people where
    the numbers come from. `took_s` is how long each tick took; `expected` is the number of ticks that the
    monitor owed in the stretches the series was cut to; `nothing_here` says why it had nothing to sample,
    `doubt` why its numbers may not be what they seem.
    """

    metric: str
    source: str
    times_s: FloatArray
    values: FloatArray
    took_s: FloatArray
    interval_s: float
    expected: int = 0
    nothing_here: str = ""
    doubt: str = ""
    monitor: str = ""

    @property
    def name(self) -> str:
        """The metric without labels: ``gpu.power``."""
        return unlabelled(self.metric)[0]

    @property
    def labels(self) -> dict[str, str]:
        """Which machine it is of several, ``{"gpu": "0"}``; empty for all of them together."""
        return unlabelled(self.metric)[1]

    @cached_property
    def spells(self) -> Spells:
        """The time that each tick speaks for."""
        return Spells.of(self.times_s, self.took_s, self.interval_s)

    def held(self, stretches: Stretches) -> Held:
        """For how long a state was on in the stretches; of the whole series, not of one that was cut."""
        return Held.of(self.spells, self.values, stretches)

    def spoken_share(self, stretches: Stretches) -> float:
        """For which share of the stretches its ticks speak."""
        asked_s = sum(high - low for low, high in stretches)
        return float(self.spells.within(stretches).sum()) / asked_s if asked_s > 0 else 0.0

    def speaks_for(self, stretches: Stretches, least: float) -> bool:
        """Whether its ticks speak for enough of the stretches; a few missed ones are forgiven."""
        held = self.held(stretches)
        forgiven_s = TICKS_FORGIVEN * self.interval_s
        enough = held.known_s >= least * (held.known_s + held.unknown_s) or held.unknown_s <= forgiven_s
        return held.known_s > 0 and enough

    def cut(self, stretches: Stretches) -> Series:
        """The samples inside the stretches of time, with the ticks that were owed there."""
        inside = np.zeros(len(self.times_s), dtype=np.bool_)
        for low, high in stretches:
            inside |= (self.times_s >= low) & (self.times_s <= high)
        times_s, values, took_s = self.times_s[inside], self.values[inside], self.took_s[inside]
        owed = ticks_owed(stretches, self.interval_s)
        return replace(self, times_s=times_s, values=values, took_s=took_s, expected=owed)

    @property
    def crowded(self) -> str:
        """That ticks were left out because each took too long, and what to change; empty: they were not."""
        tick_s = float(np.median(self.took_s)) if len(self.took_s) else 0.0
        if tick_s <= self.interval_s:
            return ""
        took, due = human(tick_s, "s"), human(self.interval_s, "s")
        return f"a tick took {took} and one was due each {due}: give the monitor a longer `interval`"

    @property
    def coverage(self) -> float:
        """Delivered ticks ÷ expected ones, at most 1."""
        return min(1.0, len(self.values) / self.expected) if self.expected else float(len(self.values) > 0)

    def covers(self, least: float) -> bool:
        """Whether enough ticks arrived to speak about this time."""
        lost = self.expected - len(self.values)
        return len(self.values) > 0 and (self.coverage >= least or lost <= TICKS_FORGIVEN)


@dataclass
class _Points:
    """What one monitor's ticks told of one metric."""

    times_s: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    took_s: array[float] = field(default_factory=lambda: array("d"))

    def add(self, sample: Sample, value: float) -> None:
        self.times_s.append(sample.t_s)
        self.values.append(value)
        self.took_s.append(sample.took_s)


class SeriesStore:
    """All samples of a run by metric; of several monitors that fill it, the first that covers the load
    speaks, or that which covers most of it. Of restarts, the one that saw most.

    Of a monitor that wrote its history, the first looks before it do not count.

    Args:
        watched: the load, from when to when; None: all there is.
    """

    def __init__(
        self,
        samples: Iterable[Sample],
        plans: Sequence[MonitorPlan],
        watched: tuple[float, float] | None = None,
    ) -> None:
        self._plans = list(plans)
        self._points: dict[tuple[str, str], _Points] = {}
        first_looks: dict[tuple[str, str], _Points] = {}
        self._doubts: dict[tuple[str, str], str] = {}
        self.last_s = 0.0
        for sample in samples:
            self.last_s = max(self.last_s, sample.t_s)
            self._doubts |= {(metric, sample.monitor): why for metric, why in sample.doubts.items()}
            points = first_looks if sample.live else self._points
            for metric, value in sample.values.items():
                if not metric.startswith(STATE):  # a finding, not a number over time
                    points.setdefault((metric, sample.monitor), _Points()).add(sample, value)
        self._points = first_looks | self._points
        self._watched = watched or (0.0, self.last_s)

    def doubts(self) -> Iterator[str]:
        """A sentence on each reason why numbers may not be what they seem."""
        for why in dict.fromkeys(self._doubts.values()):
            metrics = dict.fromkeys(metric for (metric, _), reason in self._doubts.items() if reason == why)
            yield f"{', '.join(metrics)}: not sure: {why}"

    @property
    def metrics(self) -> list[str]:
        """Every metric that was promised or came."""
        names = dict.fromkeys(metric for plan in self._plans for metric in plan.metrics)
        return list(names | dict.fromkeys(metric for metric, _ in self._points))

    @property
    def samples(self) -> int:
        """How many values there are of all metrics."""
        return sum(len(points.values) for points in self._points.values())

    def all(self) -> Iterator[Series]:
        """Every series that has samples, of each monitor that filled it, over the whole run."""
        plans = {plan.name: plan for plan in self._plans}
        for metric, monitor in self._points:
            if monitor in plans:
                yield self._series(metric, plans[monitor])

    def strata(
        self, metric: str, label: str, filters: Mapping[str, str]
    ) -> list[tuple[tuple[str, str], ...]]:
        """The labels of each series of a metric that has `label` and fits the filters, less the filters.

        A machine is known by any of the metrics that have its label from the same monitor: one of several
        replicas that never told its memory is a stratum of memory too, without samples.
        """
        plans = [plan for plan in self._plans if self._fills(plan, metric)]
        wanted = {name: value for name, value in filters.items() if name != "phase"}
        found: dict[tuple[tuple[str, str], ...], None] = {}
        for plan in plans:
            alike = tuple(plan.labels.get(label, ()))
            share = metric.startswith(alike) if alike else False
            for name in self._names(plan):
                other, labels = unlabelled(name)
                fits = other == metric or (share and other.startswith(alike))
                if fits and label in labels and wanted.items() <= labels.items():
                    found[tuple(pair for pair in labels.items() if pair[0] not in wanted)] = None
        return list(found)

    def _fills(self, plan: MonitorPlan, metric: str) -> bool:
        return metric in plan.metrics or any(unlabelled(name)[0] == metric for name in self._names(plan))

    def _names(self, plan: MonitorPlan) -> Iterator[str]:
        return (metric for metric, monitor in self._points if monitor == plan.name)

    def page_came(self, source: str) -> bool | None:
        """Whether a metrics page answered in the load; None where it is no page."""
        low, high = self._watched
        told = [
            points
            for (metric, monitor), points in self._points.items()
            if metric == PAGE_UP
            and any(plan.name == monitor and plan.source == source for plan in self._plans)
        ]
        if not told:
            return None
        return any(
            value > 0 and low <= at_s <= high
            for points in told
            for at_s, value in zip(points.times_s, points.values, strict=True)
        )

    def find(self, metric: str) -> Series | None:
        """The metric's series over the whole run, empty when only promised; None when nobody fills it."""
        plans = [
            plan for plan in self._plans if metric in plan.metrics or (metric, plan.name) in self._points
        ]
        if not plans:
            return None
        filled = [self._series(metric, plan) for plan in plans if (metric, plan.name) in self._points]
        if not filled:
            return self._series(metric, min(plans, key=lambda plan: plan.nothing_here != ""))
        if unlabelled(metric)[0] == SEEN:
            most = max(map(self._seen, filled))
            filled = [series for series in filled if self._seen(series) == most]
        shares = [min(ENOUGH, series.spoken_share([self._watched])) for series in filled]
        return filled[shares.index(max(shares))]

    def _seen(self, series: Series) -> tuple[float, float]:
        """How many a count of what was seen shows from the load's begin on, and in all."""
        since = series.values[series.times_s >= self._watched[0]]
        return float(np.ptp(since)) if len(since) else 0.0, float(series.values.max())

    def _series(self, metric: str, plan: MonitorPlan) -> Series:
        points = self._points.get((metric, plan.name), _Points())
        order = np.argsort(np.frombuffer(points.times_s, dtype=np.float64), kind="stable")

        def in_order(column: array[float]) -> FloatArray:
            return np.frombuffer(column, dtype=np.float64)[order]

        return Series(
            metric=metric,
            source=plan.source or plan.name,
            times_s=in_order(points.times_s),
            values=in_order(points.values),
            took_s=in_order(points.took_s),
            interval_s=plan.interval_s,
            nothing_here=plan.nothing_here,
            doubt=self._doubts.get((unlabelled(metric)[0], plan.name), ""),
            monitor=plan.name,
        )
