"""What the machines did during the load: samples by metric, and how many ticks were missed."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np

from genload.analysis.contract import STATE
from genload.analysis.evidence import FloatArray
from genload.runlog.records import MonitorPlan, Sample
from genload.settings.labelled import unlabelled

TICKS_FORGIVEN = 2
"""Missed ticks that cost no coverage: in a short phase two of them would be more than 5 %."""


def ticks_owed(stretches: Sequence[tuple[float, float]], interval_s: float) -> int:
    """How many ticks a monitor must deliver in stretches of time.

    A stretch of 9.5 intervals holds 9 or 10 ticks; only the 9 are owed.
    """
    return sum(floor((high - low) / interval_s + 1e-9) for low, high in stretches)


@dataclass(frozen=True)
class Series:
    """One metric from one monitor, in the order of time; base units.

    `expected` is the number of ticks that the monitor owed in the stretches the series was cut to;
    `nothing_here` says why it had nothing to sample.
    """

    metric: str
    source: str
    times_s: FloatArray
    values: FloatArray
    interval_s: float
    expected: int = 0
    nothing_here: str = ""

    def cut(self, stretches: Sequence[tuple[float, float]]) -> Series:
        """The samples inside the stretches of time, with the ticks that were owed there."""
        inside = np.zeros(len(self.times_s), dtype=np.bool_)
        for low, high in stretches:
            inside |= (self.times_s >= low) & (self.times_s <= high)
        times_s, values = self.times_s[inside], self.values[inside]
        owed = ticks_owed(stretches, self.interval_s)
        return replace(self, times_s=times_s, values=values, expected=owed)

    @property
    def coverage(self) -> float:
        """Delivered ticks ÷ expected ones, at most 1."""
        return min(1.0, len(self.values) / self.expected) if self.expected else float(len(self.values) > 0)

    def covers(self, least: float) -> bool:
        """Whether enough ticks arrived to speak about this time."""
        lost = self.expected - len(self.values)
        return len(self.values) > 0 and (self.coverage >= least or lost <= TICKS_FORGIVEN)


class SeriesStore:
    """All samples of a run by metric; of several monitors that fill it, the first with data speaks.

    Of a monitor that wrote its history, the first looks before it do not count.
    """

    def __init__(self, samples: Iterable[Sample], plans: Sequence[MonitorPlan]) -> None:
        self._plans = list(plans)
        self._points: dict[tuple[str, str], tuple[array[float], array[float]]] = {}
        first_looks: dict[tuple[str, str], tuple[array[float], array[float]]] = {}
        self.last_s = 0.0
        for sample in samples:
            self.last_s = max(self.last_s, sample.t_s)
            points = first_looks if sample.live else self._points
            for metric, value in sample.values.items():
                if metric.startswith(STATE):  # a finding, not a number over time
                    continue
                key = (metric, sample.monitor)
                times, values = points.setdefault(key, (array("d"), array("d")))
                times.append(sample.t_s)
                values.append(value)
        self._points = first_looks | self._points

    @property
    def metrics(self) -> list[str]:
        """Every metric that was promised or came."""
        names = dict.fromkeys(metric for plan in self._plans for metric in plan.metrics)
        return list(names | dict.fromkeys(metric for metric, _ in self._points))

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

    def find(self, metric: str) -> Series | None:
        """The metric's series over the whole run, empty when only promised; None when nobody fills it."""
        plans = [
            plan for plan in self._plans if metric in plan.metrics or (metric, plan.name) in self._points
        ]
        if not plans:
            return None
        plan = min(plans, key=lambda plan: ((metric, plan.name) not in self._points, plan.nothing_here != ""))
        times, values = self._points.get((metric, plan.name), (array("d"), array("d")))
        order = np.argsort(np.frombuffer(times, dtype=np.float64), kind="stable")
        return Series(
            metric=metric,
            source=plan.source or plan.name,
            times_s=np.frombuffer(times, dtype=np.float64)[order],
            values=np.frombuffer(values, dtype=np.float64)[order],
            interval_s=plan.interval_s,
            nothing_here=plan.nothing_here,
        )
