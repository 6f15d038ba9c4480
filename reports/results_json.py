"""``results_<scenario>.json``: the specification's flat fields, and everything else that is known of a run.

The document is `Results`; its JSON schema, config/schema/results.schema.json, is generated from it
(``python reports/results_json.py > config/schema/results.schema.json``). Durations are seconds and rates
percent, as in the specification's example; quantities under `verdict` and `series` are in the base unit that
stands beside them. What is unknown or infinite is null.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from genload.analysis.contract import FamilyFinding
from genload.analysis.judged import (
    ClientSummary,
    ErrorGroup,
    JudgedRun,
    JudgedSuite,
    PhaseSummary,
    Retries,
    SeriesSummary,
    ShortestDurations,
    StageSummary,
    StageTimes,
    Summary,
    Verdict,
)
from genload.analysis.judged.efficiency import Efficiency
from genload.analysis.judged.speech import SpeechSummary
from genload.analysis.judged.trends import Trends
from genload.analysis.monitors import MonitorSummary
from genload.analysis.reconciliation import Comparison
from genload.errors import ExitCode
from genload.reporting import write_text
from genload.reporting.wording import moment, rehearsal_note, utc

FORMAT = 1
_VALIDATION = {"pass": True, "fail": False, "inconclusive": None}


@dataclass(frozen=True, kw_only=True)
class Head:
    """What comes first in the file."""

    rehearsal_note: str | UnsetType = UNSET
    """Only there for a scaled or forced run, and then the first key: the times in it are not real."""
    scenario: str
    identity: dict[str, str] | UnsetType = UNSET
    """What was tested, where the suite or a monitor says it: model, image, GPU, driver."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """When: UTC, ISO 8601."""

    start_time: str
    end_time: str
    duration_seconds: float


@dataclass(frozen=True, kw_only=True)
class Flat:
    """The numbers of one population of requests, under the specification's names."""

    total_requests: int
    successful_requests: int
    failed_requests: int
    success_rate: float | None
    error_rate: float | None
    avg_duration: float | None
    min_duration: float | None
    max_duration: float | None
    p50_duration: float | None
    p95_duration: float | None
    p99_duration: float | None
    throughput_per_minute: float | None


@dataclass(frozen=True, kw_only=True)
class More:
    """What the specification does not count, but a reader of long jobs needs."""

    unfinished_requests: int
    drained_requests: int
    rejections: int
    p95_of_successes: float | None
    shortest: ShortestDurations | UnsetType = UNSET
    """Where polls leave durations open: the same, had every job ended as early as they allow."""


@dataclass(frozen=True, kw_only=True)
class Phase(More, Flat, Span):
    """One phase: the requests that were to start in it."""

    target_users: int


@dataclass(frozen=True, kw_only=True)
class Warmup(More, Flat):
    """Requests before the load, in no other number."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Seconds spent in one stage by the requests that completed."""

    count: int
    mean: float | None
    p50: float | None
    p95: float | None
    max: float | None
    shortest: StageTimes | UnsetType = UNSET
    longest: StageTimes | UnsetType = UNSET
    """Where polls leave the stage open: what they allow it to have been."""


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """One metric of a sustained run from beginning to end."""

    unit: str
    initial: float | None
    final: float | None
    max: float | None
    growth_percent: float | None


@dataclass(frozen=True, kw_only=True)
class Downtime:
    """From the first health probe that failed to the next that did not; null when none came in the load.
    `served`: requests that were begun and succeeded in it, so that only the probe had no answer."""

    start_time: str
    end_time: str | None
    served: int


@dataclass(frozen=True, kw_only=True)
class Uptime:
    """The service by its health probe: percent of the time, of how many seconds nothing is known, and when it
    was down."""

    percent: float
    unknown_seconds: float
    down: list[Downtime]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The suite as it was asked for, and as it was run (scaled); secrets stay references."""

    requested: dict[str, Any]
    effective: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Tail:
    """Everything after the numbers."""

    errors: dict[str, int]
    """How many requests failed, by error class."""
    validation: dict[str, bool | None]
    """By criterion: true, false, or null when inconclusive; `overall` is true for exit code 0 only."""
    verdict: Verdict
    phases: dict[str, Phase]
    stages: dict[str, Stage]
    speech: SpeechSummary | UnsetType = UNSET
    """Speech only: by voice, length and other labels, against text length, and how playback went."""
    error_details: list[ErrorGroup]
    retries: Retries | UnsetType = UNSET
    """Where something was tried again: refusals waited out, by call; polls without an answer."""
    warmup: Warmup
    degradation_analysis: dict[str, float | None] | UnsetType = UNSET
    """Sustained load only: its first against its last part."""
    system_monitoring: dict[str, Monitored] | UnsetType = UNSET
    """Sustained load only: how each machine metric went."""
    trends: Trends | UnsetType = UNSET
    """Where memory was watched, or the load became slower: levels, growth, and what coincides with them."""
    efficiency: Efficiency | UnsetType = UNSET
    """Of a watched or priced GPU: energy, GPU time and money an output; what is unknown is not there."""
    series: list[SeriesSummary]
    monitors: list[MonitorSummary]
    """How each monitor itself did: ticks owed and come, and what went wrong."""
    uptime: Uptime | UnsetType = UNSET
    """Where a monitor probes the service."""
    contract: list[FamilyFinding] | UnsetType = UNSET
    """Where the suite expects metric families: what became of each."""
    reconciliation: list[Comparison] | UnsetType = UNSET
    """Where the suite maps counts of the service: the client's against them."""
    client: ClientSummary
    notices: list[str]
    interrupted: str | None
    suite: str
    purpose: str
    operation: str
    seed: int
    strict: bool
    time_scale: float
    rehearsal: bool
    failure_pause_seconds: float
    settings: Settings
    versions: dict[str, str]
    format: int


