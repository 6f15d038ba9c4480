"""The numbers of speech that reports show: of all requests, of each phase, voice, length class and cache
answer.

Every one is what a criterion on it would observe: they come the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from genload.analysis.carried import Inspection, carried, carries, inspection
from genload.analysis.evidence.estimate import Estimate
from genload.analysis.evidence.slope import Slope
from genload.analysis.judged.speech import Bursts, Gaps, PerCharacter, Playback, SpeechNumbers, SpeechSummary
from genload.analysis.observe import Measures
from genload.analysis.table import RequestTable
from genload.analysis.words import whose_words
from genload.artifacts.audio.playback import gap_percentile_s
from genload.settings.criteria.ast import Subject

LABELS_FIRST = ("phase", "voice", "length", "text", "cache")
"""In this order; what other labels there are follow."""

Filters = tuple[tuple[str, str], ...]


def is_speech(measures: Measures) -> bool:
    """Whether the run's service declared that its outputs are listened to."""
    return f"{measures.header.operation}.ttfa" in measures.catalogue.metrics


def speech_summary(measures: Measures, gaps: Mapping[int, int]) -> SpeechSummary:
    """Everything that reports show of it; `gaps` are the pauses of all answers by their class."""
    return _Speech(measures).summary(gaps)


@dataclass(frozen=True)
class _Speech:
    measures: Measures

    def summary(self, gaps: Mapping[int, int]) -> SpeechSummary:
        table, load = self.measures.table, self.measures.load
        everything = np.ones(len(table), dtype=np.bool_)
        seen = inspection(table, everything)
        audio = self._value("audio_throughput")
        missing: dict[str, str] = {}
        return SpeechSummary(
            overall=self._numbers(()),
            strata=self._strata(),
            answers=int((seen.answered | seen.unreadable).sum()),
            audio_seconds=None if audio is None else audio * load.duration_s,
            audio_per_second=audio,
            per_character=self._per_character(missing),
            gaps=_gaps(gaps, missing),
            playback=self._playback(missing),
            missing=missing | _not_inspected(seen) | self._unheard(),
            words=whose_words(table),
            bursts=_bursts(table),
        )

    def _estimate(
        self, name: str, filters: Filters = (), stat: str | None = None, level: float = 0.0
    ) -> Estimate:
        metric = f"{self.measures.header.operation}.{name}"
        return self.measures.of(Subject(metric, stat, level or None, filters))

    def _value(
        self, name: str, filters: Filters = (), stat: str | None = None, level: float = 0.0
    ) -> float | None:
        return self._estimate(name, filters, stat, level).value

    def _strata(self) -> dict[str, dict[str, SpeechNumbers]]:
        measures = self.measures
        known = dict.fromkeys((*LABELS_FIRST, *measures.header.labels, *measures.table.labels))
        strata = {label: self._values(label) for label in known}
        return {
            label: {value: self._numbers(((label, value),)) for value in values}
            for label, values in strata.items()
            if values
        }

    def _values(self, label: str) -> tuple[str, ...]:
        """A label's values, planned or met. Where no text is said again on purpose, no cache is expected to
        answer: what its label could be and never was is no finding.
        """
        if label == "cache" and "repeat" not in self.measures.header.labels.get("text", ()):
            return self.measures.table.values_of(label)
        return self.measures.strata(label)

    def _numbers(self, filters: Filters) -> SpeechNumbers:
        table = self.measures.table
        rows = np.ones(len(table), dtype=np.bool_)
        for label, value in filters:
            rows &= table.where(label, value)
        seen = inspection(table, rows)
        streamed = table.column("streamed")
        attempted, failed = int(rows.sum()), int((rows & ~table.ok).sum())
        return SpeechNumbers(
            total_requests=attempted,
            failed_requests=failed,
            error_rate=100 * failed / attempted if attempted else None,
            p50_ttfa=self._value("ttfa", filters, "p", 50.0),
            p95_ttfa=self._value("ttfa", filters, "p", 95.0),
            p50_duration=self._value("duration", filters, "p", 50.0),
            p95_duration=self._value("duration", filters, "p", 95.0),
            avg_rtf=self._value("rtf", filters, "mean"),
            streamed_requests=0 if streamed is None else int((rows & table.ok & (streamed == 1)).sum()),
            stalls_per_stream=self._value("stalls", filters, "mean"),
            inspected_requests=int(seen.inspected.sum()),
            valid_rate=_percent(self._value("valid_rate", filters)),
            cannot_inspect_requests=int(seen.unreadable.sum()),
            heard_requests=int((rows & carries(table, "own_words")).sum()),
            own_words_rate=_percent(self._value("own_words", filters)),
        )

    def _unheard(self) -> dict[str, str]:
        """Why no words are judged, where texts have codes."""
        table = self.measures.table
        if table.said is None or carries(table, "own_words").any():
            return {}
        return {"words": f"not judged: it needs {table.unheard}"}

    def _per_character(self, missing: dict[str, str]) -> PerCharacter | None:
        slope = self._estimate("per_character")
        interval = slope.interval() if isinstance(slope, Slope) else None
        if not isinstance(slope, Slope) or interval is None or slope.value is None:
            missing["per_character"] = f"no line to draw: it needs {slope.missing}"
            return None
        return PerCharacter(requests=len(slope.x), slope=slope.value, low=interval[0], high=interval[1])

    def _playback(self, missing: dict[str, str]) -> Playback | None:
        """Of those streams whose playback is known; with `validate: sample` these may be a part of them."""
        table = self.measures.table
        streamed = table.column("streamed")
        if streamed is None or not (table.ok & (streamed == 1)).any():
            missing["playback"] = (
                "not applicable: no answer was streamed, and a whole one has no playback to stall"
            )
            return None
        streams = table.ok & (streamed == 1)
        metrics, operation = self.measures.catalogue.metrics, self.measures.header.operation
        underrun = carried(table, streams, metrics[f"{operation}.underrun"])
        stalls = carried(table, streams, metrics[f"{operation}.stalls"])
        there = underrun.there & stalls.there
        if not there.any():
            missing["playback"] = "unknown: of no streamed answer is it known how much audio had come when"
            return None
        waits_s = underrun.values[there]
        within = [100 * float((waits_s <= limit_s).mean()) for limit_s in (0.05, 0.1, 0.2)]
        return Playback(
            streams=int(there.sum()),
            stalls_per_stream=float(stalls.values[there].mean()),
            longest_underrun=float(waits_s.max()),
            underrun_within_50ms=within[0],
            underrun_within_100ms=within[1],
            underrun_within_200ms=within[2],
        )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _bursts(table: RequestTable) -> Bursts | None:
    as_made = table.column("sent_as_made")
    told = int(carries(table, "sent_as_made").sum())
    if as_made is None or not told:
        return None
    bursts = int((as_made == 0).sum())
    return Bursts(answers=told, in_one_burst=bursts, in_one_burst_rate=100 * bursts / told)


def _gaps(gaps: Mapping[int, int], missing: dict[str, str]) -> Gaps | None:
    p50, p95, p99 = (gap_percentile_s(gaps, level) for level in (50, 95, 99))
    if p50 is None or p95 is None or p99 is None:
        missing["gaps"] = "none: every answer came in one piece"
        return None
    return Gaps(count=sum(gaps.values()), p50=p50, p95=p95, p99=p99)


def _not_inspected(seen: Inspection) -> dict[str, str]:
    if seen.inspected.any():
        return {}
    if seen.unreadable.any():
        return {"inspection": f"none: {int(seen.unreadable.sum()):,} answers cannot be inspected here"}
    return {"inspection": f"none: no answer {'was inspected' if seen.answered.any() else 'came'}"}
