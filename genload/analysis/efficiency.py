"""What an output cost: joules, seconds of GPU, money.

All outputs of the load count, and all of the time until the last one came: those that were in flight at the
load's end took their energy after it, and what failed took its own too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.judged.efficiency import Cost, Efficiency, Energy, GpuTime, Sharing
from genload.analysis.series import Series
from genload.analysis.trends import Course
from genload.settings.metrics.labelled import unlabelled
from genload.settings.metrics.machines import MIN_IDLE
from genload.settings.suite import GpuHourCost

_BOARD = frozenset({"gpu", "UUID", "Hostname"})  # labels of our own series, and of a DCGM exporter's
EDGE_TICKS = 2
"""A counter speaks of the whole time when it was read so few ticks from its beginning and its end."""


@dataclass(frozen=True)
class _Work:
    """The time that is accounted for, and what came of it."""

    course: Course

    @cached_property
    def span(self) -> tuple[float, float]:
        return self.course.load.start_s, self.course.drained_s

    @property
    def seconds(self) -> float:
        return self.span[1] - self.span[0]

    @cached_property
    def outputs(self) -> int:
        return int(self.course.table.ok.sum())

    @cached_property
    def audio_s(self) -> float | None:
        """Audio of all outputs; None unless the length of every one is known."""
        column = self.course.table.column("audio_duration_s")
        lengths = None if column is None else column[self.course.table.ok]
        if lengths is None or not len(lengths) or np.isnan(lengths).any() or not lengths.any():
            return None
        return float(lengths.sum())

    @cached_property
    def gpus(self) -> int:
        """By their own series, which there are of several; otherwise one. Index 0 of two hosts is two."""
        boards: dict[frozenset[str], set[tuple[str, ...]]] = {}  # several monitors may name the same ones
        for _, labels in map(unlabelled, self.course.store.metrics):
            if labels.keys() & {"gpu", "UUID"}:
                names = _BOARD.intersection(labels)
                boards.setdefault(names, set()).add(tuple(labels[name] for name in sorted(names)))
        return max([1, *map(len, boards.values())])

    def series(self, metric: str) -> Series | None:
        """The metric's samples of the time; None where too few of them came to speak of it."""
        found = self.course.store.find(metric)
        part = None if found is None else found.cut([self.span])
        return part if part is not None and part.covers(self.course.min_coverage) else None

    def share(self, amount: float) -> tuple[float, float | None]:
        """Of one output, and of a second of audio."""
        return amount / self.outputs, None if self.audio_s is None else amount / self.audio_s


def efficiency(
    course: Course, price: GpuHourCost | None, service_processes: Sequence[int | str]
) -> Efficiency | None:
    """What the outputs of a run cost; None where nothing is known of it, or there is no output.

    Args:
        service_processes: which of a board's processes are the service's, by id or name; none: not known.
    """
    work = _Work(course)
    if work.seconds <= 0 or not work.outputs:
        return None
    energy, gpu_time = _energy(work), _gpu_time(work)
    if energy is None and gpu_time is None and price is None:
        return None
    return Efficiency(
        outputs=work.outputs,
        seconds=work.seconds,
        gpus=work.gpus,
        audio_seconds=work.audio_s,
        energy=energy,
        gpu_time=gpu_time,
        cost=_cost(work, price) if price else None,
        sharing=sharing(course, service_processes) if energy or gpu_time else None,
    )


def counted(series: Series, begin_s: float, end_s: float) -> float | None:
    """What a counter rose by between two times; a fall is its restart, at which nothing is added.

    None where it was not read near both ends of the time.
    """
    reach_s = EDGE_TICKS * series.interval_s
    if (
        len(series.values) < 2
        or series.times_s[0] > begin_s + reach_s
        or series.times_s[-1] < end_s - reach_s
    ):
        return None
    rises = np.maximum(np.diff(series.values, prepend=series.values[:1]), 0.0)
    total = np.interp([begin_s, end_s], series.times_s, rises.cumsum())
    return float(total[1] - total[0])


def integrated(series: Series, seconds: float) -> float | None:
    """The series' mean over time × `seconds`; None from fewer than two samples."""
    if len(series.values) < 2:
        return None
    lengths = np.diff(series.times_s)
    middles = (series.values[1:] + series.values[:-1]) / 2
    return float((middles * lengths).sum() / lengths.sum()) * seconds


def _energy(work: _Work) -> Energy | None:
    counter, power = work.course.store.find("gpu.energy"), work.series("gpu.power")
    joules = None if counter is None else counted(counter, *work.span)
    metric = "gpu.energy"
    if not joules and power is not None:  # a counter that never moves counts nothing
        joules, metric = integrated(power, work.seconds), "gpu.power"
    if not joules:
        return None
    per_output, per_second = work.share(joules)
    found = Energy(metric=metric, joules=joules, per_output=per_output, per_audio_second=per_second)
    found.idle_watts = _idle_watts(work.course)
    if found.idle_watts is not None:
        above = work.share(max(0.0, joules - found.idle_watts * work.seconds))
        found.per_output_above_idle, found.per_audio_second_above_idle = above
    return found


def _idle_watts(course: Course) -> float | None:
    """Before the load only: after it a GPU stays for a while at the clocks of its work."""
    power = course.store.find("gpu.power")
    before: FloatArray = np.zeros(0) if power is None else course.idle_before(power)
    return float(np.median(before)) if len(before) >= MIN_IDLE else None


def _gpu_time(work: _Work) -> GpuTime | None:
    utilisation = work.series("gpu.utilisation")
    busy_s = None if utilisation is None else integrated(utilisation, work.seconds)
    if not busy_s:
        return None
    per_output, per_second = work.share(busy_s * work.gpus)
    return GpuTime(seconds=busy_s * work.gpus, per_output=per_output, per_audio_second=per_second)


def _cost(work: _Work, price: GpuHourCost) -> Cost:
    per_output, per_second = work.share(price.amount * work.gpus * work.seconds / 3600)
    return Cost(
        currency=price.currency,
        per_1000_outputs=1000 * per_output,
        per_audio_hour=None if per_second is None else 3600 * per_second,
    )


def sharing(course: Course, service_processes: Sequence[int | str]) -> Sharing:
    """Whether processes other than the service's were on the board during the load."""
    window = [(course.load.start_s, course.drained_s)]
    count = course.store.find("gpu.processes")
    seen = None if count is None else count.cut(window).values
    # A monitor in a container sees none of the processes outside it: 0 is not "nobody".
    processes = int(seen.max()) if seen is not None and len(seen) and seen.max() > 0 else None
    if processes is None:
        return Sharing()
    named: dict[str, tuple[str, str]] = {}
    for name in course.store.metrics:
        metric, labels = unlabelled(name)
        series = course.store.find(name)
        if (
            metric == "gpu.process_memory"
            and "process" in labels
            and series
            and len(series.cut(window).values)
        ):
            program, _, pid = labels["process"].rpartition("-")
            named[labels["process"]] = program, pid
    if not service_processes:
        return Sharing(shared=False if processes == 1 else None, processes=processes)
    asked = {str(one) for one in service_processes}
    others = [name for name, words in named.items() if not asked & set(words)]
    known = bool(others) or len(named) >= processes
    return Sharing(shared=bool(others) if known else None, processes=processes, others=others)
