"""Counters and restarts of the processes behind one address.

Each series is followed by itself: a fall is its reset, and all that it shows then has come since. One that
has gone from the page keeps what it counted, and when it is there again it goes on, where a fall is a reset
as ever. What a counter lost between the last page and a reset is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from genload.exposition.page import Labels

KIN_S = 1.0
"""Processes that began so close together may be the workers of one start, or one whose exporter computes its
start time anew at each look as now − uptime; no restart is that fast."""
_TREMORS, _SETTLED = 2, 20
"""So many looks whose start time differs from that of the look before while no counter fell, and it is one
process whose start time trembles; after the larger number it stays one whatever comes."""
_FIRST_LOOKS = 50
"""Of a process, those that may turn out to have been two processes'."""

Counts = Mapping[str, Mapping[Labels, float]]
"""By metric and series."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page shows of its process, to tell it from others: Unix time of its start, its CPU time."""

    start_s: float | None = None
    cpu_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """The counters of one page."""

    cpu_s: float | None = None
    counts: Counts = field(default_factory=dict)
    number: int = 0
    """In the order of the looks."""

    def fell_to(self, later: _Look) -> bool:
        """Whether any counter, CPU time among them, is lower later than here."""
        return self.cpu_fell_to(later) or self.series_fell_to(later)

    def stands_still_to(self, later: _Look) -> bool:
        """Whether it is known that the process did nothing until then: such a one counts nothing either."""
        return self.cpu_s is not None and later.cpu_s is not None and later.cpu_s <= self.cpu_s

    def cpu_fell_to(self, later: _Look) -> bool:
        return self.cpu_s is not None and later.cpu_s is not None and later.cpu_s < self.cpu_s

    def series_fell_to(self, later: _Look) -> bool:
        return any(rise < 0 for rise in self._rises_to(later))

    def rise_to(self, later: _Look) -> float:
        """Of all counters that both show, to compare with other looks."""
        return sum(self._rises_to(later)) + (later.cpu_s or 0.0) - (self.cpu_s or 0.0)

    def _rises_to(self, later: _Look) -> Iterator[float]:
        for metric, series in later.counts.items():
            before = self.counts.get(metric, {})
            yield from (value - before[labels] for labels, value in series.items() if labels in before)


class Restarts:
    """Counts restarts of the process behind a page since watching began.

    A restart is a process that began since then, later than all before it: with several behind one address,
    pages take turns, and older ones are no restart. A page without a start time is judged by its CPU time,
    and one without that by its counters, which only a restart can lower.
    """

    def __init__(self) -> None:
        self.count = 0
        self.known = False  # the page has shown something to tell a restart by
        self._start_s: float | None = None
        self._before = _Look()

    def note(self, signs: Signs, counts: Counts, since_unix_s: float) -> None:
        """Take one page; `since_unix_s` is when watching began, on the clock of the page's machine."""
        start_s, look = signs.start_s, _Look(signs.cpu_s, counts)
        if start_s is not None:
            if self._start_s is not None and start_s > max(self._start_s + KIN_S, since_unix_s):
                self.count += 1
            self._start_s = max(start_s, self._start_s or start_s)
        elif look.cpu_s is not None and self._before.cpu_s is not None:
            self.count += self._before.cpu_fell_to(look)
        else:
            self.count += self._before.series_fell_to(look)
        self._before = look
        self.known = self.known or start_s is not None or look.cpu_s is not None or any(counts.values())


class Counters:
    """What the counters behind one address came to, as if no process there had ever ended.

    The value of the first page, and every rise since. Pages of several processes that take turns behind one
    address are told apart by their start times, to the millisecond, and by their CPU times.

    Args:
        late: the address was not there when watching began: what an older process shows there is not ours.
    """

    def __init__(self, *, late: bool = False) -> None:
        self._takes_first = not late
        self._kins: list[_Kin] = []
        self._newest: _Kin | None = None

    def note(self, signs: Signs, counts: Counts, since_unix_s: float) -> Mapping[str, float]:
        """Take one page's counters; what each metric has come to.

        Args:
            since_unix_s: when watching began, on the clock of the page's machine. A process that began later
                has counted all it shows since then.
        """
        kin = self._kin(signs.start_s)
        if kin is None:
            whole = (signs.start_s or 0.0) > since_unix_s
            kin = _Kin(signs.start_s, whole=whole, counts_first=whole or self._takes_first)
            self._kins.append(kin)
        self._takes_first, self._newest = False, kin
        kin.note(signs, counts)
        return _sum(kin.totals for kin in self._kins)

    def _kin(self, start_s: float | None) -> _Kin | None:
        """Those that began then, if a page of one of them was seen; of a page that does not say, the last."""
        if start_s is None:
            return self._newest
        near = [kin for kin in self._kins if kin.start_s is None or abs(start_s - kin.start_s) <= KIN_S]
        return min(near, key=lambda kin: abs(start_s - (kin.start_s or start_s)), default=None)


