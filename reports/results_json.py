"""``results_<scenario>.json``: the specification's flat fields, and everything else that is known of a run.

The document has the fields of `RESULTS`. Its JSON schema, config/schema/results.schema.json, is generated
from them (``python reports/results_json.py > config/schema/results.schema.json``). Durations are seconds and
rates percent, as in the specification's example; quantities under `verdict` and `series` are in the base unit
that stands beside them. What is unknown or infinite is null.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from genload.analysis.contract import FamilyFinding
from genload.analysis.judged import (
    Change,
    ClientSummary,
    ErrorGroup,
    JudgedRun,
    JudgedSuite,
    PhaseSummary,
    PooledRun,
    Retries,
    SeriesSummary,
    StageSummary,
    Summary,
    Verdict,
)
from genload.analysis.judged.arrivals import Arrivals
from genload.analysis.judged.capacity import Capacity
from genload.analysis.judged.cold import ColdStart
from genload.analysis.judged.efficiency import Efficiency
from genload.analysis.judged.listeners import Listeners
from genload.analysis.judged.speech import SpeechSummary
from genload.analysis.judged.trends import Trends
from genload.analysis.monitors import MonitorSummary
from genload.analysis.reconciliation import Comparison
from genload.errors import ExitCode
from genload.reporting import write_text
from genload.reporting.wording import moment, rehearsal_note, utc

FORMAT = 1
_VALIDATION = {"pass": True, "fail": False, "inconclusive": None}


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What comes first in the file."""

    rehearsal_note: str | UnsetType = UNSET
    """Only there for a scaled or forced run, and then the first key: the times in it are not real."""
    scenario: str
    identity: dict[str, str] | UnsetType = UNSET
    """What was tested, where the suite or a monitor says it: model, image, GPU, driver."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """When: UTC, ISO 8601."""

    start_time: str
    end_time: str
    duration_seconds: float


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """How many users a phase asked for."""

    target_users: int
    arrivals: int | UnsetType = UNSET
    """Of an open load: how many requests it planned."""


class Monitored(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a sustained run from beginning to end."""

    unit: str
    initial: float | None
    final: float | None
    max: float | None
    growth_percent: float | None


class Downtime(msgspec.Struct, frozen=True, kw_only=True):
    """From the first health probe that failed to the next that did not; null when none came in the load.
    `served`: requests that were begun and succeeded in it, so that only the probe had no answer."""

    start_time: str
    end_time: str | None
    served: int


class Uptime(msgspec.Struct, frozen=True, kw_only=True):
    """The service by its health probe: percent of the time, of how many seconds nothing is known, and when it
    was down."""

    percent: float
    unknown_seconds: float
    down: list[Downtime]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The suite as it was asked for, and as it was run (scaled); secrets stay references."""

    requested: dict[str, Any]
    effective: dict[str, Any]


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything after the numbers."""

    errors: dict[str, int]
    """How many requests failed, by error class."""
    validation: dict[str, bool | None]
    """By criterion: true, false, or null when inconclusive; `overall` is true for exit code 0 only."""
    verdict: Verdict
    change: Change | UnsetType = UNSET
    """Where it was compared with a baseline: what has changed since."""
    pooled: list[PooledRun] | UnsetType = UNSET
    """Of several runs that were judged as one: each by itself. Phases then last as long as in all of them."""
    phases: dict[str, dict[str, Any]]
    """By name: the fields of `PHASE`."""
    stages: dict[str, StageSummary]
    arrivals: Arrivals | UnsetType = UNSET
    """Of an open load: how many were planned and started, and how late."""
    speech: SpeechSummary | UnsetType = UNSET
    """Speech only: by voice, length and other labels, against text length, and how playback went."""
    cold_starts: list[ColdStart] | UnsetType = UNSET
    """The first answers after a time without work: of the run, and behind the scenario's `idle`."""
    listeners: Listeners | UnsetType = UNSET
    """Where some of who listened were to leave: those who stayed, and what the service did when all left."""
    error_details: list[ErrorGroup]
    retries: Retries | UnsetType = UNSET
    """Where something was tried again: refusals waited out, by call; polls without an answer."""
    warmup: Summary
    """Requests before the load, in no other number."""
    capacity: Capacity | UnsetType = UNSET
    """Of a search for how much the service holds: the interval, and the levels that were measured."""
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


