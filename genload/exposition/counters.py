"""Counters and restarts of the processes behind one address."""

from __future__ import annotations

from collections.abc import Mapping

# Some exporters compute the start time anew as now − uptime: it trembles, and no restart is that fast.
START_TIME_TREMOR_S = 1.0


class Restarts:
    """Counts restarts of the process behind a page since the first scrape.

    A restart is a rise of its start time above the largest one seen (with several processes behind one
    address, pages take turns: older ones are no restart). A page without a start time is judged by its
    counters, which only a restart can lower.
    """

    def __init__(self) -> None:
        self.count = 0
        self.known = False  # the page has shown something to tell a restart by
        self._start_s: float | None = None
        self._counters: dict[str, float] = {}

    def note(self, start_s: float | None, counters: Mapping[str, float]) -> None:
        if start_s is not None:
            if self._start_s is not None and start_s > self._start_s + START_TIME_TREMOR_S:
                self.count += 1
            self._start_s = max(start_s, self._start_s or start_s)
        elif any(value < self._counters.get(name, 0.0) for name, value in counters.items()):
            self.count += 1
        self._counters.update(counters)
        self.known = self.known or start_s is not None or bool(counters)


class Counters:
    """What the counters behind one address came to, as if no process there had ever ended.

    The value of the first page, and every rise since. A fall is a reset: all that the counter shows then has
    come since, and what it lost between the last page and the reset is unknown. Pages of several processes
    that take turns behind one address are told apart by their start times.

    Args:
        since_unix_s: when watching began. A process that began later has counted all it shows since then.
        late: the address was not there when watching began: what an older process shows there is not ours.
    """

    def __init__(self, since_unix_s: float, *, late: bool = False) -> None:
        self._since_unix_s = since_unix_s
        self._takes_first = not late
        self._processes: list[tuple[float | None, dict[str, float]]] = []
        self._totals: dict[str, float] = {}

    def note(self, start_s: float | None, counters: Mapping[str, float]) -> Mapping[str, float]:
        """Take one page's counters; what each has come to. Those that this page lacks stay as they were."""
        seen = self._process(start_s)
        first = seen is None
        if seen is None:
            seen = {}
            self._processes.append((start_s, seen))
        counts_all = not first or self._takes_first or (start_s or 0.0) > self._since_unix_s
        for name, value in counters.items():
            before = seen.get(name, 0.0 if counts_all else value)
            rise = value - before if value >= before else value
            self._totals[name] = self._totals.get(name, 0.0) + rise
            seen[name] = value
        self._takes_first = False
        return dict(self._totals)

    def _process(self, start_s: float | None) -> dict[str, float] | None:
        """The last counters of the process that began then, if a page of it was seen."""
        for began_s, counters in self._processes:
            if start_s is None or began_s is None:
                return counters
            if abs(start_s - began_s) <= START_TIME_TREMOR_S:
                return counters
        return None
