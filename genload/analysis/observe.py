"""From a criterion's subject to its estimate: which requests or samples, and which statistic of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf, isfinite
from typing import Any

from msgspec import convert

from genload.analysis.cold import cold_number, cold_starts
from genload.analysis.evidence.between import Between, ends
from genload.analysis.evidence.chance import Chance
from genload.analysis.evidence.estimate import ALPHA, Absent, Estimate, Exact, Partial, Unbounded
from genload.analysis.evidence.means import Mean, MeanRatio
from genload.analysis.evidence.percentiles import Percentile
from genload.analysis.evidence.series import Growth, State, slope
from genload.analysis.filling import Filling
from genload.analysis.judged.cold import ColdStart
from genload.analysis.listeners import Left
from genload.analysis.load import Load
from genload.analysis.request_statistics import RequestStatistics
from genload.analysis.series import Series, SeriesStore
from genload.analysis.states import Held
from genload.analysis.table import RequestTable, table_of
from genload.human import human
from genload.runlog.records import RunHeader
from genload.settings.arrivals import Stage
from genload.settings.criteria.ast import Conjunction, Dimension, Each, Subject
from genload.settings.criteria.comparisons import Labels
from genload.settings.goodput import Limit
from genload.settings.metrics.capacity import CAPACITY_METRICS
from genload.settings.metrics.catalogue import ANY_LABEL, Catalogue
from genload.settings.metrics.labelled import labelled, unlabelled
from genload.settings.metrics.metric import Failures, Metric, request_number
from genload.settings.metrics.requests import request_metrics
from genload.settings.metrics.spoken import speech_metrics

_MOST_SERIES = 8
SEEN = "about the samples seen"
_NO_PAGE = {
    True: "the page came, and has no such series: correct the monitor's `series`, or the service lacks it",
    False: "the page never came in that time",
}


def catalogue_of(header: RunHeader) -> Catalogue:
    """What this run's criteria may name: the engine's metrics, and those that its wing files declared."""
    operation = header.operation
    own = (*request_metrics(operation, tuple(header.stages)), *speech_metrics(operation))
    known = {metric.name: metric for metric in own}
    # A run from before metrics said where they are recorded, or which way they are better: the engine's own
    # are what they are today.
    declared = (
        convert(fields, Metric) if "better" in fields else known.get(fields["name"]) or _older(fields)
        for fields in header.metrics
    )
    of_every = (*request_metrics(operation, tuple(header.stages)), *CAPACITY_METRICS)
    return Catalogue.of((*of_every, *declared))


def nameable(header: RunHeader) -> Catalogue:
    """The same with its phases, labels and length: what a rule is checked against."""
    phases = tuple(phase["name"] for phase in header.phases)
    lengths: list[float] = [
        inf if phase["duration_s"] is None else phase["duration_s"] for phase in header.phases
    ]
    labels = {name: tuple(values) for name, values in header.labels.items()}
    return replace(
        catalogue_of(header),
        labels={**labels, "phase": phases},
        duration_s=sum(lengths),
        sample_labels={ANY_LABEL: ("",)},
    )


def _older(fields: Mapping[str, Any]) -> Metric:
    """A service's own metric as it was declared then."""
    if "key" in fields:
        return convert(fields, Metric)
    name, dimension = fields["name"], Dimension(fields.get("dimension", ""))
    return request_number(name, dimension, fields.get("help", ""), failures=Failures.LAST)


