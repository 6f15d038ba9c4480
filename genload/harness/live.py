"""The run as it looks right now: small running totals, never a list of requests.

Observed values only; evidence is computed once, at the end, from the records: a verdict that is peeked
at until it pleases is no verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import inf
from pathlib import Path

import msgspec

from genload.analysis.evaluate import parts
from genload.harness.totals import Totals
from genload.runlog.records import RequestRecord, Sample
from genload.settings.criteria.ast import Relative, Subject
from genload.settings.suite import Scenario


def followed(scenario: Scenario, operation: str) -> set[str]:
    """The metrics of requests that the scenario's criteria name, without the operation."""
    comparisons = [
        part.comparison
        for criterion in scenario.criteria.values()
        for part in parts(criterion.expression, lambda each: ((),))
    ]
    subjects = [comparison.subject for comparison in comparisons]
    subjects += [each.right.of for each in comparisons if isinstance(each.right, Relative)]
    names = (subject.metric.partition(".") for subject in subjects)
    return {metric for of, _, metric in names if of == operation}


class LiveStats:
    """Totals by phase, errors by class, and the machines' newest samples.

    Args:
        operation: the requests that count.
        numbers: of their metrics, without the operation, those that are followed; the duration always is.
    """

    def __init__(self, operation: str, samples_file: Path, numbers: Iterable[str] = ()) -> None:
        self.operation = operation
        self._numbers = frozenset(numbers) - {"duration"}
        self.phases: dict[str, Totals] = {}
        self.errors: Counter[str] = Counter()
        self.warmups = 0
        self.fastest_s = inf
        """The shortest request so far, whatever became of it, warm-up too."""
        self._samples = _SampleTail(samples_file)

    def add(self, record: RequestRecord) -> None:
        if record.operation != self.operation:
            return
        if record.outcome != "unfinished":
            self.fastest_s = min(self.fastest_s, record.duration_s)
        if record.warmup:
            self.warmups += 1
            return
        self.phases.setdefault(record.phase, Totals()).add(record, self._numbers)
        if record.error_class:
            self.errors[record.error_class] += 1

    @property
    def total(self) -> Totals:
        result = Totals()
        for totals in self.phases.values():
            result = result.merged(totals)
        return result

    def lookup(self, subject: Subject) -> float | None:
        """The observed value of a criterion's subject so far; None where only the end can tell."""
        filters = dict(subject.filters)
        if subject.window is not None or set(filters) - {"phase"}:
            return None
        operation, _, metric = subject.metric.partition(".")
        if operation != self.operation:
            return self._samples.value(subject.metric, subject.stat) if not filters else None
        totals = self.phases.get(filters["phase"], Totals()) if filters else self.total
        if subject.stat is None:
            return totals.number(metric)
        return None if subject.ok_only else totals.statistic(metric, subject.stat, subject.percentile)

    def read_samples(self) -> None:
        self._samples.read()


class _SampleTail:
    """Follows samples.jsonl, which the sampler's process appends to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._decoder = msgspec.json.Decoder(Sample)
        self._last: dict[str, float] = {}
        self._sum: Counter[str] = Counter()
        self._count: Counter[str] = Counter()
        self._max: dict[str, float] = {}
        self._min: dict[str, float] = {}

    def read(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except OSError:  # not there yet, or deleted: the writer notices, and ends the run
            return
        whole, _, _ = text.rpartition(b"\n")
        self._offset += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            for metric, value in self._decoder.decode(line).values.items():
                self._last[metric] = value
                self._sum[metric] += value  # type: ignore[assignment]  # a Counter adds floats as well
                self._count[metric] += 1
                self._max[metric] = max(self._max.get(metric, value), value)
                self._min[metric] = min(self._min.get(metric, value), value)

    def value(self, metric: str, stat: str | None) -> float | None:
        if not self._count[metric]:
            return None
        stats = {"last": self._last[metric], "max": self._max[metric], "min": self._min[metric]}
        stats["mean"] = self._sum[metric] / self._count[metric]
        return stats.get(stat or "")
