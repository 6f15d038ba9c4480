"""What the levels of a run say together: computed once, at the end, from its records alone.

A level holds when each criterion of the search does, by observed values. It is *proven* to when each is, and
proven not to when one of them is. Every level is a look at the load that could prove something by chance:
each bound is so far away that all looks of a search together are wrong in 5 % of searches at most
(Bonferroni, by the most levels that a search of these settings can have, which does not depend on what it
sees). Of several criteria, each could wrongly prove that a level does not hold: their bounds share that, too.

A count ("none failed") is a fact about a level's own requests, and proves nothing of the next ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from genload.analysis.capacity.highest import HighestLevel
from genload.analysis.capacity.levels import Level, levels_of, unsound
from genload.analysis.capacity.limits import limited_by
from genload.analysis.capacity.search import Bracket, Outcome, Rules, Seen
from genload.analysis.capacity.words import needs_of, sentence_of
from genload.analysis.evidence.estimate import ALPHA, Absent, Estimate
from genload.analysis.judged import CriterionVerdict, Reason
from genload.analysis.judged.capacity import Capacity, End, LevelResult, Saturation
from genload.analysis.observe import Measures
from genload.analysis.summary import summary
from genload.runlog.records import Event, Interrupted, LevelEnded, SearchEnded
from genload.settings.capacity import Capacity as Search
from genload.settings.criteria.ast import Each
from genload.settings.criteria.comparisons import holds, of_phase
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.write import to_text
from genload.settings.scenario import Scenario
from genload.settings.suite import Validity

Judge = Callable[[str, Criterion, Measures], CriterionVerdict]

_BENT = 0.9
"""A throughput below this share of what users would make without a queue shows an end."""


def capacity_of(
    search: Search,
    scenario: Scenario,
    criteria: Mapping[str, Criterion],
    measures: Measures,
    events: Sequence[Event],
    limits: Validity,
    judged: Judge,
) -> Capacity:
    """What a search found.

    Args:
        criteria: those of the search by name, among others.
        judged: judges one criterion on measures.
    """
    rules = Rules.of(search)
    alpha = ALPHA / rules.most_looks
    times = levels_of(events, measures.load.timeline, measures.load.start_s)
    levels = [
        _judged_level(level, search, scenario, criteria, measures, events, limits, alpha, judged)
        for level in times
    ]
    if levels and not _is_finished(levels[-1], events):
        levels[-1] = msgspec.structs.replace(levels[-1], outcome="not finished", proven=False)
    seen = [Seen(one.value, one.outcome) for one in levels if one.outcome != "not finished"]
    bracket = Bracket.trusted(seen)
    proven = [one.value for one in levels if one.proven and one.outcome == "holds"]
    proven_not = [one.value for one in levels if one.proven and one.outcome == "does not hold"]
    found = Capacity(
        of=search.of,
        unit="count" if search.is_whole else "1/s",
        end=_end(rules, seen, bracket, events),
        holds=list(search.holds),
        lowest=search.lowest,
        highest=search.highest,
        highest_observed=bracket.holds,
        lowest_observed_not=bracket.fails,
        highest_proven=max(proven, default=None),
        lowest_proven_not=min(proven_not, default=None),
        contradictions=list(bracket.contradictions),
        looks=rules.most_looks,
        sentence="",
        needs=[],
        limited_by=[],
        levels=levels,
        saturation=_saturation(levels) if search.is_whole else None,
    )
    found.limited_by = limited_by(found, {level.number: level for level in times}, measures)
    found.needs = needs_of(found)
    found.sentence = sentence_of(found, measures.header.operation)
    return found


def as_estimate(found: Capacity) -> Estimate:
    """What a criterion on the capacity judges."""
    if found.end == "not even one":
        value: float | None = 0.0
    else:
        value = found.highest_observed
    if value is None:
        why = (
            "a level that is measured soundly" if found.end == "invalid" else "a search that comes to an end"
        )
        return Absent(why)
    return HighestLevel(
        value=value,
        proven=found.highest_proven,
        proven_not=found.lowest_proven_not,
        step=1.0 if found.of == "users" else 0.0,
        more="; ".join(found.needs) or "a level nearer to it",
    )


def level_reason(found: Capacity) -> Reason:
    """Why a search that could not measure a level is no measurement of the service."""
    level = next((one for one in reversed(found.levels) if one.outcome == "invalid"), None)
    if level is None or not level.reasons:
        return Reason(
            code="level",
            text="a level could not be measured soundly while the load ran",
            remedy="see the levels' own words in events.jsonl (level_ended), and run again",
        )
    first = level.reasons[0]
    return Reason(
        code="level", text=f"level {level.level} was not measured soundly: {first.text}", remedy=first.remedy
    )


def _judged_level(
    level: Level,
    search: Search,
    scenario: Scenario,
    criteria: Mapping[str, Criterion],
    measures: Measures,
    events: Sequence[Event],
    limits: Validity,
    alpha: float,
    judged: Judge,
) -> LevelResult:
    table = measures.table
    rows = table.where("phase", level.phase)
    own = summary(table, rows, level.start_s, level.end_s)
    # Whatever began before and was completed in its time is throughput, too.
    everything = summary(table, np.ones(len(table), dtype=np.bool_), level.start_s, level.end_s)
    reasons = unsound(
        level,
        events,
        measures.load.start_s,
        limits,
        scenario,
        table=table,
        median_s=own.p50_duration,
    )
    verdicts = [
        judged(name, _said_of(criteria[name], level.phase), replace(measures, alpha=alpha))
        for name in search.holds
    ]
    outcome, missing = _outcome(verdicts, reasons)
    if outcome == "does not hold" and len(verdicts) > 1:
        shared = replace(measures, alpha=alpha / len(verdicts))
        verdicts = [
            judged(one.name, _said_of(criteria[one.name], level.phase), shared)
            if one.result == "fail"
            else one
            for one in verdicts
        ]
    return LevelResult(
        level=level.number,
        value=level.value,
        outcome=outcome,
        proven=_is_proven(outcome, verdicts),
        measured_seconds=level.end_s - level.start_s,
        total_requests=own.total_requests,
        failed_requests=own.failed_requests,
        error_rate=own.error_rate,
        throughput_per_minute=everything.throughput_per_minute,
        p50_duration=own.p50_duration,
        p95_duration=own.p95_duration,
        criteria=verdicts,
        reasons=[*reasons, *missing],
    )


def _said_of(criterion: Criterion, phase: str) -> Criterion:
    expression = criterion.expression
    assert not isinstance(expression, Each)  # noqa: S101  no suite with one is run
    return Criterion(holds=to_text(of_phase(expression, phase)), must=criterion.must)


def _outcome(
    verdicts: Sequence[CriterionVerdict], reasons: Sequence[Reason]
) -> tuple[Outcome, Sequence[Reason]]:
    """By observed values; what has none makes a level invalid."""
    if reasons:
        return "invalid", []
    results = [_observed(verdict) for verdict in verdicts]
    if False in results:
        return "does not hold", []
    if None not in results:
        return "holds", []
    lacking = [one for one, result in zip(verdicts, results, strict=True) if result is None]
    text = "; ".join(f"{one.name} has nothing to be judged by: {one.needs or 'data'}" for one in lacking)
    return "invalid", [
        Reason(code="no_data", text=text, remedy="measure for longer, or let another criterion hold")
    ]


def _observed(verdict: CriterionVerdict) -> bool | None:
    """Whether a criterion holds; of a number that polls leave open, by its observed value."""
    if verdict.result != "inconclusive":
        return verdict.result == "pass"
    if verdict.value is None or verdict.op is None or verdict.threshold is None:
        return None
    if verdict.low is None and verdict.high is None:
        return None
    return holds(verdict.op, verdict.value, verdict.threshold)


def _is_proven(outcome: Outcome, verdicts: Sequence[CriterionVerdict]) -> bool:
    sure = [one for one in verdicts if one.evidence == "proven"]
    if outcome == "holds":
        return all(one.evidence == "proven" for one in verdicts)
    return outcome == "does not hold" and any(one.result == "fail" for one in sure)


def _is_finished(level: LevelResult, events: Sequence[Event]) -> bool:
    return any(isinstance(event, LevelEnded) and event.level == level.level for event in events)


def _end(rules: Rules, seen: Sequence[Seen], bracket: Bracket, events: Sequence[Event]) -> End:
    """Why the search ended, by what is judged now: criteria may be others than those it went by."""
    if any(isinstance(event, Interrupted) for event in events):
        return "interrupted"
    ended = next((event.end for event in events if isinstance(event, SearchEnded)), None)
    if ended is None:
        return "broken off"
    if ended == "invalid" or not (bracket.holds or bracket.fails):
        return "invalid"
    if bracket.contradictions:
        return "not monotone"
    if bracket.holds is None:
        return "not even one"
    if bracket.fails is None:
        return "beyond the range"
    return "found"


def _saturation(levels: Sequence[LevelResult]) -> Saturation | None:
    """By the levels with fewest users, and the highest throughput of all."""
    sound = [one for one in levels if one.throughput_per_minute and one.outcome in ("holds", "does not hold")]
    if not sound:
        return None
    fewest = min(one.value for one in sound)
    rate = max(one.throughput_per_minute or 0.0 for one in sound if one.value == fewest) / 60
    cycle_s, most = fewest / rate, max(one.throughput_per_minute or 0.0 for one in sound) / 60
    bent = any((one.throughput_per_minute or 0.0) / 60 < _BENT * one.value / cycle_s for one in sound)
    return Saturation(cycle_seconds=cycle_s, slots=most * cycle_s if bent else None)
