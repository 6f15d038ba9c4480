"""The run as it looks right now: small running totals, never a list of requests.

Observed values only; evidence is computed once, at the end, from the records: a verdict that is peeked
at until it pleases is no verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from itertools import groupby
from math import inf
from operator import attrgetter
from pathlib import Path

import msgspec

from genload.harness.totals import Totals
from genload.runlog.records import LEFT, RequestRecord, Sample
from genload.settings.criteria.ast import Dimension, Relative, Subject
from genload.settings.criteria.comparisons import parts
from genload.settings.criteria.running import is_running
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.metric import Metric
from genload.settings.scenario import Scenario

_OF_SAMPLES = ("mean", "min", "max", "last")
_UNENDED = frozenset(("unfinished", LEFT))
BLOCK = 256
"""So many records are counted before anybody looks."""


def followed(scenario: Scenario, catalogue: Catalogue, watched: Collection[str] = ()) -> dict[str, Metric]:
    """The metrics that the scenario's criteria name, and those that are watched besides, by name."""
    comparisons = [
        part.comparison
        for criterion in scenario.criteria.values()
        for part in parts(criterion.expression, lambda each: ((),))
    ]
    subjects = [comparison.subject for comparison in comparisons]
    subjects += [each.right.of for each in comparisons if isinstance(each.right, Relative)]
    names = dict.fromkeys([*(subject.metric for subject in subjects), *watched])
    return {name: catalogue.metrics[name] for name in names if name in catalogue.metrics}


class LiveStats:
    """Totals by phase, errors by class, and the machines' newest samples.

    Args:
        operation: the requests that count.
        metrics: those that are asked for, by name. Of requests nothing else is told.
        hand_on: has those records added that wait to be; called before anybody looks.
        exact: whether percentiles of one phase are exact, or within 1 %; those of several are within 1 %.

    Attributes:
        metrics: the same.
    """

    def __init__(
        self,
        operation: str,
        samples_file: Path,
        metrics: Mapping[str, Metric] | None = None,
        *,
        hand_on: Callable[[], None] = lambda: None,
        exact: bool = False,
    ) -> None:
        self.operation, self._hand_on, self._exact = operation, hand_on, exact
        self.metrics = metrics or {}
        of_requests = (metric for metric in self.metrics.values() if metric.source == "requests")
        self._carried = [metric for metric in of_requests if metric.key]
        self._new: list[RequestRecord] = []  # that are not counted yet
        self._phases: dict[str, Totals] = {}
        self._errors: Counter[str] = Counter()
        self._fastest_s = inf
        self._samples = _SampleTail(samples_file)

    def add(self, records: Sequence[RequestRecord]) -> None:
        """Count records, which are not changed any more."""
        self._new += records
        if len(self._new) >= BLOCK:
            self._count()

    def _look(self) -> None:
        """Many at a time are counted in a third of the time: whoever looks has them counted first."""
        self._hand_on()
        self._count()

    def _count(self) -> None:
        own = [record for record in self._new if record.operation == self.operation]
        self._new.clear()
        durations_s = [record.duration_s for record in own if record.outcome not in _UNENDED]
        self._fastest_s = min(self._fastest_s, *durations_s, inf)
        own = [record for record in own if not record.warmup]
        for phase, records in groupby(own, key=attrgetter("phase")):
            if phase not in self._phases:
                self._phases[phase] = Totals(exact=self._exact)
            self._phases[phase].add(list(records), self._carried)
        self._errors.update([record.error_class for record in own if record.error_class])

    @property
    def phases(self) -> dict[str, Totals]:
        """By phase."""
        self._look()
        return self._phases

    @property
    def errors(self) -> Counter[str]:
        """How many requests failed of each class."""
        self._look()
        return self._errors

    @property
    def fastest_s(self) -> float:
        """The shortest request so far, whatever became of it, warm-up too."""
        self._look()
        return self._fastest_s

    @property
    def total(self) -> Totals:
        return reduce(Totals.merged, self.phases.values(), Totals())

    def is_live(self, subject: Subject) -> bool:
        """Whether it is told while the load runs; of the rest only the end can tell: parts of the load, one
        of several machines, and what needs more than running totals.
        """
        metric = self.metrics.get(subject.metric)
        if metric is None or metric.source == "samples":
            if subject.window is not None:
                return False
            by_time = metric is not None and metric.dimension is Dimension.STATE and subject.stat == "mean"
            return not subject.filters and subject.stat in _OF_SAMPLES and not by_time
        return is_running(subject, metric)

    def lookup(self, subject: Subject, unended: int = 0) -> float | None:
        """The observed value of a criterion's subject so far; None where there is none, or it is not live.

        Args:
            unended: so many requests have not ended, and count as unfinished.
        """
        if not self.is_live(subject):
            return None
        metric = self.metrics.get(subject.metric)
        if metric is None or metric.source == "samples":
            return self._samples.value(subject.metric, subject.stat)
        filters = dict(subject.filters)
        totals = self.phases.get(filters["phase"], Totals()) if filters else self.total
        if unended:
            totals = totals.unended(unended)
        if subject.stat is None:
            return totals.number(metric)
        return totals.statistic(metric, subject.stat, subject.percentile, ok_only=subject.ok_only)

    def unit(self, subject: Subject) -> str:
        """Of the observed value, as `Dimension` has it."""
        metric = self.metrics.get(subject.metric)
        return "" if metric is None else metric.unit(subject.stat).value

    def load_began(self, at_s: float) -> None:
        """Samples count from here on."""
        self._samples = _SampleTail(self._samples.path, self._samples.offset, at_s)

    def load_ended(self, at_s: float) -> None:
        """Samples count until then."""
        self._samples.until_s = at_s

    @property
    def newest(self) -> Mapping[str, float]:
        """Of each metric of the machines the value that came last during the load."""
        return self._samples.last

    def read_samples(self) -> None:
        self._samples.read()


class _SampleTail:
    """Follows samples.jsonl, which the sampler's process appends to, and counts what is of some time."""

    def __init__(self, path: Path, offset: int = 0, from_s: float = -inf) -> None:
        self.path, self.offset = path, offset
        self.until_s = inf
        self._from_s = from_s
        self._decoder = msgspec.json.Decoder(Sample)
        self.last: dict[str, float] = {}
        self._sum: Counter[str] = Counter()
        self._count: Counter[str] = Counter()
        self._max: dict[str, float] = {}
        self._min: dict[str, float] = {}

    def read(self) -> None:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                text = file.read()
        except OSError:  # not there yet, or deleted: the writer notices, and ends the run
            return
        whole, _, _ = text.rpartition(b"\n")
        self.offset += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            sample = self._decoder.decode(line)
            if not self._from_s <= sample.t_s <= self.until_s:
                continue
            for metric, value in sample.values.items():
                self.last[metric] = value
                self._sum[metric] += value  # type: ignore[assignment]  # a Counter adds floats as well
                self._count[metric] += 1
                self._max[metric] = max(self._max.get(metric, value), value)
                self._min[metric] = min(self._min.get(metric, value), value)

    def value(self, metric: str, stat: str | None) -> float | None:
        if not self._count[metric]:
            return None
        stats = {"last": self.last[metric], "max": self._max[metric], "min": self._min[metric]}
        stats["mean"] = self._sum[metric] / self._count[metric]
        return stats.get(stat or "")
