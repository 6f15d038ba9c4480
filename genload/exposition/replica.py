"""One page over time: its numbers, the restarts behind it, and whether the families expected there move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic

from genload.exposition.counters import Counters, Restarts
from genload.exposition.families import FamilyWatch
from genload.exposition.page import Page
from genload.exposition.scrape import Scraper, Target, reason
from genload.exposition.selector import Selector

START_TIME = "process_start_time_seconds"
CPU_TIME = "process_cpu_seconds_total"


@dataclass(frozen=True, slots=True)
class Look:
    """One scrape: how long it took and the values by metric, or why there are none."""

    values: Mapping[str, float]
    took_s: float = 0.0
    error: str = ""


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
        names = {selector.name for selector in series.values()} | {START_TIME, CPU_TIME}
        # The type of a counter may stand under its name without the ending.
        self._names = names | {name.rpartition("_")[0] for name in names}

    @property
    def restarts(self) -> float | None:
        """Restarts seen; None while the page shows nothing to tell one by."""
        return float(self._restarts.count) if self._restarts.known else None

    def look(self, scraper: Scraper) -> Look:
        """Scrape the page once; never raises for what the service does."""
        begin_s = monotonic()
        try:
            text = scraper.fetch(self.target)
        except (OSError, HTTPException) as error:
            self._late = True
            return Look({}, monotonic() - begin_s, reason(error))
        took_s = monotonic() - begin_s
        self.answered = True
        page = Page(text, self.families.names | self._names)
        self.families.note(page)
        return Look(self._values(page), took_s)

    def _values(self, page: Page) -> dict[str, float]:
        counters, values = {}, {}
        for metric, selector in self._series.items():
            value = page.total(selector)
            if value is None or value != value:  # NaN is not a value
                continue
            if page.rises(selector.name):
                counters[metric] = value
            else:
                values[metric] = value
        start_s = max((sample.value for sample in page.samples.get(START_TIME, [])), default=None)
        cpu_s = page.total(Selector(CPU_TIME))
        self._restarts.note(start_s, counters | ({} if cpu_s is None else {CPU_TIME: cpu_s}))
        if self._counters is None:
            self._counters = Counters(self._began_unix_s, late=self._late)
        self.counted = self._counters.note(start_s, counters)
        return values | {metric: self.counted[metric] for metric in counters}