@dataclass(frozen=True)
class Measures:
    """Everything that a criterion can be measured on."""

    header: RunHeader
    catalogue: Catalogue
    table: RequestTable
    store: SeriesStore
    load: Load
    min_coverage: float
    left: RequestTable = field(default_factory=lambda: table_of(Filling()))
    warmup: RequestTable = field(default_factory=lambda: table_of(Filling()))
    in_flight_gauge: str | None = None  # the service's own number of requests under way
    alpha: float = ALPHA  # how often a bound on a number of requests may be wrong
    highest_level: Estimate | None = None  # of a search for a capacity
    observed_only: bool = False  # without what polls leave open

    @cached_property
    def chance(self) -> Chance | None:
        """What chance did in its schedule; None where nothing was drawn, or too little or too much."""
        phases = self.load.timeline.phases
        stages = [
            Stage(phase.name, phase.duration_s or 0.0, *phase.rates_per_s)
            for phase in phases
            if phase.rates_per_s
        ]
        if not stages or len(stages) < len(phases) or len(self.left):  # those who left were callers, too
            return None
        begin_s, table = self.load.start_s, self.table
        chance = Chance(table.start_s - begin_s, table.end_s - begin_s, table.ok, stages)
        return chance if chance.is_known else None

    @cached_property
    def limits(self) -> Mapping[str, Limit]:
        """What makes a request a good one, in the suite as it ran."""
        suite = self.header.suite
        own = suite.get("scenarios", {}).get(self.header.scenario, {}).get("goodput")
        told = suite.get("goodput") if own is None else own
        return {name: Limit.model_validate(limit) for name, limit in (told or {}).items()}

    def strata_of(self, each: Each) -> tuple[Labels, ...]:
        """What ``each(label)`` runs through: the label's values among requests, or the series that have it.

        Of several metrics it is what any of them has: one that lacks a stratum has nothing to judge there.
        """
        found: dict[Labels, None] = {}
        for subject in _judged_subjects(each):
            if each.label == "phase" or self._is_of_requests(subject.metric):
                found |= dict.fromkeys(((each.label, value),) for value in self.strata(each.label))
            else:
                found |= dict.fromkeys(self.store.strata(subject.metric, each.label, dict(subject.filters)))
        return tuple(found)

    def without_strata(self, each: Each) -> str:
        """What an ``each`` would need that found no stratum."""
        sampled = [s.metric for s in _judged_subjects(each) if not self._is_of_requests(s.metric)]
        if not sampled:
            return f"requests with the label {each.label}"
        series = f"series of {sampled[0]} with the label {each.label}"
        return f"{series}: {self._others(sampled[0])}"

    def strata(self, label: str) -> tuple[str, ...]:
        """The values of a label of the requests: those planned, and any other that occurred.

        What was planned and never came has nothing to judge, which is not the same as being in order.
        """
        if label == "phase":
            planned = tuple(phase.name for phase in self.load.timeline.phases)
            return tuple(dict.fromkeys((*planned, *(phase.name for phase in self.load.phases))))
        return tuple(dict.fromkeys((*self.header.labels.get(label, ()), *self.table.values_of(label))))

    def unit(self, subject: Subject) -> Dimension:
        """The dimension of the subject's number."""
        return self.catalogue.unit(subject) or Dimension.PLAIN

    def of(self, subject: Subject) -> Estimate:
        """The subject's estimate; `Absent` with the reason where there is nothing to judge."""
        if self._is_of_requests(subject.metric):
            if (whole := self.of_the_run(subject)) is not None:
                return whole
            return RequestStatistics(
                self.catalogue,
                self.table,
                self.load,
                subject,
                self.left,
                self.limits,
                self.alpha,
                self.observed_only,
                self.chance,
            ).estimate()
        operation, _, name = subject.metric.partition(".")
        if operation == self.header.operation:
            return Absent(f"requests with a {name}, which nobody declared for this run")
        return self._of_samples(subject, self.catalogue.metrics.get(subject.metric))

    def of_the_run(self, subject: Subject) -> Estimate | None:
        """What is said of a run as a whole; None for any other subject."""
        operation, _, name = subject.metric.partition(".")
        if operation == "capacity":
            return self.highest_level or Absent("a search: the scenario has no capacity")
        makers: dict[str, Callable[[], Estimate]] = {
            "released": lambda: self.of_left().released(),
            "cold_start": lambda: cold_number(self.cold_starts(), first_audio=False),
            "cold_ttfa": lambda: cold_number(self.cold_starts(), first_audio=True),
        }
        if operation != self.header.operation or name not in makers:
            return None
        if subject.filters or subject.window is not None:
            return Absent(f"{subject.metric} without filters: it is a number of the whole run")
        return makers[name]()

    def cold_starts(self) -> list[ColdStart]:
        """The first answers after a time without work."""
        return cold_starts(self.warmup, self.table)

    def of_left(self) -> Left:
        """What tells of listeners who left."""
        return Left(self.table, self.left, self.store, self.load, self.in_flight_gauge)

    def _is_of_requests(self, name: str) -> bool:
        metric = self.catalogue.metrics.get(name)
        return metric is not None and metric.source == "requests"

    def ratio(self, top: Subject, below: Subject) -> Estimate:
        """One subject as a share of another."""
        return share_of(self.of(top), self.of(below), below)

    def _of_samples(self, subject: Subject, metric: Metric | None) -> Estimate:
        labels = {label: value for label, value in subject.filters if label != "phase"}
        name = labelled(subject.metric, labels)
        series = self.store.find(name)
        if series is None:
            return Absent(self._what_there_is(subject.metric, name))
        if series.nothing_here:
            return Absent(f"samples of {name}: {series.nothing_here}")
        phases = [value for label, value in subject.filters if label == "phase"]
        stretches = self.load.stretch(phases, subject.window)
        part = series.cut(stretches)
        held = series.held(stretches) if metric and metric.dimension is Dimension.STATE else None
        covers = series.speaks_for(stretches, self.min_coverage) if held else part.covers(self.min_coverage)
        estimate = _series_estimate(part, subject, held)
        if not covers and not len(part.values) and (came := self.store.page_came(series.source)) is not None:
            return Absent(f"samples of {name}: {_NO_PAGE[came]} ({series.source})")
        if series.doubt:
            sure = f"samples of {name} that are sure: {series.doubt}"
            return Unbounded(estimate.value, sure) if covers else Absent(sure)
        if not covers:
            return _of_a_part(part, subject, held, estimate)
        # Of a series that the engine knows a 0 means 0; what a suite picked from a page may be registered
        # there and never written.
        if metric is None and subject.stat != "count" and estimate.value == 0 and not series.values.any():
            return Unbounded(0.0, f"a series that moves: every sample of {name} in this run is 0")
        return estimate

    def _what_there_is(self, metric: str, name: str) -> str:
        """What would be needed of a series that nobody filled."""
        if name == metric:
            return f"a monitor that fills {metric}: add one under `monitors`"
        return f"samples of {name}: {self._others(metric)}"

    def _others(self, metric: str) -> str:
        """The series of a metric that there are."""
        others = [each for each in self.store.metrics if unlabelled(each)[0] == metric]
        return f"this run has {', '.join(others[:_MOST_SERIES])}" if others else f"no monitor fills {metric}"


