"""Which records of a run somebody wants to see. A million of them pass by; few are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappush, heappushpop

from genload.errors import UsageError
from genload.runlog.reader import RunLog
from genload.runlog.records import LEFT, RequestRecord

_MOST_NAMED = 5


@dataclass
class Chosen:
    """Attributes:
    requests: those to be listed.
    total, failed: how many requests there were, and how many of them did not succeed; the warm-up is in both.
    words: by what they were chosen.
    """

    requests: list[RequestRecord] = field(default_factory=list)
    total: int = 0
    failed: int = 0
    words: str = ""


@dataclass
class Found:
    """One request, and the calls inside it in the order of their start."""

    request: RequestRecord
    calls: list[RequestRecord]


def chosen(records: Iterable[RequestRecord], *, failed: bool, most: int) -> Chosen:
    """The slowest requests, the slowest first, or the first that failed."""
    found = Chosen(words="the first that failed" if failed else "the slowest")
    slowest: list[tuple[float, int, RequestRecord]] = []
    for record in records:
        if not record.operation:
            continue
        found.total += 1
        has_failed = record.outcome not in ("ok", LEFT)
        found.failed += has_failed
        if failed:
            if has_failed and len(found.requests) < most:
                found.requests.append(record)
        else:
            entry = (record.latency_s, -found.total, record)
            (heappushpop if len(slowest) == most else heappush)(slowest, entry)
    if not failed:
        found.requests = [record for _, _, record in sorted(slowest, reverse=True)]
    return found


def one_request(log: RunLog, wanted: str) -> Found:
    """The request whose identifier, or the service's own, begins so.

    Raises:
        UsageError: none does, or several do.
    """
    requests: dict[str, RequestRecord] = {}
    for record in log.requests():
        if record.operation and wanted in (record.request_id, record.job_id):
            requests = {record.request_id: record}
            break
        if record.operation and any(each.startswith(wanted) for each in (record.request_id, record.job_id)):
            requests[record.request_id] = record
    if not requests:
        raise UsageError(
            f"no request of this run begins with '{wanted}'", remedy="`genload show RUN` lists some"
        )
    if len(requests) > 1:
        named = ", ".join(list(requests)[:_MOST_NAMED])
        raise UsageError(
            f"{len(requests)} requests begin with '{wanted}', such as {named}", remedy="write more of it"
        )
    [(identifier, request)] = requests.items()
    # A second time: calls are written when they end, before the request that they are part of.
    calls = (each for each in log.requests() if each.request_id == identifier and not each.operation)
    return Found(request, sorted(calls, key=lambda call: call.start_s))