RESULTS = (Head, Span, Summary, Rest)
"""One scenario's results: the fields of these, one after another, are those of the file."""

PHASE = (Span, Summary, Users)
"""One phase: the requests that were to start in it."""


def render(suite: JudgedSuite, folder: Path) -> list[Path]:
    """Write one file a scenario."""
    return [
        write_text(folder / file_name(run.scenario, run.population), encode(results(run)))
        for run in suite.runs
    ]


def file_name(scenario: str, population: str = "") -> str:
    """The file of a scenario, or of one of its populations. A scenario's name comes from a suite, and so may
    hold anything."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", scenario)
    return f"results_{name}.{population}.json" if population else f"results_{name}.json"


def encode(document: dict[str, Any]) -> str:
    """Indented JSON; msgspec writes NaN and infinity, which JSON does not have, as null."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of a results file, draft 2020-12."""
    parts = dict.fromkeys((*RESULTS, *PHASE))
    _, definitions = msgspec.json.schema_components(parts, ref_template="#/$defs/{name}")
    results, phase = (_joined([definitions[part.__name__] for part in parts]) for parts in (RESULTS, PHASE))
    results["properties"]["phases"]["additionalProperties"] = phase
    for part in parts.keys() - {Summary}:  # which the warm-up is, too
        del definitions[part.__name__]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "genload results",
        "description": "One scenario's results.",
        **results,
        "$defs": definitions,
    }


def _joined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The schema of an object with the fields of all parts."""
    return {
        "type": "object",
        "properties": {name: field for part in parts for name, field in part["properties"].items()},
        "required": [name for part in parts for name in part["required"]],
    }


def results(run: JudgedRun) -> dict[str, Any]:
    """The document of one judged run."""
    head = Head(
        rehearsal_note=rehearsal_note(run) or UNSET, scenario=run.name, identity=run.identity or UNSET
    )
    span = Span(start_time=utc(run.start_time), end_time=utc(run.end_time), duration_seconds=run.duration_s)
    return _fields(head, span, run.overall, _rest(run))


def _fields(*parts: msgspec.Struct) -> dict[str, Any]:
    """The fields of all parts, one after another; what is not there is left out."""
    return {name: value for part in parts for name, value in msgspec.to_builtins(part).items()}


def _rest(run: JudgedRun) -> Rest:
    sustained = run.degradation is not None
    return Rest(
        errors={group.error_class: group.count for group in run.errors},
        validation=_validation(run),
        verdict=run.verdict,
        change=UNSET if run.change is None else run.change,
        pooled=run.pooled or UNSET,
        phases={phase.name: _phase(phase, run) for phase in run.phases},
        stages=run.stages,
        arrivals=UNSET if run.arrivals is None else run.arrivals,
        speech=UNSET if run.speech is None else run.speech,
        cold_starts=run.cold_starts or UNSET,
        listeners=UNSET if run.listeners is None else run.listeners,
        error_details=run.errors,
        retries=UNSET if run.retries is None else run.retries,
        warmup=run.warmup,
        capacity=UNSET if run.capacity is None else run.capacity,
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


def _phase(phase: PhaseSummary, run: JudgedRun) -> dict[str, Any]:
    span = Span(
        start_time=moment(run, phase.start_s),
        end_time=moment(run, phase.end_s),
        duration_seconds=phase.end_s - phase.start_s,
    )
    planned = UNSET if phase.arrivals is None else phase.arrivals
    return _fields(span, phase.summary, Users(target_users=phase.target_users, arrivals=planned))


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
