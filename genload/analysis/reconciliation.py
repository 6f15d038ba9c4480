"""Whether what the client saw and what the service counted is the same, and if not, what that may mean.

Over the time between a counter's first and last sample: the rise of the service's counter − the number of the
client's requests that belong into it. Warm-up requests count too: the service knows no warm-up. Requests
under way at either end may be in or out, so a difference of no more than their number is none. A cause is
named with its number where the client's own records know it; what only may be is named as such, and last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.ledger import Ledger
from genload.analysis.series import Series
from genload.human import human
from genload.settings.contract import Reconcile

RESTARTS, UP = "server.restarts", "server.up"
PROCESSES = "psutil"
"""The source of what the host monitor sees of the service's processes."""
SLACK_S = 1.0
"""A page shows what was counted while it was made, up to so long after its tick; and the client's end of a
job comes after the service's."""

OTHERS = "other clients' traffic, or a counter that counts more than these requests"
UNSEEN = "replicas that are not scraped, or a counter that leaves some out"


class Comparison(msgspec.Struct, kw_only=True):
    """One count of the client against the service's own.

    `difference` is service − client; `unsure` how much of it the edges of the time may explain. For
    ``in_flight`` both are those of one moment, `at_s`: that of the gauge's largest excess over the client's
    own number, which is the `difference`, or without any that of its highest value. `meaning` says what a
    difference may come from, the likeliest first; also what one within the edges does.
    """

    count: str
    metric: str
    client: float | None
    server: float | None
    difference: float | None
    unsure: int
    result: Literal["equal", "differs", "unknown"]
    meaning: list[str]
    at_s: float | None = None  # since the run began


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
            found.append(_counter(count, metric, Rise.of(series, find), ledger))
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


@dataclass(frozen=True, slots=True)
class Rise:
    """How far a counter rose, and between which two looks at it.

    `blind` are the times from the last page before a restart to the first after it: what was counted then is
    lost, if the service had ended it by then.
    """

    amount: float
    begin_s: float
    end_s: float
    blind: Sequence[tuple[float, float]] = ()

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
        return cls(
            float(series.values[-1]) - before, begin_s, float(series.times_s[-1]), _blind(series, find)
        )


def _blind(series: Series, find: Callable[[str], Series | None]) -> list[tuple[float, float]]:
    restarts = find(RESTARTS)
    if restarts is None or restarts.source not in (series.source, PROCESSES):
        return []
    found = []
    for seen_s in restarts.times_s[1:][np.diff(restarts.values) > 0]:
        before_s = series.times_s[series.times_s < seen_s]
        if len(before_s):
            found.append((float(before_s[-1]), float(seen_s)))
    return found


def _counter(count: str, metric: str, rise: Rise, ledger: Ledger) -> Comparison:
    begin_s, end_s = rise.begin_s, rise.end_s
    began = (ledger.start_s > begin_s) & (ledger.start_s <= end_s)
    ended = (ledger.end_s > begin_s) & (ledger.end_s <= end_s)
    which, at_s = {
        "sent": (began, ledger.start_s),
        "accepted": (began & ledger.accepted, ledger.start_s),
        "completed": (ended & ledger.ok, ledger.end_s),
        "failed": (ended & ledger.failed, ledger.end_s),
    }[count]
    weights = ledger.orders if count == "sent" else np.ones(len(which))
    client = float(weights[which].sum())
    lost = int(weights[which & _inside(at_s, rise.blind)].sum())
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
        meaning=_edges(difference, unsure)
        if equal
        else [
            *_lost_workers(difference, ledger, rise),
            *meanings(difference, unsure, _parts(count, ledger, rise, began, ended), lost),
        ],
    )


def _inside(at_s: FloatArray, stretches: Iterable[tuple[float, float]]) -> BoolArray:
    found = np.zeros(len(at_s), dtype=np.bool_)
    for low, high in stretches:
        found |= (at_s > low) & (at_s <= high)
    return found


def _edges(difference: float, unsure: int) -> list[str]:
    """Why a difference is none."""
    if not difference:
        return []
    more = "more" if difference > 0 else "fewer"
    under_way = "1 request was" if unsure == 1 else f"{unsure} requests were"
    return [
        f"{abs(difference):g} {more} there is no difference: {under_way} under way at the edges of the time"
    ]


def _lost_workers(difference: float, ledger: Ledger, rise: Rise) -> Iterator[str]:
    """Their last requests are in no record, and how many these were nobody knows."""
    for source, heard_s in ledger.lost_workers.items() if difference > 0 else ():
        if heard_s < rise.end_s:
            yield (
                f"the last requests of worker {source}, which was lost: nothing was heard of it from "
                f"{human(heard_s, 's')} into the run on"
            )


