"""Whether the measurement itself was sound: every reason why not, each with what to change.

This is apart from the service's results: an invalid run is neither passed nor failed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeGuard

from genload.analysis.health import (
    PhaseStarts,
    ProcessHealth,
    UserSeconds,
    clock_bounds_s,
    ended_for_good,
)
from genload.analysis.judged import ErrorGroup, Reason
from genload.analysis.load import Load
from genload.code_errors import CLIENT_ERROR, CLIENT_LIMIT
from genload.human import human
from genload.runlog.records import (
    GIVEN_UP,
    NOT_READY,
    NOT_RECORDED,
    Event,
    Interrupted,
    Notice,
    RunEnded,
    WorkerLost,
)
from genload.settings.criteria.ast import Conjunction, Dimension, Each, Expression, Interval, Quantity
from genload.settings.processes import WORKER_SHARE
from genload.settings.suite import Validity

WATCHED_FROM_S = 2.0
"""A load shorter than this may end before the client has reported once."""

_MOST_TOLD = 3

_LIMITS = {
    errno.EMFILE: "allow more open files (`ulimit -n`) than two for each user and 200, or use more workers",
    errno.ENFILE: "allow the whole machine more open files (sysctl fs.file-max), or use more machines",
    errno.EADDRNOTAVAIL: "this machine's ports are used up: let the service keep connections, widen sysctl "
    "net.ipv4.ip_local_port_range, or spread the load over more machines",
    errno.ENOBUFS: "the kernel's memory for sockets is used up: spread the load over more machines",
    errno.ENOMEM: "give the load generator more memory, or each machine fewer users",
}
"""What to do where a system error says which limit was met."""

_ENDED_BY = {
    GIVEN_UP: "mend the service, or wait longer for it: give_up in the suite",
    NOT_RECORDED: "keep room on that disk, and let nothing clean up the results folder, then run again",
}


@dataclass(frozen=True)
class Measurement:
    """What the checks look at."""

    events: Sequence[Event]
    load: Load | None
    missing_records: Mapping[str, int]
    errors: Sequence[ErrorGroup]
    broken_monitors: Sequence[str]  # what their own code has raised, and where
    processes: Sequence[ProcessHealth]
    users: UserSeconds
    starts: Sequence[PhaseStarts]
    median_s: float | None  # of the measured requests' duration
    smallest_threshold_s: float | None
    pause_asked_for: bool  # the suite says itself how long a user pauses whose request failed


def reasons(measurement: Measurement, limits: Validity) -> list[Reason]:
    """Why the measurement is not valid; empty when it is."""
    incomplete = [*_incomplete(measurement)]
    found = [
        *incomplete,
        *_broken_code(measurement),
        *_own_limits(measurement),
        *_records(measurement),
        *_workers(measurement),
    ]
    if measurement.load is not None:
        if not incomplete and not ended_for_good(measurement.events):
            found += _not_started(measurement)
            found += _users(measurement, measurement.load, limits)
        found += _own_doing(measurement, measurement.load, limits)
    return found


def level_reasons(measurement: Measurement, limits: Validity) -> list[Reason]:
    """Why one level of a load is not soundly measured: what is said of a part that ran to its end."""
    assert measurement.load is not None  # noqa: S101
    load = measurement.load
    return [
        *_workers(measurement),
        *_not_started(measurement),
        *_users(measurement, load, limits),
        *_own_doing(measurement, load, limits),
    ]


def _own_doing(measurement: Measurement, load: Load, limits: Validity) -> Iterable[Reason]:
    """What the load generator itself did."""
    return [
        *_asleep(measurement, limits),
        *_bursts(measurement, limits),
        *_late(measurement, limits),
        *_clocks(measurement, limits),
        *_client(measurement, load, limits),
    ]


def _incomplete(measurement: Measurement) -> Iterable[Reason]:
    ended = [*_ended(measurement)]
    if measurement.load is None and not ended and not _ended_by_code(measurement):
        yield Reason(
            code="no_load",
            text="the load never began",
            remedy="see the notices: the service was not ready, or the warm-up did not end",
        )
    yield from ended


def _ended_by_code(measurement: Measurement) -> bool:
    """Whether the load never began for the test's own code or machine, which is a reason of its own."""
    notices = [event for event in measurement.events if isinstance(event, Notice)]
    return any(map(is_blame, notices)) and all(notice.code != NOT_READY for notice in notices)


def _ended(measurement: Measurement) -> Iterable[Reason]:
    for event in measurement.events:
        if isinstance(event, Notice) and event.code in _ENDED_BY:
            text = f"{event.text}, {human(event.t_s, 's')} into the run"
            yield Reason(code=event.code, text=text, remedy=_ENDED_BY[event.code])
            return
        if isinstance(event, Interrupted):
            yield Reason(
                code="interrupted",
                text=f"the run was interrupted by {event.by} after {human(event.t_s, 's')}",
                remedy="let the run come to its end",
            )
            return
    if not any(isinstance(event, RunEnded) for event in measurement.events):
        yield Reason(
            code="not_ended",
            text="the run has no end: its process was killed, or still runs",
            remedy="run again; look at the free memory and disk of the load generator's machine",
        )


