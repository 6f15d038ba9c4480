"""Locust's own statistics, counted many requests at a time: one by one they are the dearest part of a record.

What they tell is the same. A block is added as a master adds the report of a worker.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from typing import Any

from locust import stats

logger = logging.getLogger(__name__)

BLOCK = 256
"""So many requests are counted at once, at most."""

_Request = tuple[Any, Any, float]  # response time in ms or None, content length, when it was logged
_Key = tuple[str, str]  # name and method


class BlockStats(stats.RequestStats):
    """As Locust's own, in its place. Whoever looks at `entries` or `total` has what is new counted first."""

    def __init__(self, use_response_times_cache: bool = True) -> None:
        self._new: list[tuple[_Key, _Request]] = []
        super().__init__(use_response_times_cache)

    def log_request(self, method: str, name: str, response_time: float | None, content_length: int) -> None:
        new = self._new
        new.append(((name, method), (response_time, content_length, time.time())))
        if len(new) >= BLOCK:
            self._count()

    @property
    def entries(self) -> Any:
        if self._new:
            self._count()
        return self._entries

    @entries.setter
    def entries(self, entries: Any) -> None:
        self._new.clear()  # they belong to what is given up
        self._entries = entries

    @property
    def total(self) -> Any:
        if self._new:
            self._count()
        return self._total

    @total.setter
    def total(self, total: Any) -> None:
        self._new.clear()
        self._total = total

    def _count(self) -> None:
        blocks: dict[_Key, list[_Request]] = defaultdict(list)
        for key, request in self._new:
            blocks[key].append(request)
        self._new.clear()
        for key, block in blocks.items():
            try:
                report = self._report(*key, block)
            except Exception:  # noqa: BLE001  a client of somebody else's may have logged anything
                self._count_one_by_one(key, block)
            else:
                self._total.extend(report)
                self._entries[key].extend(report)

    def _report(self, name: str, method: str, block: list[_Request]) -> stats.StatsEntry:
        """What a worker would report of these requests."""
        times_ms, lengths, moments_s = zip(*block, strict=True)
        told_ms = [time_ms for time_ms in times_ms if time_ms is not None]
        report = stats.StatsEntry(self, name, method)
        report.start_time, report.last_request_timestamp = moments_s[0], moments_s[-1]
        report.num_requests, report.num_none_requests = len(block), len(block) - len(told_ms)
        report.num_reqs_per_sec = Counter(map(int, moments_s))
        report.total_content_length = sum(lengths)
        if told_ms:
            report.total_response_time = sum(told_ms)
            report.min_response_time, report.max_response_time = min(told_ms), max(told_ms)
            report.response_times = Counter(map(stats.bucket_response_time, told_ms))
        return report

    def _count_one_by_one(self, key: _Key, block: list[_Request]) -> None:
        for time_ms, length, _ in block:
            try:
                self._total.log(time_ms, length)
                self._entries[key].log(time_ms, length)
            except Exception:  # as Locust does where its event is fired
                logger.exception("a request could not be counted")
