"""One side of a comparison: the runs of one build, and what each of them was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from genload.analysis.alike import settings_of
from genload.analysis.comparison.curves import Curves, curves_of
from genload.analysis.comparison.subjects import (
    all_subjects,
    judged_by_default,
    refuse_whole_load,
    subjects_of,
)
from genload.analysis.comparison.values import RunValue, errors_by_class, values_of
from genload.analysis.read_run import ReadRun
from genload.analysis.tested import tested
from genload.runlog.reader import RunLog
from genload.runlog.records import (
    GIVEN_UP,
    HOPELESS,
    NOT_READY,
    NOT_RECORDED,
    Interrupted,
    Notice,
    RunEnded,
)
from genload.settings.criteria.ast import Expression
from genload.settings.criteria.write import subject_text

_BROKEN_OFF = {
    NOT_READY: "the service was not ready",
    GIVEN_UP: "the service was given up",
    HOPELESS: "its load was ended because a criterion could no longer hold",
    NOT_RECORDED: "its load was ended because it could not be recorded",
}


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was, apart from its numbers.

    Attributes:
        folder: its run directory, as it was named.
        started_at: UTC, ISO 8601; empty where the run does not say.
        duration_s: of the load.
        requests: attempted in it.
        salt: the word of this run alone.
        host: of the service.
        workers: processes with users.
        versions: of genload and what it ran on.
        tested: what the service and the monitors told of it.
    """

    folder: str
    suite: str
    scenario: str
    operation: str
    started_at: str
    duration_s: float
    requests: int
    seed: int
    salt: str
    time_scale: float
    rehearsal: bool
    host: str
    workers: int
    versions: dict[str, str]
    tested: dict[str, str]


@dataclass(frozen=True)
class ComparedRun:
    """One run, read once; of its requests nothing is kept but numbers.

    Attributes:
        settings: what shapes the load, by dotted names; without where the service is.
        judged: the metrics to be judged, as criteria would name them.
        values: by the same names.
        errors: how many requests failed, by the class of the error.
        broken_off: why it is half a run; empty for a whole one.
        invalid: why the measurement was not sound, each reason in a sentence.
    """

    facts: RunFacts
    settings: Mapping[str, str]
    judged: tuple[str, ...]
    values: Mapping[str, RunValue]
    errors: Mapping[str, int]
    curves: Curves
    broken_off: str
    invalid: tuple[str, ...]


def read_run(log: RunLog, asked_for: Sequence[Expression] = ()) -> ComparedRun:
    """Read a run for comparing it.

    Args:
        asked_for: what is to be judged; empty: what is by default.

    Raises:
        RunDirectoryError: it cannot be read.
        UsageError: what is to be judged is no number of such a run.
    """
    run = ReadRun.of(log)
    chosen = [subject for each in asked_for for subject in subjects_of(each, run)]
    refuse_whole_load(chosen, run)
    judged = list(dict.fromkeys(chosen)) if asked_for else judged_by_default(run)
    subjects = dict.fromkeys([*judged, *all_subjects(run)])
    return ComparedRun(
        facts=_facts(log.folder, run),
        settings=settings_of(run.suite.model_dump(mode="json"), run.header.scenario),
        judged=tuple(map(subject_text, judged)),
        values={value.metric: value for value in values_of(run, subjects)},
        errors=errors_by_class(run),
        curves=curves_of(run),
        broken_off=broken_off(run),
        invalid=tuple(f"{reason.text} → {reason.remedy}" for reason in run.reasons()),
    )


def broken_off(run: ReadRun) -> str:
    """Why a run is half a run; empty for a whole one."""
    for event in run.events:
        if isinstance(event, Interrupted):
            return f"it was interrupted ({event.by})"
        if isinstance(event, Notice) and event.code in _BROKEN_OFF:
            return _BROKEN_OFF[event.code]
    if run.load is None:
        return "its load never began"
    if not run.load.ended:
        return "the end of its load was never recorded"
    if not any(isinstance(event, RunEnded) for event in run.events):
        return "it was killed while it waited for the last requests"
    return "" if len(run.intake.measured) else "it has no request"


def _facts(folder: Path, run: ReadRun) -> RunFacts:
    header = run.header
    facts, _ = tested(run.suite, run.events, run.samples, header.monitors)
    return RunFacts(
        folder=str(folder),
        suite=run.suite.name,
        scenario=header.scenario,
        operation=header.operation,
        started_at=header.started_at,
        duration_s=run.load.duration_s if run.load else 0.0,
        requests=len(run.intake.measured),
        seed=header.seed,
        salt=header.salt,
        time_scale=header.time_scale,
        rehearsal=header.rehearsal,
        host=run.suite.service.host,
        workers=len(run.processes),
        versions=header.versions,
        tested=facts,
    )


def in_order(runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """By the moment at which they began; as they are where one does not say."""
    if all(run.facts.started_at for run in runs):
        return sorted(runs, key=lambda run: run.facts.started_at)
    return list(runs)


def are_rounds(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> bool:
    """Whether the runs of both sides, in order, came in rounds: A B B A A B …"""
    if len(base) != len(new) or len(base) < 2 or not all(r.facts.started_at for r in (*base, *new)):
        return False
    started = sorted((run.facts.started_at, side) for side, runs in enumerate((base, new)) for run in runs)
    return all(first != second for (_, first), (_, second) in zip(started[::2], started[1::2], strict=True))