def _broken_code(measurement: Measurement) -> Iterable[Reason]:
    what = "of an error in the test's own code, not of the service"
    if text := _own_failure(CLIENT_ERROR, measurement, what, "the test's own code has an error"):
        yield Reason(
            code=CLIENT_ERROR,
            text=text,
            remedy=f"mend that line; the run directory has the first tracebacks, in failures/{CLIENT_ERROR}/",
        )


def _own_limits(measurement: Measurement) -> Iterable[Reason]:
    what = "of a limit of the load generator's machine, not of the service"
    if text := _own_failure(CLIENT_LIMIT, measurement, what, "the load generator's machine was at a limit"):
        remedies = [remedy for number, remedy in _LIMITS.items() if os.strerror(number) in text]
        if not remedies or "MemoryError" in text:
            remedies.append(_LIMITS[errno.ENOMEM])
        yield Reason(code=CLIENT_LIMIT, text=text, remedy="; ".join(dict.fromkeys(remedies)))


def is_blame(event: Event) -> TypeGuard[Notice]:
    """Whether it tells of a failure of the test itself, or of its machine."""
    return isinstance(event, Notice) and event.code in (CLIENT_ERROR, CLIENT_LIMIT)


def _own_failure(error_class: str, measurement: Measurement, failed_of: str, otherwise: str) -> str:
    """How many requests failed of it and what was told; "" when there is nothing of it."""
    told = [event.text for event in measurement.events if is_blame(event) and event.code == error_class]
    told += measurement.broken_monitors if error_class == CLIENT_ERROR else ()
    failed = _failed_of(error_class, measurement)
    if failed is None and not told:
        return ""
    what = otherwise if failed is None else f"{failed.count:,} requests failed {failed_of}"
    words = [*dict.fromkeys([*told, *(failed.messages if failed is not None else ())])]
    return f"{what}: {'; '.join(words[:_MOST_TOLD])}"


def _failed_of(error_class: str, measurement: Measurement) -> ErrorGroup | None:
    return next((group for group in measurement.errors if group.error_class == error_class), None)


def _records(measurement: Measurement) -> Iterable[Reason]:
    if measurement.missing_records:
        lost = ", ".join(f"{count:,} of {source}" for source, count in measurement.missing_records.items())
        yield Reason(
            code="records_missing",
            text=f"request records are missing: {lost}",
            remedy="look for lost workers and a full disk in the log, then run again",
        )


def _workers(measurement: Measurement) -> Iterable[Reason]:
    for event in measurement.events:
        if isinstance(event, WorkerLost):
            yield Reason(
                code="worker_lost",
                text=f"worker {event.source} was lost: its last sign came {human(event.t_s, 's')} into "
                "the run",
                remedy="see that worker's log; give its machine more memory, or each worker fewer users",
            )


def _users(measurement: Measurement, load: Load, limits: Validity) -> Iterable[Reason]:
    users = measurement.users
    if users.target == 0:
        return
    if users.readings == 0:
        if load.duration_s >= WATCHED_FROM_S:
            yield Reason(
                code="users_unknown",
                text="how many users were at work was never recorded",
                remedy="run again; if this stays, report it as a bug of genload",
            )
    elif users.present < limits.min_user_seconds * users.target:
        share = users.present / users.target
        yield Reason(
            code="user_seconds",
            text=f"users were there for {users.present:,.0f} of the {users.target:,.0f} user-seconds asked "
            f"for: {human(share, 'ratio')}, and {human(limits.min_user_seconds, 'ratio')} is the least",
            remedy="let the load run to its end, spread the users over more workers, or ask for fewer",
        )


def _asleep(measurement: Measurement, limits: Validity) -> Iterable[Reason]:
    users = measurement.users
    if not measurement.pause_asked_for and users.asleep > limits.max_asleep * users.target:
        share, most = human(users.asleep / users.target, "ratio"), human(limits.max_asleep, "ratio")
        yield Reason(
            code="asleep",
            text=f"users slept {share} of their time because requests had failed, and {most} is the most: "
            "a service that fails has less load for it",
            remedy="leave that pause out of the locustfile, or ask for it in the suite: failure_pause",
        )


def _not_started(measurement: Measurement) -> Iterable[Reason]:
    for starts in measurement.starts:
        planned = starts.phase.planned or 0
        if starts.attempted < planned:
            yield Reason(
                code="not_started",
                text=f"{starts.attempted:,} of the {planned:,} requests of phase {starts.phase.name} were "
                "started",
                remedy="let the load run to its end, with all the users and workers that it asks for; "
                "an open schedule may need more of them (`max_users` or `max_in_flight` of the shape)",
            )


