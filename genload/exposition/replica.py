"""One page over time: its numbers, the restarts behind it, and whether the families expected there move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic, time

from genload.exposition.boards import told_once
from genload.exposition.counters import Counters, Restarts, Signs
from genload.exposition.families import FamilyWatch
from genload.exposition.page import Kind, Labels, Page
from genload.exposition.scrape import Scraper, Target, reason
from genload.exposition.selector import Selector
from genload.settings.metrics.machines import together

START_TIME = "process_start_time_seconds"
CPU_TIME = "process_cpu_seconds_total"


@dataclass(frozen=True, slots=True)
class Look:
    """One scrape: how long it took and the values by metric, or why there are none.

    `unclear` says of which metrics the page shows something that is no number of theirs.
    """

    values: Mapping[str, float]
    took_s: float = 0.0
    error: str = ""
    unclear: str = ""


class Replica:
    """One page that is looked at again and again.

    Args:
        target: where it is.
        series: which of its samples fill which metric.
        expects: families that should be there.
        began_unix_s: when watching began.
        late: watching had begun before this page was known.

    Attributes:
        families: what became of the expected ones.
        answered: whether there ever was a page.
        counted: what the counters among the metrics came to, by metric.
    """

    def __init__(
        self,
        target: Target,
        series: Mapping[str, Selector],
        expects: Iterable[str] = (),
        *,
        began_unix_s: float,
        late: bool = False,
    ) -> None:
        self.target = target
        self.families = FamilyWatch(expects)
        self.answered = False
        self.counted: Mapping[str, float] = {}
        self._series = series
        self._restarts = Restarts()
        self._counters: Counters | None = None
        self._began_unix_s, self._late = began_unix_s, late
        self._names = frozenset({selector.name for selector in series.values()} | {START_TIME, CPU_TIME})

    @property
    def restarts(self) -> float | None:
        """Restarts seen; None while the page shows nothing to tell one by."""
        return float(self._restarts.count) if self._restarts.known else None

    def look(self, scraper: Scraper) -> Look:
        """Scrape the page once; never raises for what the service does."""
        begin_s = monotonic()
        try:
            fetched = scraper.fetch(self.target)
        except (OSError, HTTPException) as error:
            self._late = True
            return Look({}, monotonic() - begin_s, reason(error))
        took_s = monotonic() - begin_s
        self.answered = True
        page = Page(fetched.text, self.families.names | self._names)
        starts = page.series(Selector(START_TIME)).values()
        cpu = page.series(Selector(CPU_TIME)).values()
        signs = Signs(max(starts, default=None), sum(cpu) if cpu else None)
        since_unix_s = self._began_unix_s + fetched.ahead_of(time())
        self.families.note(page, signs, since_unix_s)
        counts, values, unclear = self._read(page)
        self._restarts.note(signs, counts, since_unix_s)
        if self._counters is None:
            self._counters = Counters(late=self._late)
        self.counted = self._counters.note(signs, counts, since_unix_s)
        return Look({**values, **self.counted}, took_s, unclear="; ".join(unclear))

    def _read(self, page: Page) -> tuple[dict[str, dict[Labels, float]], dict[str, float], list[str]]:
        """The series of counters by metric, the values of other metrics, and what is neither."""
        counts: dict[str, dict[Labels, float]] = {}
        values: dict[str, float] = {}
        unclear = []
        for metric, selector in self._series.items():
            kind, series = page.kind(selector.name), told_once(selector.name, page.series(selector))
            if kind is Kind.COUNTER:
                if numbers := {labels: value for labels, value in series.items() if value == value}:
                    counts[metric] = numbers
            elif len(series) > 1 and kind is not Kind.GAUGE:
                words = f"{len(series)} {kind.value}s of {selector.name} have no sum: name one by its labels"
                unclear.append(f"{metric}: {words}")
            elif series:
                values[metric] = together(metric, list(series.values()))
        return counts, {metric: value for metric, value in values.items() if value == value}, unclear