def _parts(
    count: str, ledger: Ledger, rise: Rise, began: BoolArray, ended: BoolArray
) -> list[tuple[float, int, str]]:
    """What a difference of a count may consist of: its sign, how many there are, and what they are."""
    refused = int((ended & ledger.refused_later).sum())
    spoiled = int((ended & ledger.delivered & ~ledger.ok).sum())
    abandoned = int((began & ledger.abandoned).sum())
    # Taken on, and neither ended by the service nor given up by genload.
    cut_off = ledger.accepted & ~ledger.delivered & ~ledger.refused_later & ~ledger.abandoned
    killed_which = cut_off & _inside(ledger.end_s, rise.blind)
    killed = int((ended & killed_which).sum())
    broken_off = int((began & cut_off & ~killed_which).sum())
    unanswered = int((began & ~ledger.accepted & ~ledger.left).sum())
    left = int((ended & ledger.left).sum())
    gone = "request{s} whose listener left, which the service "
    again = float(ledger.orders[began].sum() - began.sum())
    parts = {
        "sent": [(-1, round(again), "refused order{s}, which the service does not count")],
        "accepted": [
            (1, unanswered, "request{s} without an answer that it was accepted, counted as accepted"),
            (1, int((began & ledger.left).sum()), f"{gone}took on"),
        ],
        "completed": [
            (1, refused, "failure{s} counted as success{es}"),
            (1, spoiled, "output{s} that came broken, which the service counts as success{es}"),
            (1, left, f"{gone}went on with to the end, and counts as success{{es}}"),
            (1, abandoned, "job{s} that genload stopped waiting for, and which succeeded later"),
            (1, broken_off, "job{s} that genload lost sight of, and which succeeded later"),
        ],
        "failed": [
            (-1, refused, "failure{s} not counted as failure{s}"),
            (1, left, f"{gone}counts as failure{{s}}"),
            (-1, spoiled, "output{s} that came broken, of which the service knows nothing"),
            (-1, abandoned, "job{s} that genload itself stopped waiting for"),
            (-1, killed, "job{s} under way at a restart, which no counter knows"),
            (-1, broken_off, "job{s} that genload lost sight of"),
            (-1, unanswered, "request{s} never accepted"),
        ],
    }[count]
    return [part for part in parts if part[1] > 0]


def _said(number: int, words: str) -> str:
    one = number == 1
    return f"{number} {words.replace('{s}', '' if one else 's').replace('{es}', '' if one else 'es')}"


def meanings(difference: float, unsure: int, parts: Sequence[tuple[float, int, str]], lost: int) -> list[str]:
    """What a difference may come from, the likeliest first.

    The fewest `parts` (sign, number, words) of its sign that add up to it, within `unsure`; else what they
    leave open. Up to `lost` of the client's were counted just before a restart, or never.
    """
    wanted = abs(difference)
    restart = "that came between the last page before a restart and the first after it, where counts are lost"
    if difference < 0 and wanted <= lost:
        return [f"{wanted:g} of the {lost} {restart}"]
    own = [(number, words) for sign, number, words in parts if sign * difference > 0]
    sums = [some for size in range(1, len(own) + 1) for some in combinations(own, size)]
    for leeway in (0, unsure):
        for some in sums:
            if abs(sum(number for number, _ in some) - wanted) <= leeway:
                return [_said(number, words) for number, words in some]
    found = [f"up to {lost} {restart}"] if difference < 0 and lost else []
    found += [f"up to {_said(number, words)}" for number, words in own]
    return [*found, OTHERS if difference > 0 else UNSEEN]


def _in_flight(metric: str, series: Series, ledger: Ledger) -> Comparison:
    """The gauge against the client's own number, which may be larger: uploads and downloads are in it."""
    clients = ledger.most_at_once(series.times_s - SLACK_S, series.times_s + series.took_s + SLACK_S)
    excess = series.values - clients
    largest = float(excess.max())
    place = int(excess.argmax() if largest > 0 else series.values.argmax())
    return Comparison(
        count="in_flight",
        metric=metric,
        client=float(clients[place]),
        server=float(series.values[place]),
        difference=max(0.0, largest),
        unsure=0,
        result="differs" if largest > 0 else "equal",
        meaning=_in_flight_meanings(series, ledger, excess) if largest > 0 else [],
        at_s=float(series.times_s[place]),
    )


def _in_flight_meanings(series: Series, ledger: Ledger, excess: FloatArray) -> list[str]:
    place = int(excess.argmax())
    for which, words in (
        (ledger.abandoned, "job{s} that genload itself had stopped waiting for"),
        (ledger.left, "request{s} whose listener had left, which the service went on with"),
    ):
        if excess[place] <= int((which & (ledger.end_s <= series.times_s[place])).sum()):
            return [_said(int(excess[place]), words)]
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
            f"at the last sample, and some still {human(late_s, 's')} after the last request had ended"
        )
    return found or [f"other clients' traffic: up to {excess.max():g} more than the client had under way"]
