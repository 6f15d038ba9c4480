"""Whether what the client saw and what the service counted is the same, and if not, what that may mean.

Over the time between a counter's first and last sample: the rise of the service's counter − the number of the
client's requests that belong into it. Warm-up requests count too: the service knows no warm-up. Requests
under way at either end may be in or out, so a difference of no more than their number is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np

from genload.analysis.evidence import BoolArray, FloatArray
from genload.analysis.series import Series
from genload.analysis.table import OUTCOMES, RequestTable
from genload.settings.contract import Reconcile

RESTARTS, UP = "server.restarts", "server.up"
SLACK_S = 1.0
"""A page shows what was counted while it was made, up to so long after its tick; and the client's end of a
job comes after the service's."""

OTHERS = "other clients' traffic, or a counter that counts more than these requests"
UNSEEN = "replicas that are not scraped, or a counter that leaves some out"


class Comparison(msgspec.Struct, kw_only=True):
    """One count of the client against the service's own.

    `difference` is service − client; `unsure` how much of it the edges of the time may explain. For
    ``in_flight`` both are the highest values, and `difference` is the largest excess of the gauge over the
    client's own number at that time. `meaning` says what a difference may come from, the likeliest first.
    """

    count: str
    metric: str
    client: float | None
    server: float | None
    difference: float | None
    unsure: int
    result: Literal["equal", "differs", "unknown"]
    meaning: list[str]


@dataclass(frozen=True)
class Ledger:
    """Every request of the run, warm-up among them, and what became of it; all columns have one entry each.

    Attributes:
        attempts: how often it was sent, refusals that were tried again among them.
        accepted: the service took it on.
        delivered: the service said that it succeeded, whatever came of its output.
        refused_later: the service took it on, and said later that it failed.
    """

    start_s: FloatArray
    end_s: FloatArray
    attempts: FloatArray
    ok: BoolArray
    failed: BoolArray
    accepted: BoolArray
    delivered: BoolArray
    refused_later: BoolArray

    @classmethod
    def of(cls, tables: Sequence[RequestTable]) -> Ledger:
        """From the measured requests and those of the warm-up."""

        def joined(column: Callable[[RequestTable], FloatArray]) -> FloatArray:
            return np.concatenate([column(table) for table in tables])

        def has(*names: str) -> BoolArray:
            return np.concatenate([_any_of(table, names) for table in tables])

        ok = np.concatenate([table.ok for table in tables])
        failed = np.concatenate([table.outcome == OUTCOMES["failed"] for table in tables])
        delivered = ok | has("stage.download", "valid")
        return cls(
            start_s=joined(lambda table: table.start_s),
            end_s=joined(lambda table: table.end_s),
            attempts=joined(_attempts),
            ok=ok,
            failed=failed,
            accepted=delivered | has("stage.queue"),
            delivered=delivered,
            refused_later=failed & has("server_duration_s") & ~delivered,
        )

    def under_way(self, from_s: float, to_s: float) -> int:
        """How many there were at some moment between the two."""
        return int(((self.start_s <= to_s) & (self.end_s > from_s)).sum())


def _any_of(table: RequestTable, names: Iterable[str]) -> BoolArray:
    found = np.zeros(len(table), dtype=np.bool_)
    for name in names:
        column = table.column(name)
        if column is not None:
            found |= ~np.isnan(column)
    return found


def _attempts(table: RequestTable) -> FloatArray:
    column = table.column("attempts")
    return np.ones(len(table)) if column is None else np.nan_to_num(column, nan=1.0)


def reconcile(mapping: Reconcile, ledger: Ledger, find: Callable[[str], Series | None]) -> list[Comparison]:
    """Compare every count that the suite maps to a metric.

    Args:
        find: a metric's series over the whole run (`SeriesStore.find`).
    """
    found = []
    for count in Reconcile.model_fields:
        metric = getattr(mapping, count)
        if metric is None:
            continue
        series = find(metric)
        if series is None or len(series.values) < 2:
            came = "none" if series is None else f"{len(series.values)}"
            found.append(_unknown(count, metric, f"it takes two samples of {metric}, and there are {came}"))
        elif count == "in_flight":
            found.append(_in_flight(metric, series, ledger))
        else:
            found.append(_counter(count, metric, Rise.of(series, find), ledger, _restarts(find)))
    return found


def _unknown(count: str, metric: str, why: str) -> Comparison:
    return Comparison(
        count=count,
        metric=metric,
        client=None,
        server=None,
        difference=None,
        unsure=0,
        result="unknown",
        meaning=[why],
    )


def _restarts(find: Callable[[str], Series | None]) -> int:
    series = find(RESTARTS)
    return 0 if series is None or not len(series.values) else int(series.values.max())


@dataclass(frozen=True, slots=True)
class Rise:
    """How far a counter rose, and between which two looks at it."""

    amount: float
    begin_s: float
    end_s: float

    @classmethod
    def of(cls, series: Series, find: Callable[[str], Series | None]) -> Rise:
        """A counter that is not yet on a page, as one with labels that were never used, has counted nothing:
        then it rose from 0 since the first page without it.
        """
        begin_s, before = float(series.times_s[0]), float(series.values[0])
        up = find(UP)
        if up is not None and up.source == series.source:
            earlier = up.times_s[(up.values == 1) & (up.times_s < begin_s)]
            if len(earlier):
                begin_s, before = float(earlier[0]), 0.0
        return cls(float(series.values[-1]) - before, begin_s, float(series.times_s[-1]))


