"""Every request of a run, and what became of it: the client's own books, which counts of the service are held
against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.table import OUTCOMES, RequestTable
from genload.runlog.records import LEFT, WAITED_OUT, Event, WorkerLost

_ORDERS, _OTHER_CALLS = ("submit", "speech"), ("upload", "poll", "download")
"""The calls that ask for work, and those that ask for none when they are refused and tried again."""


@dataclass(frozen=True)
class Ledger:
    """Every request of the run, warm-up among them, and what became of it; all columns have one entry each.

    Attributes:
        orders: how often its order was sent, refusals that were tried again among them.
        accepted: the service took it on.
        delivered: the service said that it succeeded, whatever came of its output.
        refused_later: the service took it on, and said later that it failed.
        abandoned: the service took it on, and genload stopped waiting for its end.
        left: its listener left before the end, as the suite wanted it.
        lost_workers: workers that were lost, and when the last was heard of them, in seconds of the run.
    """

    start_s: FloatArray
    end_s: FloatArray
    orders: FloatArray
    ok: BoolArray
    failed: BoolArray
    accepted: BoolArray
    delivered: BoolArray
    refused_later: BoolArray
    abandoned: BoolArray
    left: BoolArray
    lost_workers: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Sequence[RequestTable], events: Iterable[Event] = ()) -> Ledger:
        """From the measured requests and those of the warm-up, and from what happened."""

        def joined(column: Callable[[RequestTable], FloatArray]) -> FloatArray:
            return np.concatenate([column(table) for table in tables])

        def has(*names: str) -> BoolArray:
            return np.concatenate([_any_of(table, names) for table in tables])

        ok = np.concatenate([table.ok for table in tables])
        failed = np.concatenate([table.outcome == OUTCOMES["failed"] for table in tables])
        delivered = ok | has("stage.download", "valid")
        accepted = np.concatenate([_accepted(table) for table in tables])
        refused_later = failed & has("server_duration_s") & ~delivered
        waited_out = [table.failed_with({"timeout", "unfinished"}) for table in tables]
        return cls(
            start_s=joined(lambda table: table.start_s),
            end_s=joined(lambda table: table.end_s),
            orders=joined(_orders),
            ok=ok,
            failed=failed,
            accepted=accepted,
            delivered=delivered,
            refused_later=refused_later,
            abandoned=accepted & ~delivered & ~refused_later & np.concatenate(waited_out),
            left=np.concatenate([table.outcome == OUTCOMES[LEFT] for table in tables]),
            lost_workers={event.source: event.t_s for event in events if isinstance(event, WorkerLost)},
        )

    def under_way(self, from_s: float, to_s: float) -> int:
        """How many there were at some moment between the two."""
        return int(((self.start_s <= to_s) & (self.end_s > from_s)).sum())

    def most_at_once(self, from_s: FloatArray, to_s: FloatArray) -> FloatArray:
        """The most that were under way at one moment of each stretch of time."""
        starts_s, ends_s = np.sort(self.start_s), np.sort(self.end_s)

        def at(moments_s: FloatArray) -> FloatArray:
            begun = np.searchsorted(starts_s, moments_s, side="right")
            return (begun - np.searchsorted(ends_s, moments_s, side="right")).astype(np.float64)

        found, at_starts = at(from_s), at(starts_s)
        lows, highs = (np.searchsorted(starts_s, edges_s, side="right") for edges_s in (from_s, to_s))
        for place in np.flatnonzero(highs > lows):
            found[place] = max(found[place], at_starts[lows[place] : highs[place]].max())
        return found


def _any_of(table: RequestTable, names: Iterable[str]) -> BoolArray:
    found = np.zeros(len(table), dtype=np.bool_)
    for name in names:
        column = table.column(name)
        if column is not None:
            found |= ~np.isnan(column)
    return found


def _accepted(table: RequestTable) -> BoolArray:
    return table.ok | _any_of(table, ("stage.download", "valid", "stage.queue"))


def _orders(table: RequestTable) -> FloatArray:
    """`attempts` has the retries of all calls together. Of a request that was accepted, every refused order
    was waited out; of any other, all retries are those of its upload and of its order.
    """
    attempts = _numbers(table, "attempts", 1.0)
    if not any(name.startswith(WAITED_OUT) for name in table.numbers):
        return attempts  # nothing was refused, or older records do not name the calls
    orders, others = (
        np.sum([_numbers(table, f"{WAITED_OUT}{call}", 0.0) for call in calls], axis=0)
        for calls in (_ORDERS, _OTHER_CALLS)
    )
    told = np.where(_accepted(table), 1 + orders, np.maximum(1, attempts - others))
    return np.where(orders + others > 0, told, attempts)


def _numbers(table: RequestTable, name: str, absent: float) -> FloatArray:
    column = table.column(name)
    return np.full(len(table), absent) if column is None else np.nan_to_num(column, nan=absent)
