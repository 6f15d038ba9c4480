"""The statistics of requests: which of them a subject selects, and the estimate they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

import numpy as np

from genload.analysis.carried import Carried, carried, inspection
from genload.analysis.evidence.between import Between
from genload.analysis.evidence.busy import BusyMean, BusyPercentile, Luck
from genload.analysis.evidence.chance import Chance
from genload.analysis.evidence.estimate import (
    ALPHA,
    Absent,
    BoolArray,
    Estimate,
    Exact,
    FloatArray,
    Nothing,
    Unbounded,
)
from genload.analysis.evidence.means import Mean
from genload.analysis.evidence.percentiles import Percentile
from genload.analysis.evidence.rates import Rate, Spread
from genload.analysis.evidence.sampled import SampledPercentile
from genload.analysis.evidence.series import Throughput
from genload.analysis.evidence.slope import Slope
from genload.analysis.in_flight import InFlight
from genload.analysis.judged import MOSTLY
from genload.analysis.load import Load
from genload.analysis.polled import bounds
from genload.analysis.retries import own_share
from genload.analysis.table import RequestTable
from genload.analysis.tallies import completed_within, rejections, tallied
from genload.human import human
from genload.runlog.records import WAITED_OUT
from genload.settings.criteria.ast import Subject
from genload.settings.goodput import Limit
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.metric import Metric, Of, Tally

_WHOLE = "validate: all: only a sample of the answers was inspected"
_ALL_HEARD = "validate.words: 100%: only a sample of the answers was listened to"
_NOUNS = {Tally.FAILED: "failures", Tally.COMPLETED: "successes"}
_CARRIED = {
    Of.ALL: "that tells it",
    Of.STREAMED: "whose answer was streamed",
    Of.INSPECTED: "whose output was inspected",
    Of.HEARD: "that was listened to",
}


@dataclass(frozen=True)
class RequestStatistics:
    """The statistics of the requests that one subject selects."""

    catalogue: Catalogue
    table: RequestTable
    load: Load
    subject: Subject
    left: RequestTable  # those whose listeners left: in no statistic but their count and what was in flight
    limits: Mapping[str, Limit] = field(default_factory=dict)  # of a good request
    alpha: float = ALPHA  # how often a bound may be wrong
    observed_only: bool = False  # without what polls leave open
    chance: Chance | None = None  # in the schedule of an open load

    def estimate(self) -> Estimate:
        """The subject's estimate; `Absent` with the reason where there is nothing to judge."""
        metric = self.catalogue.metrics[self.subject.metric]
        if metric.is_series:
            return self._in_flight()
        return self._number(metric) if self.subject.stat is None else self._statistic(metric)

    def rows(self) -> BoolArray:
        """The requests of the subject's filters and window."""
        return self._rows_of(self.table)

    def _rows_of(self, table: RequestTable) -> BoolArray:
        rows = np.ones(len(table), dtype=np.bool_)
        for label, value in self.subject.filters:
            rows &= table.where(label, value)
        if self.subject.window is not None:
            begin, end = self.load.part(self.subject.window)
            rows &= (table.start_s >= begin) & (table.start_s < end)
        return rows

    def _number(self, metric: Metric) -> Estimate:
        rows = self.rows()
        if metric.counts is Tally.TRUE:
            return self._share_carried(metric, rows)
        if metric.counts is Tally.LEFT:
            return Exact(float(self._rows_of(self.left).sum()))
        if metric.counts is not None:
            return self._tallied(metric.counts, metric.per, rows)
        makers: dict[str, Callable[[], Estimate]] = {
            "per_character": lambda: self._per_character(rows),
            "audio_per_character": lambda: self._audio_per_character(rows),
            "throughput": self._throughput,
            "goodput": lambda: self._goodput(rows),
            "goodput_throughput": self._goodput_throughput,
            "audio_throughput": self._audio_throughput,
        }
        if metric.short not in makers:
            return Absent(f"a statistic of {metric.name}, such as mean or p95")
        return makers[metric.short]()

    def _tallied(self, counts: Tally, per: Tally | None, rows: BoolArray) -> Estimate:
        if not rows.any() and (per is not None or not counts.is_0_of_none):
            return self._nothing("attempted")
        if counts is Tally.REFUSALS:
            return Exact(rejections(self.table, rows))
        if counts is Tally.INVALID:
            return self._invalid(rows)
        which = tallied(self.table, counts)
        if per is None:
            return Exact(float((rows & which).sum()))
        among = rows & tallied(self.table, per)
        return Rate(Spread(which[among], alpha=self.alpha), _NOUNS[counts])

    def _invalid(self, rows: BoolArray) -> Estimate:
        """Broken outputs among those that were inspected: where none was, that is not 0 but unknown."""
        seen = inspection(self.table, rows)
        if not seen.inspected.any():
            return self._nothing(_CARRIED[Of.INSPECTED])
        broken = float((seen.inspected & ~seen.valid).sum())
        return Unbounded(broken, _WHOLE) if seen.is_sample else Exact(broken)

    def _share_carried(self, metric: Metric, rows: BoolArray) -> Estimate:
        column = self.table.column(metric.key)
        among = rows & ~np.isnan(column) if column is not None else np.zeros_like(rows)
        if column is None or not among.any():
            return self._unheard() if metric.of is Of.HEARD else self._nothing(_CARRIED[metric.of])
        words = inspection(self.table, rows).words if metric.of is Of.INSPECTED else ""
        if metric.of is Of.HEARD:
            words = self._heard_of(among, rows)
        if metric.per is None:
            count = float((column[among] == 1).sum())
            return Unbounded(count, _ALL_HEARD) if words else Exact(count)
        return Rate(Spread(column[among] == 1, alpha=self.alpha), metric.events, sampled=words)

    def _heard_of(self, heard: BoolArray, rows: BoolArray) -> str:
        """What an assumption says where not all answers were listened to; "" where they were."""
        answered = int((rows & self.table.ok).sum())
        some = int(heard.sum())
        return f"; from a random sample: {some:,} of {answered:,} were listened to" if some < answered else ""

    def _unheard(self) -> Absent:
        """Why nothing is known of any answer's words."""
        return Absent(self.table.unheard) if self.table.unheard else self._nothing(_CARRIED[Of.HEARD])

    def _nothing(self, what: str) -> Nothing:
        chosen = [f"{label}={value}" for label, value in self.subject.filters]
        window = self.subject.window
        chosen += [f"{window.side}({window.length.text})"] if window else []
        return Nothing(f"at least one request {what}" + (f" in {', '.join(chosen)}" if chosen else ""))

    def _throughput(self) -> Estimate:
        """Completions inside the time that phase and window name ÷ its length, whenever they were started."""
        stretch = self._stretch()
        if stretch is None:
            return self._nothing("completed")
        return Throughput(self.table.end_s[self._completed(*stretch)], *stretch)

    def _goodput(self, rows: BoolArray) -> Estimate:
        """The share of the attempts that ended well and within all limits."""
        if not rows.any():
            return self._nothing("attempted")
        return self._of_good(lambda good: Rate(Spread(good[rows], alpha=self.alpha), "served requests"))

    def _goodput_throughput(self) -> Estimate:
        """The same of completions inside the time that phase and window name, ÷ its length."""
        stretch = self._stretch()
        if stretch is None:
            return self._nothing("completed")
        completed = self._completed(*stretch)
        return self._of_good(lambda good: Throughput(self.table.end_s[completed & good], *stretch))

    def _of_good(self, of: Callable[[BoolArray], Estimate]) -> Estimate:
        """Something of the good requests; where polls leave times open, of the fewest and the most."""
        metrics = {name: self._other(name) for name in self.limits}
        if not metrics:
            return Absent("limits of a good request: goodput in the suite")
        for metric in metrics.values():
            number = carried(self.table, self.rows(), metric)
            if number.missing or number.sample is not None:
                return Absent(number.missing or _WHOLE)
        observed, *ends = (self._good(metrics, which) for which in (None, 0, 1))
        fewest, most = ends[0] & ends[1], ends[0] | ends[1]
        if (most == fewest).all():
            return of(observed)
        open_s = self.table.column("poll_bound_s")
        widths = np.zeros(0) if open_s is None else open_s[self.rows() & ~np.isnan(open_s)]
        bound_s = float(widths.mean()) if len(widths) else 0.0
        return Between(of(fewest), of(most), of(observed), bound_s=bound_s)

    def _good(self, metrics: Mapping[str, Metric], end: int | None) -> BoolArray:
        """Successes within all limits: by what was observed, or by one end of what polls leave open."""
        good = self.table.ok.copy()
        for name, metric in metrics.items():
            column, limits = self.table.column(metric.key), bounds(self.table, metric.key)
            values = np.full(len(self.table), np.nan) if column is None else column
            if end is not None and limits is not None:
                values = limits[end]
            good &= self.limits[name].kept_by(values)
        return good

    def _audio_throughput(self) -> Estimate:
        """Seconds of audio that these completions brought ÷ the length of the time."""
        stretch = self._stretch()
        if stretch is None:
            return self._nothing("completed, with an audio_duration")
        completed = self._completed(*stretch)
        audio = carried(self.table, completed, self._other("audio_duration"))
        if audio.missing or not audio.there.any():
            return (
                Absent(audio.missing) if audio.missing else self._nothing("completed, with an audio_duration")
            )
        # Those without one count like the mean of the others: few lack it, or it is a random sample.
        weights = audio.values[audio.there] * (completed.sum() / audio.there.sum())
        return Throughput(self.table.end_s[audio.there], *stretch, weights=weights, sampled=audio.sampled)

    def _in_flight(self) -> Estimate:
        stretches, labels = self._stretches(), self._of_its_labels()
        those = [(table, labels._rows_of(table)) for table in (self.table, self.left)]
        if not stretches or not any(rows.any() for _, rows in those):
            return self._nothing("attempted")
        return InFlight.of(those, stretches).estimate(self.subject)

    def _stretches(self) -> list[tuple[float, float]]:
        """The time that phases and window name."""
        phases = [value for label, value in self.subject.filters if label == "phase"]
        return self.load.stretch(phases, self.subject.window)

    def _stretch(self) -> tuple[float, float] | None:
        """The time that phase and window name; None where nothing of these labels was started at all."""
        stretches = self._stretches()
        if not stretches or not self._whenever().any():
            return None
        begin, end = stretches[0][0], stretches[-1][1]
        return (begin, end) if end > begin else None

    def _whenever(self) -> BoolArray:
        """The requests of the subject's labels, in whatever phase and window."""
        return self._of_its_labels().rows()

    def _of_its_labels(self) -> RequestStatistics:
        # The phase of a request is where it began; a completion belongs to the time in which it came.
        labels = tuple((label, value) for label, value in self.subject.filters if label != "phase")
        return replace(self, subject=Subject(self.subject.metric, filters=labels))

    def _completed(self, begin_s: float, end_s: float) -> BoolArray:
        return completed_within(self.table, self._whenever(), begin_s, end_s)

    def _per_character(self, rows: BoolArray) -> Estimate:
        table = self.table
        lengths = carried(table, rows, self._other("characters"))
        pairs = lengths.there & table.ok
        if not pairs.any():
            return self._nothing("completed, with characters")
        return Slope(lengths.values[pairs], table.duration_s[pairs], left_out=int((rows & ~table.ok).sum()))

    def _audio_per_character(self, rows: BoolArray) -> Estimate:
        lengths = carried(self.table, rows, self._other("characters"))
        audio = carried(self.table, rows, self._other("audio_duration"))
        if audio.missing:
            return Absent(audio.missing)
        pairs = audio.there & lengths.there & (lengths.values > 0)
        if not pairs.any():
            return self._nothing("completed, with characters and an audio_duration")
        with np.errstate(divide="ignore", invalid="ignore"):
            each = audio.values / lengths.values
        return self._of_values(replace(audio, values=each, there=pairs), "audio_per_character", "mean")

    def _other(self, short: str) -> Metric:
        """Another metric of the same operation."""
        return self.catalogue.metrics[self.subject.metric.partition(".")[0] + f".{short}"]

    def _statistic(self, metric: Metric) -> Estimate:
        rows, stat = self.rows(), self.subject.stat
        if self.subject.ok_only:
            rows &= self.table.ok
        number = carried(self.table, rows, metric)
        if number.missing:
            return Absent(number.missing)
        # Of nothing but failures every percentile is infinite.
        last = stat == "p" and number.ranked_last.any() and not (rows & self.table.ok).any()
        if not number.there.any() and metric.of is Of.HEARD:
            return self._unheard()
        if not number.there.any() and not last:
            return Exact(0.0) if stat == "count" else self._nothing(f"completed, with a {metric.short}")
        return self._of_polled(number, metric, str(stat), rows)

    def _of_polled(self, number: Carried, metric: Metric, stat: str, rows: BoolArray) -> Estimate:
        """The statistic; where polls leave open what the number is, that of its least and greatest values."""

        def of(values: FloatArray) -> Estimate:
            those = replace(number, values=values)
            return (
                self._percentile(those, rows, metric.short)
                if stat == "p"
                else self._of_values(those, metric.short, stat)
            )

        observed = of(number.values)
        if stat == "count" or self.observed_only or (limits := bounds(self.table, metric.key)) is None:
            return observed
        low, high = (of(values) for values in limits)
        if low.value == high.value:
            return observed
        widths = (limits[1] - limits[0])[number.there]
        refused = self.table.column(f"{WAITED_OUT}poll")
        return Between(
            low,
            high,
            observed,
            bound_s=float(widths.mean()) if len(widths) else 0.0,
            refused=refused is not None and bool(np.nansum(refused[rows])),
        )

    def _of_values(self, number: Carried, name: str, stat: str) -> Estimate:
        values, about = number.values[number.there], "about this run's successes"

        def extreme(value: float) -> Estimate:
            return Unbounded(value, _WHOLE) if number.sample else Exact(value, about)

        makers: dict[str, Callable[[], Estimate]] = {
            "mean": lambda: self._mean(values, number, name),
            "min": lambda: extreme(float(values.min())),
            "max": lambda: extreme(float(values.max())),
            "count": lambda: Exact(float(len(values)), about),
        }
        return makers[stat]() if stat in makers else Absent(f"a statistic that {name} has, instead of {stat}")

    def _mean(self, values: FloatArray, number: Carried, name: str) -> Mean:
        left_out, sampled = int(number.ranked_last.sum()), number.sampled + self._own_pauses(name)
        if self._is_open:
            spells = self.table.spells[number.there]
            return BusyMean(values, left_out=left_out, sampled=sampled, alpha=self.alpha, spells=spells)
        return Mean(values, left_out=left_out, sampled=sampled, alpha=self.alpha)

    @property
    def _is_open(self) -> bool:
        """Whether its callers came on a schedule: then they queue, and evidence is that of busy spells."""
        return self.load.timeline.arrivals is not None

    def _own_pauses(self, name: str) -> str:
        """What an assumption says of a mean duration that is mostly genload's own pauses."""
        share = own_share(self.table, self.rows()) if name == "duration" else None
        if share is None or share < MOSTLY:
            return ""
        return f"; {human(share, 'ratio')} of it are genload's own pauses after refusals"

    def _luck(self, chosen: BoolArray) -> Luck | None:
        """What chance did to these, where they are all that came in a phase: other schedules do not tell when
        those would have come that have a label, succeed, or are in a window."""
        subject = self.subject
        some = subject.window is not None or subject.ok_only
        if self.chance is None or some or any(label != "phase" for label, _ in subject.filters):
            return None
        return partial(self.chance.luck, np.flatnonzero(chosen))

    def _percentile(self, number: Carried, rows: BoolArray, name: str) -> Estimate:
        level = 50.0 if self.subject.percentile is None else self.subject.percentile
        last = number.ranked_last
        values = np.where(last, inf, number.values)
        chosen = number.there | last
        spells = self.table.spells if self._is_open else None
        if number.sample is None or not last.any():
            if spells is None:
                return Percentile(values[chosen], level, sampled=number.sampled, alpha=self.alpha)
            own, luck = spells[chosen], self._luck(chosen) if name == "duration" else None
            return BusyPercentile(
                values[chosen], level, sampled=number.sampled, alpha=self.alpha, spells=own, luck=luck
            )
        inspected = chosen & number.sample.inspected
        # In the population: every attempt; the order of the columns is that of their start.
        return SampledPercentile(
            values[rows],
            inspected[rows],
            (last & ~inspected)[rows],
            level,
            sampled=number.sampled,
            spells=None if spells is None else spells[rows],
            alpha=self.alpha,
        )