def _counter(count: str, metric: str, rise: Rise, ledger: Ledger, restarts: int) -> Comparison:
    begin_s, end_s = rise.begin_s, rise.end_s
    began = (ledger.start_s > begin_s) & (ledger.start_s <= end_s)
    ended = (ledger.end_s > begin_s) & (ledger.end_s <= end_s)
    client = {
        "sent": float(ledger.attempts[began].sum()),
        "accepted": float((began & ledger.accepted).sum()),
        "completed": float((ended & ledger.ok).sum()),
        "failed": float((ended & ledger.failed).sum()),
    }[count]
    difference = rise.amount - client
    unsure = sum(ledger.under_way(edge_s, edge_s + SLACK_S) for edge_s in (begin_s, end_s))
    equal = abs(difference) <= unsure
    return Comparison(
        count=count,
        metric=metric,
        client=client,
        server=rise.amount,
        difference=difference,
        unsure=unsure,
        result="equal" if equal else "differs",
        meaning=[] if equal else meanings(difference, unsure, _parts(count, ledger, began, ended), restarts),
    )


def _parts(count: str, ledger: Ledger, began: BoolArray, ended: BoolArray) -> list[tuple[float, int, str]]:
    """What a difference of a count may consist of: its sign, how many there are, and what they are."""
    refused = int((ended & ledger.refused_later).sum())
    spoiled = int((ended & ledger.delivered & ~ledger.ok).sum())
    given_up = int((began & ledger.accepted & ~ledger.delivered & ~ledger.refused_later).sum())
    unanswered = int((began & ~ledger.accepted).sum())
    again = float(ledger.attempts[began].sum() - began.sum())
    parts = {
        "sent": [(-1, round(again), "refused attempts, which the service does not count")],
        "accepted": [
            (1, unanswered, "requests that were never answered as accepted, counted as such"),
            (-1, given_up, "jobs whose end was not waited for"),
        ],
        "completed": [
            (1, refused, "failures counted as successes"),
            (1, spoiled, "outputs that came broken, which the service counts as successes"),
            (1, given_up, "jobs whose end was not waited for, and which succeeded later"),
        ],
        "failed": [
            (-1, refused, "failures not counted as failures"),
            (-1, spoiled, "outputs that came broken, of which the service knows nothing"),
            (-1, given_up, "jobs whose end was not waited for"),
            (-1, unanswered, "requests that were never accepted"),
        ],
    }[count]
    return [part for part in parts if part[1] > 0]


def meanings(
    difference: float, unsure: int, parts: Sequence[tuple[float, int, str]], restarts: int
) -> list[str]:
    """What a difference may come from, the likeliest first.

    The fewest `parts` (sign, number, words) of its sign that add up to it, within `unsure`; else what they
    leave open.
    """
    wanted = abs(difference)
    own = [(number, words) for sign, number, words in parts if sign * difference > 0]
    sums = [some for size in range(1, len(own) + 1) for some in combinations(own, size)]
    for leeway in (0, unsure):
        for some in sums:
            if abs(sum(number for number, _ in some) - wanted) <= leeway:
                return [f"{number} {words}" for number, words in some]
    lost = f"a restart: what was counted after the last scrape before it is lost ({restarts} seen)"
    found = [lost] if difference < 0 and restarts else []
    found += [f"up to {number} {words}" for number, words in own]
    return [*found, OTHERS if difference > 0 else UNSEEN]


def _in_flight(metric: str, series: Series, ledger: Ledger) -> Comparison:
    """The gauge against the client's own number, which may be larger: uploads and downloads are in it."""
    clients = np.array([ledger.under_way(at_s - SLACK_S, at_s + SLACK_S) for at_s in series.times_s])
    excess = series.values - clients
    largest = float(excess.max())
    return Comparison(
        count="in_flight",
        metric=metric,
        client=float(clients.max()),
        server=float(series.values.max()),
        difference=max(0.0, largest),
        unsure=0,
        result="differs" if largest > 0 else "equal",
        meaning=_in_flight_meanings(series, ledger, excess) if largest > 0 else [],
    )


def _in_flight_meanings(series: Series, ledger: Ledger, excess: FloatArray) -> list[str]:
    found = []
    first_s = float(ledger.start_s.min()) if len(ledger.start_s) else float("inf")
    last_s = float(ledger.end_s.max()) if len(ledger.end_s) else float("-inf")
    before, after = series.times_s < first_s - SLACK_S, series.times_s > last_s + SLACK_S
    if before.any() and excess[before].max() > 0:
        found.append(
            f"other clients' traffic: {excess[before].max():g} were in flight before the first request"
        )
    if after.any() and excess[after].max() > 0:
        late_s = float(series.times_s[after][excess[after] > 0][-1]) - last_s
        found.append(
            f"jobs that nobody waits for any more, or a gauge that leaks: {series.values[after][-1]:g} "
            f"at the last sample, and some still {late_s:.0f} s after the last request had ended"
        )
    return found or [f"other clients' traffic: up to {excess.max():g} more than the client had under way"]
