"""What the load generator did itself: users held, lag, CPU, clocks; over the load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from genload.analysis.evidence.percentiles import percentile
from genload.analysis.judged.arrivals import Arrivals
from genload.analysis.load import Load
from genload.analysis.table import RequestTable
from genload.runlog.error_classes import NOT_STARTED
from genload.runlog.records import HOPELESS, ClientHealth, ClockOffset, Event, Notice, Users
from genload.settings.phases import Phase


@dataclass(frozen=True)
class ProcessHealth:
    """One client process during the load.

    `busy_s` is the longest time without a break in which it used more than the CPU limit.
    """

    source: str
    lags_ms: np.ndarray
    cpu_max: float
    busy_s: float
    rss_max_bytes: int

    @property
    def lag_p99_ms(self) -> float | None:
        return percentile(self.lags_ms, 99)


def processes(events: Sequence[Event], load: Load, max_cpu: float) -> list[ProcessHealth]:
    """Every client process that reported, in the order of its first report.

    Reports from after the load's end count too: what is drained is measured as well.
    """
    reports: dict[str, list[ClientHealth]] = {}
    for event in events:
        if isinstance(event, ClientHealth) and event.t_s >= load.start_s:
            reports.setdefault(event.source, []).append(event)
    return [
        ProcessHealth(
            source=source,
            lags_ms=np.array([lag for report in own for lag in report.lags_ms], dtype=np.float64),
            cpu_max=max(report.cpu for report in own),
            busy_s=longest_busy_s(own, load.start_s, max_cpu),
            rss_max_bytes=max(report.rss_bytes for report in own),
        )
        for source, own in reports.items()
    ]


def longest_busy_s(reports: Sequence[ClientHealth], start_s: float, max_cpu: float) -> float:
    """The longest unbroken time above the limit; a report speaks of the time since the one before it."""
    longest = current = 0.0
    before_s = start_s
    for report in reports:
        current = current + report.t_s - before_s if report.cpu > max_cpu else 0.0
        longest, before_s = max(longest, current), report.t_s
    return longest


@dataclass(frozen=True, slots=True)
class UserSeconds:
    """What the timeline asked for, and what users were there to do.

    Attributes:
        present: what users were there for, asleep or not.
        asleep: what of it they slept because a request had failed.
    """

    target: float = 0.0
    present: float = 0.0
    asleep: float = 0.0
    readings: int = 0

    @property
    def worked(self) -> float:
        return max(self.present - self.asleep, 0.0)


def user_seconds(events: Sequence[Event], load: Load) -> UserSeconds:
    """The target and the users at work, both integrated over the planned load.

    What was slept after failures is counted where it is slept, to the moment. Of the users that are there,
    between two readings the larger one counts, and never more than the target: a reading taken at the
    very boundary of a phase must not cost a second of the new target, and too many users later do not
    make up for too few before. A load that ended early still owes the rest of its timeline; one that
    counts iterations, or was ended because it could not be passed any more, owes until its end.

    Nothing is owed by users that only start what was planned request by request: those of a burst, and
    the hands of an open schedule. `phase_starts` looks at these.
    """
    timeline = load.timeline
    if any(phase.per_user is not None or phase.arrivals is not None for phase in timeline.phases):
        return UserSeconds(readings=sum(isinstance(event, Users) for event in events))
    by_clock = timeline.iterations is None and not ended_for_good(events)
    owed_s = timeline.duration_s if by_clock else load.duration_s
    target = timeline.user_seconds(0.0, owed_s)
    readings = [(e.t_s - load.start_s, e.working) for e in events if isinstance(e, Users)]
    readings = [(t_s, working) for t_s, working in readings if 0 <= t_s <= load.duration_s]
    if not readings:
        return UserSeconds(target)
    points = [(0.0, readings[0][1]), *readings, (load.duration_s, readings[-1][1])]
    present = 0.0
    for (begin, before), (end, after) in pairwise(points):
        boundary = begin
        while boundary < end:
            until = min(end, timeline.next_boundary_s(boundary))
            present += min(timeline.user_seconds(boundary, until), max(before, after) * (until - boundary))
            boundary = until
    asleep = max(event.asleep_s for event in events if isinstance(event, Users))
    return UserSeconds(target, present, asleep, len(readings))


def ended_for_good(events: Sequence[Event]) -> bool:
    """Whether the load was ended because it could not be passed any more."""
    return any(isinstance(event, Notice) and event.code == HOPELESS for event in events)


@dataclass(frozen=True, slots=True)
class PhaseStarts:
    """How a phase that plans its requests one by one was started.

    Attributes:
        attempted: requests that were to start in it and were started.
        spread_s: of a burst: from the first user's start to the last one's.
        late_p99_s: of an open schedule: how long after its moment a request was started.
        median_s: duration of those that succeeded.
    """

    phase: Phase
    attempted: int
    spread_s: float | None
    late_p99_s: float | None
    median_s: float | None


def phase_starts(table: RequestTable, load: Load) -> list[PhaseStarts]:
    """Every phase that plans how many requests it makes."""
    return [_starts(table, phase) for phase in load.timeline.phases if phase.planned is not None]


def _starts(table: RequestTable, phase: Phase) -> PhaseStarts:
    rows = table.where("phase", phase.name) & ~table.failed_with({NOT_STARTED})
    starts_s, delays_s = table.start_s[rows], table.column("start_delay_s")
    burst = starts_s[: phase.users] if phase.per_user is not None else starts_s[:0]
    late_s = None if delays_s is None else delays_s[rows & ~np.isnan(delays_s)]
    return PhaseStarts(
        phase=phase,
        attempted=len(starts_s),
        spread_s=float(burst[-1] - burst[0]) if len(burst) else None,
        late_p99_s=percentile(late_s, 99) if phase.arrivals is not None and late_s is not None else None,
        median_s=percentile(table.duration_s[rows & table.ok], 50),
    )


def clock_bounds_s(events: Sequence[Event]) -> dict[str, float]:
    """The largest uncertainty of each worker's clock against the master's."""
    bounds: dict[str, float] = {}
    for event in events:
        if isinstance(event, ClockOffset):
            bounds[event.source] = max(bounds.get(event.source, 0.0), event.bound_s)
    return bounds


def arrivals(table: RequestTable, load: Load, late_from_s: float) -> Arrivals | None:
    """How an open load was kept; None of a load of users.

    Args:
        late_from_s: a longer delay is a late start.
    """
    planned = load.timeline.arrivals
    if planned is None:
        return None
    delays_s, started = table.column("start_delay_s"), ~table.failed_with({NOT_STARTED})
    late_s = np.zeros(0) if delays_s is None else delays_s[started & ~np.isnan(delays_s)]
    return Arrivals(
        planned=planned,
        started=int(started.sum()),
        late=int((late_s > late_from_s).sum()),
        max_in_flight=load.timeline.max_users,
        p50_start_delay=percentile(late_s, 50),
        p99_start_delay=percentile(late_s, 99),
        max_start_delay=float(late_s.max()) if len(late_s) else None,
    )