@dataclass(frozen=True, kw_only=True)
class Results(Tail, More, Flat, Span, Head):
    """One scenario's results."""


def render(suite: JudgedSuite, folder: Path) -> list[Path]:
    """Write one file a scenario."""
    return [write_text(folder / file_name(run.scenario), encode(results(run))) for run in suite.runs]


def file_name(scenario: str) -> str:
    """The file of a scenario, whose name comes from a suite and so may hold anything."""
    return f"results_{re.sub(r'[^A-Za-z0-9_.-]', '_', scenario)}.json"


def encode(document: Results) -> str:
    """Indented JSON; msgspec writes NaN and infinity, which JSON does not have, as null."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of `Results`, draft 2020-12."""
    generated = msgspec.json.schema(Results)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "genload results",
        **generated,
    }


def results(run: JudgedRun) -> Results:
    """The document of one judged run."""
    sustained = run.degradation is not None
    return Results(
        rehearsal_note=rehearsal_note(run) or UNSET,
        scenario=run.scenario,
        identity=run.identity or UNSET,
        start_time=utc(run.start_time),
        end_time=utc(run.end_time),
        duration_seconds=run.duration_s,
        **_numbers(run.overall),
        errors={group.error_class: group.count for group in run.errors},
        validation=_validation(run),
        verdict=run.verdict,
        phases={phase.name: _phase(phase, run) for phase in run.phases},
        stages={s.name: _stage(s) for s in run.stages},
        speech=UNSET if run.speech is None else run.speech,
        error_details=run.errors,
        retries=UNSET if run.retries is None else run.retries,
        warmup=Warmup(**_numbers(run.warmup)),
        degradation_analysis=run.degradation if run.degradation is not None else UNSET,
        system_monitoring={s.metric: _monitored(s) for s in run.series} if sustained else UNSET,
        trends=UNSET if run.trends is None else run.trends,
        efficiency=UNSET if run.efficiency is None else run.efficiency,
        series=run.series,
        monitors=run.monitors,
        uptime=_uptime(run),
        contract=run.contract or UNSET,
        reconciliation=run.reconciliation or UNSET,
        client=run.client,
        notices=run.notices,
        interrupted=run.interrupted,
        suite=run.suite,
        purpose=run.purpose,
        operation=run.operation,
        seed=run.seed,
        strict=run.strict,
        time_scale=run.time_scale,
        rehearsal=run.rehearsal,
        failure_pause_seconds=run.failure_pause_s,
        settings=Settings(requested=run.requested, effective=run.effective),
        versions=run.versions,
        format=FORMAT,
    )


def _numbers(summary: Summary) -> dict[str, Any]:
    """The fields of `Flat` and `More`, which have the names of the analysis."""
    return _there(msgspec.structs.asdict(summary), "shortest")


def _stage(stage: StageSummary) -> Stage:
    numbers = msgspec.structs.asdict(stage)
    del numbers["name"]
    return Stage(**_there(numbers, "shortest", "longest"))


def _there(numbers: dict[str, Any], *names: str) -> dict[str, Any]:
    """The numbers, without those of these names that are None."""
    return {name: value for name, value in numbers.items() if value is not None or name not in names}


def _phase(phase: PhaseSummary, run: JudgedRun) -> Phase:
    return Phase(
        start_time=moment(run, phase.start_s),
        end_time=moment(run, phase.end_s),
        duration_seconds=phase.end_s - phase.start_s,
        target_users=phase.target_users,
        **_numbers(phase.summary),
    )


def _uptime(run: JudgedRun) -> Uptime | UnsetType:
    if run.uptime is None:
        return UNSET
    down = [
        Downtime(
            start_time=moment(run, each.start_s),
            end_time=None if each.end_s is None else moment(run, each.end_s),
            served=each.served,
        )
        for each in run.uptime.down
    ]
    return Uptime(percent=100 * run.uptime.share, unknown_seconds=run.uptime.unknown_s, down=down)


def _validation(run: JudgedRun) -> dict[str, bool | None]:
    held = {c.name: _VALIDATION[c.result] for c in run.verdict.criteria}
    return {**held, "overall": run.verdict.exit_code == ExitCode.PASSED}


def _monitored(series: SeriesSummary) -> Monitored:
    growth = None if series.growth is None else series.growth * 100
    return Monitored(
        unit=series.unit, initial=series.first, final=series.last, max=series.max, growth_percent=growth
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