class _Kin:
    """Processes that began within a second of each other.

    Args:
        whole: they began since watching did, and have counted all that they show since then.
        counts_first: the first page counts with what it shows.
    """

    def __init__(self, start_s: float | None, *, whole: bool, counts_first: bool) -> None:
        self.start_s = start_s
        self._whole = whole
        self._as_one = _Process(counts_first=counts_first)
        self._alike: dict[int, _Alike] = {}  # by the start time, in milliseconds
        self._last_ms = 0
        self._last = _Look()
        self._tremors, self._are_several = 0, False
        self._looks = 0

    @property
    def totals(self) -> Mapping[str, float]:
        if self._tremors >= _TREMORS and not self._are_several:
            return self._as_one.totals
        return _sum(alike.totals for alike in self._alike.values())

    def note(self, signs: Signs, counts: Counts) -> None:
        self._looks += 1
        look = _Look(signs.cpu_s, counts, self._looks)
        start_ms = self._last_ms if signs.start_s is None else round(signs.start_s * 1e3)
        if self._alike and start_ms != self._last_ms and self._tremors < _SETTLED:
            self._tremors += 1
            self._are_several = self._are_several or self._last.fell_to(look)
        self._last_ms, self._last = start_ms, look
        if start_ms not in self._alike:
            counts_first = self._whole or (self._as_one.counts_first and not self._alike)
            self._alike[start_ms] = _Alike(whole=self._whole, counts_first=counts_first)
        self._alike[start_ms].note(look)
        self._as_one.note(look)


class _Alike:
    """The pages that show one start time, to the millisecond: of one process, or of some that began together.

    A counter that falls while CPU time does not rise, or CPU time that does, shows that there are several.
    Then each page is of the process that it continues with the least rise.
    """

    def __init__(self, *, whole: bool, counts_first: bool) -> None:
        self._whole = whole
        self._as_one = _Process(counts_first=counts_first)
        self._several: list[_Process] = []
        self._are_several = False

    @property
    def totals(self) -> Mapping[str, float]:
        if self._are_several:
            return _sum(process.totals for process in self._several)
        return self._as_one.totals

    def note(self, look: _Look) -> None:
        last = self._as_one.last
        self._are_several |= last.fell_to(look) and last.stands_still_to(look)
        self._as_one.note(look)
        able = [process for process in self._several if not process.last.fell_to(look)]
        if able:
            min(able, key=lambda process: process.last.rise_to(look)).note(look)
            return
        first = not self._several and self._as_one.counts_first
        new = _Process(counts_first=self._whole or first)
        new.note(look)
        self._several.append(new)
        if not self._whole:  # of what counts wholly it does not matter whose it is
            self._find_beginning(new)

    def _find_beginning(self, late: _Process) -> None:
        """Until a process was known to be another, its pages were taken for those of one that they seemed to
        continue: give it those looks back that it continues with less rise than what followed them. What
        followed may be a third one's, and so on; each time there is less rise.
        """
        while links := [
            (rise, process, place)
            for process in self._several
            if process is not late
            for rise, place in process.links_to(late.first)
        ]:
            _, mixed, place = min(links, key=lambda link: link[0])
            rest = mixed.cut_behind(place)
            mixed.go_on_with(late)
            self._several.remove(late)
            if rest is None:
                return
            self._several.append(rest)
            late = rest


class _Process:
    """What one process counted since its first page; with what that shows, if `counts_first`."""

    def __init__(self, *, counts_first: bool) -> None:
        self.counts_first = counts_first
        self.last = _Look()
        self.totals: dict[str, float] = {}
        self._values: dict[tuple[str, Labels], float] = {}
        self._looks: list[tuple[_Look, Mapping[str, float]]] = []  # the first, and the totals after each

    @property
    def first(self) -> _Look:
        return self._looks[0][0]

    def note(self, look: _Look) -> None:
        counts_new = self.counts_first or bool(self._looks)
        for metric, series in look.counts.items():
            rise = 0.0
            for labels, value in series.items():
                before = self._values.get((metric, labels), 0.0 if counts_new else value)
                rise += value - before if value >= before else value
                self._values[metric, labels] = value
            self.totals[metric] = self.totals.get(metric, 0.0) + rise
        self.last = look
        if len(self._looks) < _FIRST_LOOKS:
            self._looks.append((look, dict(self.totals)))

    def links_to(self, later: _Look) -> Iterator[tuple[float, int | None]]:
        """The rise from, and the place of, each of the first looks that another continues with less rise than
        what followed it; the last look, which nothing followed, has no place.
        """
        for place, ((look, _), (following, _)) in enumerate(pairwise(self._looks)):
            if look.number < later.number and not look.fell_to(later):
                rise = look.rise_to(later)
                if rise < look.rise_to(following):
                    yield rise, place
        if self.last.number < later.number and not self.last.fell_to(later):
            yield self.last.rise_to(later), None

    def cut_behind(self, place: int | None) -> _Process | None:
        """Keep the looks up to a place; those from the next one on as a process of their own, which counts
        from the first of them."""
        if place is None:
            return None
        kept, others = self._looks[: place + 1], self._looks[place + 1 :]
        rest = _Process(counts_first=False)
        rest.last, rest._values = self.last, self._values
        rest.totals = _sum((self.totals, _less(others[0][1])))
        rest._looks = [(look, _sum((totals, _less(others[0][1])))) for look, totals in others]
        self._values, self._looks, self.totals = {}, [], {}
        for look, _ in kept:
            self.note(look)
        return rest

    def go_on_with(self, later: _Process) -> None:
        """Take all that another process did for what this one did next."""
        base = later._looks[0][1]
        self.note(later.first)
        reached = self.totals
        self.totals = _sum((reached, later.totals, _less(base)))
        more = [(look, _sum((reached, totals, _less(base)))) for look, totals in later._looks[1:]]
        self._looks = [*self._looks, *more][:_FIRST_LOOKS]
        self._values |= later._values
        self.last = later.last


def _sum(several: Iterable[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for totals in several:
        for metric, value in totals.items():
            found[metric] = found.get(metric, 0.0) + value
    return found


def _less(totals: Mapping[str, float]) -> dict[str, float]:
    return {metric: -value for metric, value in totals.items()}
