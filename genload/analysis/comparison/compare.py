"""Two builds compared: from run directories to a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

import msgspec

from genload.analysis.alike import check_alike
from genload.analysis.capacity.words import NOUNS
from genload.analysis.comparison.brackets import held
from genload.analysis.comparison.comparable import (
    Difference,
    Kind,
    check_runs,
    differences,
    refuse_differences,
)
from genload.analysis.comparison.comparison import (
    CompareSettings,
    Comparison,
    MetricShift,
    Pictures,
    Verdict,
)
from genload.analysis.comparison.curves import LEVELS, together
from genload.analysis.comparison.floor import unfit
from genload.analysis.comparison.metric_shift import Sides, judged
from genload.analysis.comparison.noise import NoiseFloor
from genload.analysis.comparison.shift import MIN_RUNS, Basis, Shift
from genload.analysis.comparison.side import ComparedRun, are_rounds, in_order, read_run
from genload.analysis.comparison.subjects import asked_for
from genload.analysis.comparison.values import error_shares
from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.populations import open_alone
from genload.errors import UsageError
from genload.human import count_of
from genload.settings.criteria.ast import Dimension

AS_USUAL = CompareSettings()


def compare(base: Sequence[Path], new: Sequence[Path], settings: CompareSettings = AS_USUAL) -> Comparison:
    """Compare the runs of two builds under the same scenario, at least one a side.

    Args:
        base, new: their run directories.

    Raises:
        NotComparableError: they cannot be compared, and why.
        UsageError: a metric to be judged that the runs do not know.
        RunDirectoryError: one cannot be read.
    """
    if not base or not new:
        raise UsageError("a side has no run", remedy="name at least one run directory for each of them")
    logs = [[open_alone(folder) for folder in side] for side in (base, new)]
    check_alike([*logs[0], *logs[1]])
    wanted = asked_for(settings.judge, logs[0][0].header)
    ours, theirs = ([read_run(log, wanted) for log in side] for side in logs)
    check_runs([*ours, *theirs])
    found = differences(ours, theirs)
    if not settings.allow_different:
        refuse_differences(found, {Kind.INPUTS} if settings.other_inputs else frozenset())
    return compared(ours, theirs, found, settings)


def compared(
    base: Sequence[ComparedRun],
    new: Sequence[ComparedRun],
    found: Sequence[Difference],
    settings: CompareSettings,
) -> Comparison:
    """Compare runs that have been read and may be compared; `found` is what differs between them."""
    base, new = (in_order(_with_all_errors(side, [*base, *new])) for side in (base, new))
    not_used = "" if settings.floor is None else _unfit(settings.floor, [*base, *new])
    if not_used:
        settings = msgspec.structs.replace(settings, floor=None)
    sides = Sides(base, new, are_rounds(base, new))
    runs = min(len(base), len(new))
    first = new[0].facts
    names = list(dict.fromkeys(name for run in (*base, *new) for name in run.judged))
    shifts = [sides.of(name, settings) for name in names]
    unknown = [] if settings.judge else [m for m in shifts if _unwatched(m, first.operation)]
    metrics = judged([m for m in shifts if m not in unknown], runs=runs)
    others = dict.fromkeys(name for run in (*base, *new) for name in run.values if name not in names)
    shown = [m for m in (sides.of(name, settings) for name in others) if _is_there(m)]
    verdict = _verdict(metrics)
    return Comparison(
        suite=first.suite,
        scenario=first.scenario,
        operation=first.operation,
        rehearsal=first.rehearsal,
        time_scale=first.time_scale,
        verdict=verdict,
        summary=_summary(verdict, metrics, runs, first.operation),
        settings=settings,
        base=[run.facts for run in base],
        new=[run.facts for run in new],
        rounds=sides.rounds,
        differences=list(found),
        metrics=[*metrics, *shown],
        notices=[*_notices(sides, found, settings), *([not_used] if not_used else []), *_not_judged(unknown)],
        pictures=_pictures(base, new),
    )


def _unfit(floor: NoiseFloor, runs: Sequence[ComparedRun]) -> str:
    """Why a noise floor says nothing of these runs; empty where it does."""
    return next(filter(None, (unfit(floor, run.facts.scenario, run.facts.tested) for run in runs)), "")


def _unwatched(metric: MetricShift, operation: str) -> bool:
    """Whether a criterion names a machine's number that nobody watched on either side, such as that of a GPU
    that is not there: no matter of the build. What requests did not tell on both sides stays untold."""
    return not _is_there(metric) and not metric.metric.removeprefix("ok.").startswith(f"{operation}.")


def _is_there(metric: MetricShift) -> bool:
    return metric.base_value is not None or metric.new_value is not None


def _with_all_errors(side: Sequence[ComparedRun], everyone: Sequence[ComparedRun]) -> list[ComparedRun]:
    """The runs of a side, with the share of each class of errors that occurred in any run."""
    classes = sorted({name for run in everyone for name in run.errors})
    found = []
    for run in side:
        facts = run.facts
        shares = error_shares(facts.operation, run.errors, classes, facts.requests)
        found.append(replace(run, values={**run.values, **{share.metric: share for share in shares}}))
    return found


def _verdict(metrics: Sequence[MetricShift]) -> Verdict:
    results = [metric.result for metric in metrics]
    if "regression" in results:
        return "regression"
    if results and all(result == "no_regression" for result in results):
        return "no_regression"
    if results and all(m.result == "descriptive" or _has_no_bounds(m.shift) for m in metrics):
        return "descriptive"
    return "inconclusive"


def _has_no_bounds(moved: Shift | None) -> bool:
    return moved is None or moved.basis is Basis.NONE


def _summary(verdict: Verdict, metrics: Sequence[MetricShift], runs: int, operation: str) -> str:
    if metrics and all(metric.base_brackets for metric in metrics):
        return "; ".join(_held(metric, operation) for metric in metrics)
    of = {
        result: [metric for metric in metrics if metric.result == result]
        for result in ("regression", "no_regression", "inconclusive", "descriptive")
    }
    total = count_of(len(metrics), "judged metric")
    if verdict == "regression":
        return f"{len(of['regression'])} of {total} got worse: {_names(of['regression'])}"
    if verdict == "no_regression":
        return f"none of {total} is worse by more than the tolerance"
    if verdict == "descriptive":
        return f"{count_of(runs, 'run')} a side: a verdict takes {MIN_RUNS}, or a noise floor"
    open_ones = [*of["inconclusive"], *of["descriptive"]]
    return (
        f"{len(open_ones)} of {total} cannot be told: {_names(open_ones)}" if metrics else "nothing to judge"
    )


def _held(metric: MetricShift, operation: str) -> str:
    """``holds 3 listeners → holds 2 listeners: holds less for sure``."""
    noun = NOUNS.get(operation, "user") if metric.unit == Dimension.COUNT else ""
    base, new = (held(side, metric.unit, noun) for side in (metric.base_brackets, metric.new_brackets))
    return f"holds {base} → holds {new}: {metric.reason}"


def _names(metrics: Sequence[MetricShift]) -> str:
    return ", ".join(metric.metric for metric in metrics)


def _notices(sides: Sides, found: Sequence[Difference], settings: CompareSettings) -> Iterator[str]:
    if len(sides.base) > 1 and len(sides.new) > 1 and not sides.rounds:
        yield (
            "the runs did not come in rounds (A B B A): what has changed with time besides the build, "
            "such as the heat of the machine, is in the shifts"
        )
    if not any(difference.kind == "build" for difference in found):
        yield "nothing that the service or a monitor told says that these are two builds"
    floor = settings.floor
    if floor is not None:
        yield (
            f"noise floor of {floor.learned_at}, from {count_of(floor.runs, 'run')} of equal builds, pooled "
            "with the spread of these runs"
        )


def _not_judged(unknown: Sequence[MetricShift]) -> Iterator[str]:
    for metric in unknown:
        yield f"{metric.metric}, which a criterion names, is not judged: {metric.reason}"


def _pictures(base: Sequence[ComparedRun], new: Sequence[ComparedRun]) -> Pictures:
    """Nothing of searches, each of which chose its own load."""
    if any(value.bracket is not None for run in (*base, *new) for value in run.values.values()):
        return Pictures(levels=[], base=[], new=[], base_medians=[], new_medians=[])

    def curve(runs: Sequence[ComparedRun], of: str) -> list[float | None]:
        rows: list[FloatArray] = [getattr(run.curves, of) for run in runs]
        return [value if isfinite(value) else None for value in together(rows).tolist()]

    return Pictures(
        levels=list(LEVELS),
        base=curve(base, "quantiles"),
        new=curve(new, "quantiles"),
        base_medians=curve(base, "medians"),
        new_medians=curve(new, "medians"),
    )