def _bursts(measurement: Measurement, limits: Validity) -> Iterable[Reason]:
    for starts in measurement.starts:
        share_s = limits.burst_spread_share * (starts.median_s or 0.0)
        limit_s = max(limits.burst_spread_floor_s, share_s)
        if starts.spread_s is not None and starts.spread_s > limit_s:
            yield Reason(
                code="burst_spread",
                text=f"the burst's users started {human(starts.spread_s, 's')} apart, "
                f"{human(limit_s, 's')} are allowed",
                remedy="free the load generator's cores of other work, or spread the users over more workers",
            )


def _late(measurement: Measurement, limits: Validity) -> Iterable[Reason]:
    for starts in measurement.starts:
        limit_s = max(_lag_limit_s(measurement, limits), limits.late_share * starts.phase.interval_s)
        if starts.late_p99_s is not None and starts.late_p99_s > limit_s:
            yield Reason(
                code="late_starts",
                text=f"requests of phase {starts.phase.name} were started {human(starts.late_p99_s, 's')} "
                f"after their moment at p99, {human(limit_s, 's')} are allowed",
                remedy="allow more of them in flight (`max_users` or `max_in_flight` of the shape), free the "
                "load generator's cores of other work, or use more workers",
            )


def _lag_limit_s(measurement: Measurement, limits: Validity) -> float:
    return max(limits.lag_floor_s, limits.lag_share * (measurement.smallest_threshold_s or 0.0))


def _clocks(measurement: Measurement, limits: Validity) -> Iterable[Reason]:
    limit_s = max(limits.clock_bound_floor_s, limits.clock_bound_share * (measurement.median_s or 0.0))
    for source, bound_s in clock_bounds_s(measurement.events).items():
        if bound_s > limit_s:
            yield Reason(
                code="clock_bound",
                text=f"the clock of {_named(source)} is known to {human(bound_s, 's')} only, "
                f"{human(limit_s, 's')} are allowed",
                remedy="put master and workers on one network, away from the load's own traffic",
            )


def _client(measurement: Measurement, load: Load, limits: Validity) -> Iterable[Reason]:
    if not measurement.processes and load.duration_s >= WATCHED_FROM_S:
        yield Reason(
            code="client_unknown",
            text="lag and CPU of the load generator were never recorded",
            remedy="run again; if this stays, report it as a bug of genload",
        )
    limit_s = _lag_limit_s(measurement, limits)
    for process in measurement.processes:
        lag_s = None if process.lag_p99_ms is None else process.lag_p99_ms / 1e3
        if lag_s is not None and lag_s > limit_s:
            yield Reason(
                code="lag",
                text=f"{_named(process.source)} did what was due up to {human(lag_s, 's')} late (p99), so "
                f"its times may be that much too long; {human(limit_s, 's')} are allowed",
                remedy=_lag_remedy(process, measurement.processes),
            )
        if process.busy_s >= limits.max_cpu_for_s:
            yield Reason(
                code="cpu",
                text=f"{_named(process.source)} used more than {human(limits.max_cpu, 'ratio')} of a core "
                f"for {human(process.busy_s, 's')}",
                remedy=_more_workers(measurement.processes),
            )


def _lag_remedy(process: ProcessHealth, processes: Sequence[ProcessHealth]) -> str:
    if process.cpu_max < WORKER_SHARE:
        return (
            "free the load generator's cores of other work: it took at most "
            f"{human(process.cpu_max, 'ratio')} of one itself, and more workers would be as late"
        )
    return _more_workers(processes)


def _more_workers(processes: Sequence[ProcessHealth]) -> str:
    """How many processes would each be busy for `WORKER_SHARE` of a core with what these had to do, as far as
    they got to it: a user who waits for a busy process makes no request meanwhile."""
    needed = ceil(sum(process.cpu_max for process in processes) / WORKER_SHARE)
    count = max(needed, len(processes) + 1)
    return (
        f"spread the users over {count} worker processes, each with a core of its own: "
        f"`genload run --workers {count}`, `locust --processes {count}`, or other machines"
    )


def _named(source: str) -> str:
    """A client process for people: ``local``, or a worker's name."""
    return "the load generator" if source == "local" else f"worker {source}"


def smallest_time_threshold_s(expressions: Iterable[Expression]) -> float | None:
    """The finest time that any criterion judges; None when none judges a time."""
    times = [
        quantity.value
        for expression in expressions
        for quantity in _quantities(expression)
        if quantity.dimension is Dimension.TIME and quantity.value > 0
    ]
    return min(times, default=None)


def _quantities(expression: Expression) -> Iterable[Quantity]:
    if isinstance(expression, Each):
        yield from _quantities(expression.body)
    elif isinstance(expression, Conjunction):
        for part in expression.parts:
            yield from _quantities(part)
    elif isinstance(expression, Interval):
        yield from (expression.low, expression.high)
    elif isinstance(expression.right, Quantity):
        yield expression.right
