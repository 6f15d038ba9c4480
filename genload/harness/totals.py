"""Running totals of requests: what a live view needs, in a few hundred bytes a phase.

What they tell is what the verdict would tell of the same records (`genload.analysis.request_statistics`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from genload.analysis.known import Known, Numbers, known
from genload.analysis.ranks import level_in_sample
from genload.errors import CANNOT_INSPECT
from genload.harness.spread import Spread
from genload.runlog.error_classes import UNANSWERED
from genload.runlog.records import LEFT, RequestRecord
from genload.settings.metrics.metric import Failures, Metric, Tally


@dataclass(slots=True)
class Values:
    """One number of those requests that carry it, and of those among them that were inspected."""

    all: Spread = field(default_factory=Spread)
    inspected: Spread = field(default_factory=Spread)

    @classmethod
    def exact(cls) -> Values:
        """None yet; each will be kept."""
        return cls(Spread(kept=array("d")), Spread(kept=array("d")))

    def merged(self, other: Values) -> Values:
        return Values(self.all.merged(other.all), self.inspected.merged(other.inspected))


@dataclass(slots=True)
class Totals:
    """Logical requests of one phase, warm-up left out.

    Attributes:
        exact: whether percentiles are those of the values themselves, which are kept for it.
    """

    tallies: Counter[Tally] = field(default_factory=Counter)
    streamed: int = 0  # of the successes
    answered: int = 0  # with an output that can be inspected
    good_answered: int = 0
    inspected: int = 0
    good_inspected: int = 0
    values: dict[str, Values] = field(default_factory=dict)
    """By the name of the metric."""
    exact: bool = False

    @property
    def attempted(self) -> int:
        return self.tallies[Tally.ATTEMPTED]

    @property
    def completed(self) -> int:
        return self.tallies[Tally.COMPLETED]

    @property
    def failed(self) -> int:
        return self.tallies[Tally.FAILED]

    @property
    def left(self) -> int:
        return self.tallies[Tally.LEFT]

    def add(self, records: Sequence[RequestRecord], metrics: Collection[Metric] = ()) -> None:
        """Count some records, with the numbers of these metrics."""
        # Question by question, and not record by record, which takes half as long again; and what is only
        # told of some records is asked where there are some.
        tallies, outcomes = self.tallies, [record.outcome for record in records]
        if LEFT in outcomes:
            records = [record for record in records if record.outcome != LEFT]
            tallies[Tally.LEFT] += len(outcomes) - len(records)
        numbers = good = [record.numbers for record in records]
        tallies[Tally.ATTEMPTED] += len(records)
        tallies[Tally.COMPLETED] += outcomes.count("ok")
        if outcomes.count("ok") < len(records):
            good = [record.numbers for record in records if record.outcome == "ok"]
            bad = [record for record in records if record.outcome != "ok"]
            tallies[Tally.FAILED] += len(bad)
            tallies[Tally.UNFINISHED] += sum([record.outcome == "unfinished" for record in bad])
            tallies[Tally.UNANSWERED] += sum([record.error_class in UNANSWERED for record in bad])
        refused = [each["rejections"] for each in numbers if "rejections" in each]
        valid = [each["valid"] for each in numbers if "valid" in each]
        unreadable = [each for each in numbers if CANNOT_INSPECT in each]
        good_inspected = sum(["valid" in each for each in good]) if valid else 0
        good_answered = len(good)
        if unreadable:
            good_answered -= sum([CANNOT_INSPECT in each and "valid" not in each for each in good])
        tallies[Tally.REFUSALS] += int(sum(refused))
        tallies[Tally.INVALID] += valid.count(0.0)
        tallies[Tally.UNREADABLE] += len(unreadable)
        self.streamed += sum([each.get("streamed") == 1 for each in good])
        self.answered += good_answered + len(valid) - good_inspected
        self.good_answered += good_answered
        self.inspected += len(valid)
        self.good_inspected += good_inspected
        for metric in metrics:
            self._add_numbers(records, metric)

    def _add_numbers(self, records: Sequence[RequestRecord], metric: Metric) -> None:
        of_failures = metric.failures is Failures.COUNTED
        carried = [
            (value if metric.stats else float(value == 1), "valid" in record.numbers)
            for record in records
            if (of_failures or record.outcome == "ok") and (value := record.number(metric.key)) is not None
        ]
        if carried:
            if metric.name not in self.values:
                self.values[metric.name] = Values.exact() if self.exact else Values()
            values = self.values[metric.name]
            values.all.add([value for value, _ in carried])
            values.inspected.add([value for value, inspected in carried if inspected])

    def unended(self, count: int) -> Totals:
        """These, and so many more that count as unfinished."""
        more = Counter(dict.fromkeys((Tally.ATTEMPTED, Tally.FAILED, Tally.UNFINISHED), count))
        return replace(self, tallies=self.tallies + more)

    def merged(self, other: Totals) -> Totals:
        names = dict.fromkeys((*self.values, *other.values))
        return Totals(
            self.tallies + other.tallies,
            self.streamed + other.streamed,
            self.answered + other.answered,
            self.good_answered + other.good_answered,
            self.inspected + other.inspected,
            self.good_inspected + other.good_inspected,
            {name: self._of(name).merged(other._of(name)) for name in names},
        )

    def _of(self, name: str) -> Values:
        return self.values.get(name) or Values()

    def number(self, metric: Metric) -> float | None:
        """A count or a share; None where there is nothing to count, or only the end can tell."""
        if metric.counts is Tally.TRUE:
            return self._of(metric.name).all.statistic("mean")
        if metric.counts is None or not (self.attempted or metric.counts.is_0_of_none):
            return None
        if metric.counts is Tally.INVALID and not self.inspected:
            return None
        count = self.tallies[metric.counts]
        if metric.per is None:
            return float(count)
        among = self.tallies[metric.per]
        return count / among if among else None

    def statistic(
        self, metric: Metric, stat: str, level: float | None, *, ok_only: bool = False
    ) -> float | None:
        """A statistic of what the requests carry; None where too few carry it, or only the end can tell."""
        if ok_only and metric.failures is Failures.COUNTED:
            return None
        values = self._of(metric.name)
        how = self._known(metric, values, ok_only=ok_only)
        if how.missing:
            return None
        spread = values.inspected if how.of_sample else values.all
        if stat != "p" or level is None:
            return spread.statistic(stat)
        last = self.failed if metric.failures is Failures.LAST and not ok_only else 0
        if not spread.count and (not last or self.completed):
            return None
        return self._in_sample(spread, level) if how.of_sample and last else spread.percentile(level, last)

    def _known(self, metric: Metric, values: Values, *, ok_only: bool) -> Known:
        numbers = Numbers(
            good=self.completed,
            streamed=self.streamed,
            carry=values.all.count,
            inspected=self.good_inspected if ok_only else self.inspected,
            answered=self.good_answered if ok_only else self.answered,
            good_inspected=self.good_inspected,
            carry_inspected=values.inspected.count,
        )
        return known(metric, numbers)

    def _in_sample(self, spread: Spread, level: float) -> float:
        """Of every attempt: failures without an output count in full, broken outputs by the sample."""
        broken = self.inspected - self.good_inspected
        within = level_in_sample(level, self.attempted, self.failed - broken)
        return inf if within == inf else spread.percentile(within, broken)