def share_of(first: Estimate, second: Estimate, below: Subject) -> Estimate:
    """One estimate as a share of another, that of `below`; `Absent` where there is none."""
    missing = first.missing or second.missing
    if missing or first.value is None or second.value is None:
        return Absent(missing or "a value on both sides of the comparison")
    if second.value == 0 or not isfinite(second.value):
        return Absent(f"a finite {below.metric} other than 0 to compare with")
    return ratio_of(first, second)


def ratio_of(top: Estimate, below: Estimate) -> Estimate:
    """One estimate as a share of another, which is not 0; both have a value."""
    if isinstance(top, Between) or isinstance(below, Between):
        (low, seen, high), (least, seen_below, greatest) = ends(top), ends(below)
        wider = max((e for e in (top, below) if isinstance(e, Between)), key=lambda each: each.bound_s)
        return replace(
            wider,
            low=ratio_of(low, greatest),
            high=ratio_of(high, least),
            observed=ratio_of(seen, seen_below),
        )
    if isinstance(top, Mean) and isinstance(below, Mean) and below.value:
        return MeanRatio(top, below)
    share = (top.value or 0.0) / below.value if below.value else inf
    if top.exact and below.exact:
        return Exact(share, "a comparison of counts about this run")
    return Unbounded(share, "a ratio of means or of counts: no bound is computed for this one")


def _judged_subjects(each: Each) -> Iterator[Subject]:
    """What the body's comparisons judge, without what they compare it with."""
    body = each.body
    for part in body.parts if isinstance(body, Conjunction) else (body,):
        yield part.subject


def _of_a_part(part: Series, subject: Subject, held: Held | None, estimate: Estimate) -> Absent | Partial:
    """What samples with holes say of the whole: limits of its extremes, or nothing."""
    came = f"{len(part.values)} of {part.expected} ticks came from {part.source}"
    if held is not None:
        came += f", and of {human(held.unknown_s, 's')} nothing is known"
    missing = f"samples of {part.metric}: {came}"
    missing += f"; {part.crowded}" if part.crowded else ""
    value = estimate.value
    if value is None:
        return Absent(missing)
    limits = {"max": (value, inf), "count": (value, inf), "min": (-inf, value)}
    if held is not None:
        whole_s = held.known_s + held.unknown_s
        limits["mean"] = (held.on_s / whole_s, (held.on_s + held.unknown_s) / whole_s)
    if subject.stat not in limits:
        return Absent(missing)
    return Partial(value, *limits[subject.stat], missing, f"{SEEN}, whatever the missing ones were: {came}")


def _series_estimate(part: Series, subject: Subject, held: Held | None) -> Estimate:
    """Of the samples that there are, however many are missing; `held` is that of a state."""
    values, stat = part.values, subject.stat
    if held is not None and stat == "mean" and held.share is not None:
        return State(held, len(values))
    if not len(values):
        return Absent(f"a sample of {subject.metric}")
    if stat == "p" and subject.percentile is not None:
        return Percentile(values, subject.percentile, noun="samples")
    makers: dict[str | None, Callable[[], Estimate]] = {
        "mean": lambda: Mean(values, noun="samples"),
        "min": lambda: Exact(float(values.min()), SEEN),
        "max": lambda: Exact(float(values.max()), SEEN),
        "last": lambda: Exact(float(values[-1]), SEEN),
        "count": lambda: Exact(float(len(values)), SEEN),
        "growth": lambda: Growth(values),
        "slope": lambda: Unbounded(slope(part.times_s, values), "growth instead: a slope has no bound here"),
    }
    maker = makers.get(stat)
    estimate = maker() if maker else Absent(f"a statistic that {subject.metric} has, instead of {stat}")
    if estimate.value is None:
        return Absent(f"two samples of {subject.metric} that are above 0 and apart in time")
    return estimate
