"""Listeners who left: how many, what became of those who stayed, and whether the service noticed it when all
left at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from genload.analysis.evidence.estimate import Absent, BoolArray, Estimate, Exact, FloatArray
from genload.analysis.evidence.percentiles import percentile
from genload.analysis.judged.listeners import Fall, Listeners, Stayed, Walkout
from genload.analysis.load import Load
from genload.analysis.series import Series, SeriesStore
from genload.analysis.table import RequestTable
from genload.human import human
from genload.settings.scenario import Scenario

TOGETHER_S = 1.0
"""Who is gone so soon after the moment left in it."""
MACHINES = ("gpu.utilisation", "server.cpu")
"""What shows work, where the service does not count it."""
LEAST_RISE = 0.1
"""A share of a GPU, or of a core, under which nobody can see work end."""


@dataclass(frozen=True)
class Left:
    """Everything that tells of it.

    Args:
        table: the requests that were heard to their end, or failed.
        left: those whose listeners left.
        gauge: the service's own number of requests under way; None: the suite names none.
    """

    table: RequestTable
    left: RequestTable
    store: SeriesStore
    load: Load
    gauge: str | None = None

    def walkouts(self) -> list[Walkout]:
        """Each moment in which all left, as far as the load came."""
        load, timeline = self.load, self.load.timeline
        stretches = [
            (load.start_s + timeline.start_s(place), load.start_s + timeline.ends_s[place])
            for place, phase in enumerate(timeline.phases)
            if phase.all_leave
        ]
        return [self._walkout(busy) for busy in stretches if busy[1] <= load.end_s]

    def released(self) -> Estimate:
        """How long after it the service was at rest, at most; of several, the longest."""
        walkouts = self.walkouts()
        if not walkouts:
            return Absent("a moment in which all listeners leave: shape walkout")
        worst, about = 0.0, ""
        for walkout in walkouts:
            fall = next((fall for fall in walkout.falls if not fall.missing), None)
            if fall is None:
                return Absent("; ".join(f"{each.metric}: {each.missing}" for each in walkout.falls))
            worst = max(worst, inf if fall.after_high is None else fall.after_high)
            about = f"by {fall.metric}, to its next sample"
        return Exact(worst, about)

    def _walkout(self, busy: tuple[float, float]) -> Walkout:
        """At the end of this phase."""
        at_s = busy[1]
        gone = (self.left.end_s >= at_s - TOGETHER_S / 10) & (self.left.end_s <= at_s + TOGETHER_S)
        later_s = np.concatenate([table.start_s[table.start_s > at_s] for table in (self.table, self.left)])
        until_s = float(later_s.min()) if len(later_s) else max(self.store.last_s, self.load.end_s)
        whole_s = percentile(self.table.duration_s[self.table.ok], 50)
        go_on_s = None
        if whole_s is not None and gone.any():
            go_on_s = max(float(self.left.start_s[gone].max()) + whole_s - at_s, 0.0)
        falls = [self._fall(name, busy, until_s) for name in ([self.gauge] if self.gauge else [])]
        falls += [self._fall(name, busy, until_s) for name in MACHINES if self.store.find(name) is not None]
        if not falls:
            missing = "no gauge of requests in flight (`reconcile.in_flight`), and no GPU or CPU was watched"
            falls = [Fall(metric="in flight", missing=missing)]
        noticed, why = _noticed(falls, go_on_s)
        return Walkout(
            at_s=at_s,
            answers=int(gone.sum()),
            would_go_on=go_on_s,
            watched=until_s - at_s,
            falls=falls,
            noticed=noticed,
            why=why,
        )

    def _fall(self, metric: str, busy_s: tuple[float, float], until_s: float) -> Fall:
        series = self.store.find(metric)
        found = Fall(metric=metric)
        if series is None or not len(series.values):
            found.missing = "no sample of it came"
            return found
        times_s, values, at_s = series.times_s, series.values, busy_s[1]
        before = values[(times_s >= busy_s[0]) & (times_s <= at_s)]
        after = (times_s > at_s) & (times_s <= until_s)
        if not len(before) or not after.any():
            found.missing = "it was not sampled both before and after that moment"
            return found
        # A tick shows what was so by its end; and the lowest, because of the warm-up.
        resting = values[times_s + series.took_s <= self.load.start_s]
        found.busy, found.rest = float(np.median(before)), float(resting.min()) if len(resting) else 0.0
        counts = metric == self.gauge
        if found.busy - found.rest < (1 if counts else LEAST_RISE):
            found.missing = f"it hardly rose under load: {found.busy:.3g}, and {found.rest:.3g} before"
            return found
        # Work that is counted is over when none of it is left; of a machine, when more than half of it is.
        limit = found.rest if counts else (found.busy + found.rest) / 2
        _tell(found, series, after, values > limit, at_s)
        return found


def _tell(found: Fall, series: Series, after: BoolArray, high: BoolArray, at_s: float) -> None:
    """Between which two samples it fell for good."""
    places = np.flatnonzero(after)
    still = places[high[places]]
    last = int(still[-1]) if len(still) else int(places[0]) - 1
    found.after_low = max(float(series.times_s[last]) - at_s, 0.0) if last >= 0 else 0.0
    if last < places[-1]:
        found.after_high = float(series.times_s[last + 1] + series.took_s[last + 1]) - at_s


def _noticed(falls: Sequence[Fall], go_on_s: float | None) -> tuple[bool | None, str]:
    fall = next((fall for fall in falls if not fall.missing), None)
    if fall is None or fall.after_low is None:
        return None, "; ".join(f"{each.metric}: {each.missing}" for each in falls)
    if go_on_s is None:
        return None, "no answer was heard to its end, which would tell how long those left would have taken"
    half_s = go_on_s / 2
    if fall.after_low >= half_s:
        return False, ""
    if fall.after_high is not None and fall.after_high <= half_s:
        return True, ""
    least, most = (human(each, "s") for each in (fall.after_low, fall.after_high))
    return None, (
        f"{fall.metric} fell between {least} and {most} after it, and the answers would have ended within "
        f"{human(go_on_s, 's')}: sample it more often, or take longer texts"
    )


def listeners(found: Left, scenario: Scenario) -> Listeners | None:
    """What reports show of it; None where nobody was to leave."""
    walkouts = found.walkouts()
    phases = found.load.timeline.phases
    if scenario.leave is None and not walkouts:
        return None
    mixed = [phase.name for phase in phases if phase.leave_share is None and phase.users]
    alone = [phase.name for phase in phases if phase.leave_share == 0 and not phase.all_leave]
    share = 0.0 if scenario.leave is None else scenario.leave.share
    return Listeners(
        left=len(found.left),
        share=share,
        stayed=_stayed(found.table, mixed) if share else None,
        alone=_stayed(found.table, alone),
        walkouts=walkouts,
    )


def _stayed(table: RequestTable, phases: Sequence[str]) -> Stayed | None:
    rows = np.zeros(len(table), dtype=np.bool_)
    for name in phases:
        rows |= table.where("phase", name)
    rows &= ~table.where("listener", "leaves")  # of these only the quick ones were heard to their end
    if not rows.any():
        return None
    ttfa_s = table.column("ttfa_s")
    durations_s = _ranked(table, rows, table.duration_s)
    first_s = None if ttfa_s is None else _ranked(table, rows, ttfa_s)
    return Stayed(
        requests=int(rows.sum()),
        p50_ttfa=None if first_s is None else percentile(first_s, 50),
        p95_ttfa=None if first_s is None else percentile(first_s, 95),
        p50_duration=percentile(durations_s, 50),
        p95_duration=percentile(durations_s, 95),
    )


def _ranked(table: RequestTable, rows: BoolArray, values: FloatArray) -> FloatArray:
    """One number of some requests, with failed ones infinitely slow."""
    there = rows & (~table.ok | ~np.isnan(values))
    return np.where(table.ok, values, inf)[there]
