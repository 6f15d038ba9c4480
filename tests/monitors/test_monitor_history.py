"""Samples that a monitor reads at the end: written after its last tick, counted instead of first looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from time import monotonic

from genload.analysis.series import SeriesStore
from genload.monitor import Monitor, MonitorError
from genload.runlog.records import MonitorPlan, Sample
from genload.sampler.watch import Watch
from genload.settings.wing_models import MonitorSettings


class Looking(Monitor):
    """First looks of 1, and a history of 2."""

    metrics = ("prom.x",)
    provisional = True
    reads: Callable[[float, float], Iterable[tuple[float, Mapping[str, float]]]]
    closed = False

    def open(self) -> None:
        return

    def sample(self) -> Mapping[str, float]:
        return {"prom.x": 1.0}

    def history(self, begin_s: float, end_s: float) -> Iterable[tuple[float, Mapping[str, float]]]:
        assert not self.closed
        yield from self.reads(begin_s, end_s)

    def close(self) -> None:
        self.closed = True


def run(reads: Callable[[float, float], Iterable[tuple[float, Mapping[str, float]]]]) -> list[Sample]:
    """What a watch writes that is told to stop after its first tick."""
    monitor, stop, written = Looking(MonitorSettings(), ""), threading.Event(), []
    monitor.reads = reads

    def write(sample: Sample) -> None:
        written.append(sample)
        stop.set()

    Watch("looking", monitor).run(monotonic() - 100.0, write, stop)
    assert monitor.closed
    return written


def test_the_history_comes_after_the_last_tick_on_the_runs_clock() -> None:
    asked = []

    def reads(begin_s: float, end_s: float) -> Iterable[tuple[float, Mapping[str, float]]]:
        asked.append((begin_s, end_s))
        return [(begin_s, {"prom.x": 2.0}), (end_s, {"prom.x": float("nan"), "prom.y": 3.0})]

    tick, first, last = run(reads)
    (begin_s, end_s) = asked[0]
    assert begin_s <= end_s
    assert (tick.live, first.live, last.live) == (True, False, False)
    assert 100.0 <= first.t_s <= tick.t_s <= last.t_s < 130.0
    assert (first.values, last.values) == ({"prom.x": 2.0}, {"prom.y": 3.0})


def test_a_history_that_breaks_off_is_named_and_what_came_stands() -> None:
    def reads(begin_s: float, end_s: float) -> Iterable[tuple[float, Mapping[str, float]]]:
        yield begin_s, {"prom.x": 2.0}
        raise MonitorError("gone")

    _, first, broken = run(reads)
    assert first.values == {"prom.x": 2.0}
    assert (broken.values, broken.error) == ({}, "gone")


def test_first_looks_count_only_without_a_history() -> None:
    plans = [MonitorPlan(name="m", interval_s=1.0, metrics=["prom.x", "prom.y"])]
    looks = [Sample(t_s=t, monitor="m", values={"prom.x": 1.0, "prom.y": 5.0}, live=True) for t in (0.0, 1.0)]
    history = [Sample(t_s=0.5, monitor="m", values={"prom.x": 2.0})]
    store = SeriesStore([*looks, *history], plans)
    x, y = store.find("prom.x"), store.find("prom.y")
    assert x is not None and y is not None
    assert (list(x.values), list(y.values)) == ([2.0], [5.0, 5.0])
