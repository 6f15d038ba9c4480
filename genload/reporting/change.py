"""A run against a baseline: the comparison, as a run's own reports tell it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from genload.analysis.judged import Change, JudgedRun, MetricChange
from genload.errors import GenloadError
from genload.reporting.baselines import Baseline, find_baseline

if TYPE_CHECKING:
    from genload.analysis.comparison import Comparison, MetricShift, NoiseFloor


def compared_with(judged: JudgedRun, runs: Sequence[Path], named: str) -> JudgedRun:
    """A judged run, or several as one, with what has changed since the baseline of its scenario.

    Where there is none (any more), that is what the change says: the run itself is judged all the same.
    """
    try:
        baseline = find_baseline(named, judged.suite, judged.scenario)
        change = change_since(baseline, runs, judged.identity)
    except GenloadError as error:
        change = _not_comparable(named, error, new_runs=len(runs))
    return msgspec.structs.replace(judged, change=change)


def change_since(baseline: Baseline, runs: Sequence[Path], tested: dict[str, str]) -> Change:
    """Compare runs of one build with a baseline; what cannot be compared is told, and never passes.

    Args:
        tested: what the runs say of themselves: a noise floor of another machine is none of theirs.
    """
    # Here, not above: a run without a baseline needs none of it.
    from genload.analysis.comparison import CompareSettings, compare, unfit

    floor = baseline.floor
    if floor is not None and unfit(floor, baseline.scenario, tested):
        floor = None
    try:
        found = compare(baseline.runs, runs, CompareSettings(floor=floor, other_inputs=True))
    except GenloadError as error:
        return _not_comparable(baseline.name, error, len(baseline.runs), len(runs))
    return _change(baseline, found, floor)


def _not_comparable(named: str, error: GenloadError, base_runs: int = 0, new_runs: int = 0) -> Change:
    return Change(
        baseline=named,
        verdict="not_comparable",
        summary=error.message,
        needs=error.remedy,
        base_runs=base_runs,
        new_runs=new_runs,
    )


def _change(baseline: Baseline, found: Comparison, floor: NoiseFloor | None) -> Change:
    return Change(
        baseline=baseline.name,
        verdict=found.verdict,
        summary=found.summary,
        needs=_needs(baseline, found, floor),
        base_runs=len(found.base),
        new_runs=len(found.new),
        floor=floor.learned_at if floor is not None else "",
        differences=[difference.text for difference in found.differences],
        metrics=[_metric(metric) for metric in found.judged],
    )


def _needs(baseline: Baseline, found: Comparison, floor: NoiseFloor | None) -> str:
    if found.verdict not in ("descriptive", "inconclusive"):
        return ""
    target = f"{baseline.suite}/{baseline.scenario}"
    rounds = f"genload ab {target} --base URL --new URL"
    if found.verdict == "inconclusive":
        return f"more runs a side: {rounds} --rounds N"
    if floor is None and baseline.floor is not None:
        other = f"the noise floor of {baseline.floor.learned_at[:10]} is of another machine"
        return f"three runs a side ({other}): {rounds}"
    learnt = f"{rounds}, with the same URL on both sides, --learn {baseline.name}"
    return f"three runs a side: {rounds}; or the noise of equal builds, learned once: {learnt}"


def _metric(metric: MetricShift) -> MetricChange:
    moved = metric.shift
    return MetricChange(
        metric=metric.metric,
        unit=metric.unit,
        base=metric.base_value,
        new=metric.new_value,
        change=moved.value if moved else None,
        low=moved.low if moved else None,
        high=moved.high if moved else None,
        is_difference=moved is not None and moved.scale == "difference",
        in_points=metric.in_points,
        result=metric.result or "inconclusive",
        reason=metric.reason,
    )
