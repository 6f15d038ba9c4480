"""One metric of both sides: its shift, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from genload.analysis.comparison.brackets import Bracket, bracket_shift
from genload.analysis.comparison.comparison import CompareSettings, MetricShift, Verdict
from genload.analysis.comparison.noise import Noise, Scale
from genload.analysis.comparison.shift import MIN_RUNS, Shift, holm, middle, scale_of, shift
from genload.analysis.comparison.side import ComparedRun
from genload.analysis.comparison.values import RunValue
from genload.analysis.evidence.estimate import ALPHA
from genload.human import change_size, human
from genload.settings.metrics.metric import Better


@dataclass(frozen=True)
class Sides:
    """Both sides, each in the order in which its runs began."""

    base: Sequence[ComparedRun]
    new: Sequence[ComparedRun]
    rounds: bool

    def of(self, metric: str, settings: CompareSettings) -> MetricShift:
        """How far a metric has moved; not judged yet."""
        base, new = ([run.values.get(metric) for run in side] for side in (self.base, self.new))
        known = next(value for value in (*base, *new) if value is not None)
        numbers, others = ([None if v is None else v.value for v in side] for side in (base, new))
        found = MetricShift(
            metric=metric,
            unit=known.unit.value,
            in_points=known.in_points,
            better=known.better.value,
            base=numbers,
            new=others,
            reason=_lacking(base, new),
        )
        ours, theirs = ([n for n in side if n is not None] for side in (numbers, others))
        if found.reason:
            return _one_sided(found, ours, theirs)
        brackets = [
            [v.bracket for v in side if v is not None and v.bracket is not None] for side in (base, new)
        ]
        if all(brackets):
            return _bracketed(found, brackets[0], brackets[1], settings)
        scale = scale_of(ours, theirs, in_points=known.in_points)
        return msgspec.structs.replace(
            found,
            base_value=middle(ours, scale),
            new_value=middle(theirs, scale),
            shift=shift(
                ours,
                theirs,
                scale=scale,
                rounds=self.rounds,
                floor=_floor(settings, metric, scale),
                requests=_requests(base, new),
                grains=_grains(base, new),
            ),
            tolerance=_tolerance(settings, scale, found.in_points, middle(ours, scale)),
        )


def _bracketed(
    found: MetricShift, base: list[Bracket], new: list[Bracket], settings: CompareSettings
) -> MetricShift:
    moved, least = bracket_shift(base, new), Bracket.together(base).least
    return msgspec.structs.replace(
        found,
        base_value=least,
        new_value=Bracket.together(new).least,
        shift=moved,
        tolerance=settings.tolerance if moved.scale is Scale.RATIO else settings.tolerance * least,
        base_brackets=base,
        new_brackets=new,
    )


def _lacking(base: Sequence[RunValue | None], new: Sequence[RunValue | None]) -> str:
    """Which side does not have a number in each run, and why; empty where both have."""
    have = [sum(v is not None and v.value is not None for v in side) for side in (base, new)]
    if have == [len(base), len(new)]:
        return ""
    why = next((v.missing for v in (*new, *base) if v is not None and v.missing), "")
    because = f": it needs {why}" if why else ""
    if not any(have):
        return f"neither side has it{because}"
    if not all(have):
        return f"only {'BASE' if have[0] else 'NEW'} has it{because}"
    of_base, of_new = f"{have[0]} of {len(base)} runs of BASE", f"{have[1]} of {len(new)} of NEW"
    return f"only {of_base} and {of_new} have it{because}"


def _one_sided(found: MetricShift, ours: list[float], theirs: list[float]) -> MetricShift:
    values = [sum(side) / len(side) if side else None for side in (ours, theirs)]
    return msgspec.structs.replace(found, base_value=values[0], new_value=values[1])


def _floor(settings: CompareSettings, metric: str, scale: Scale) -> Noise | None:
    """What is known of the noise of a metric, on this scale."""
    known = settings.floor.metrics.get(metric) if settings.floor else None
    return known if known is not None and known.scale is scale else None


def _requests(base: Sequence[RunValue | None], new: Sequence[RunValue | None]) -> tuple[float, float] | None:
    """Of a share of requests, how many each side has in all."""
    counts = [[None if v is None else v.requests for v in side] for side in (base, new)]
    if any(count is None for side in counts for count in side):
        return None
    ours, theirs = (float(sum(count or 0 for count in side)) for side in counts)
    return ours, theirs


def _grains(
    base: Sequence[RunValue | None], new: Sequence[RunValue | None]
) -> tuple[list[float], list[float]] | None:
    """Of a rate of completions, how much of it is chance in each run."""
    ours, theirs = ([v.grain for v in side if v is not None and v.grain] for side in (base, new))
    return (ours, theirs) if len(ours) == len(base) and len(theirs) == len(new) else None


def _tolerance(settings: CompareSettings, scale: Scale, in_points: bool, base: float) -> float:
    if in_points:
        return settings.points
    return settings.tolerance if scale is Scale.RATIO else settings.tolerance * abs(base)


def judged(metrics: Sequence[MetricShift], *, runs: int) -> list[MetricShift]:
    """The same metrics with their results; each p-value is adjusted for all of them together.

    Args:
        runs: of the side that has fewer.
    """
    raw = [m.shift.p(Better(m.better)) if m.shift else None for m in metrics]
    sure = [p for p in raw if p is not None]
    adjusted = iter(holm(sure))
    return [
        _judged(m, None if p is None else next(adjusted), runs) for m, p in zip(metrics, raw, strict=True)
    ]


def _judged(metric: MetricShift, p: float | None, runs: int) -> MetricShift:
    result, reason = _result(metric, p, runs)
    return msgspec.structs.replace(metric, p=p, result=result, reason=reason)


def _result(metric: MetricShift, p: float | None, runs: int) -> tuple[Verdict, str]:
    moved, better = metric.shift, Better(metric.better)
    if moved is None or metric.tolerance is None:
        return "inconclusive", metric.reason
    if metric.base_brackets:
        return _bracket_result(metric, moved, metric.tolerance, runs)
    by, most = moved.worse_by(better), moved.worse_by_at_most(better)
    if most is None or p is None:
        return "descriptive", _too_few(runs)
    allowed = amount(metric.tolerance, metric)
    aside = "; the noise floor was set aside: these runs spread more" if moved.floor_refused else ""
    if p < ALPHA and by > metric.tolerance:
        return "regression", f"{_worse(by, metric)} for sure ({_p(p)}), more than {allowed}{aside}"
    if most <= metric.tolerance:
        return "no_regression", f"{_at_most(most, metric)}{aside}"
    if p < ALPHA:
        said = f"{_worse(by, metric)} for sure, and may be by {amount(most, metric)}: more than {allowed}"
    else:
        said = f"may be {_worse(most, metric)}, more than {allowed}, and may be equal ({_p(p)})"
    return "inconclusive", f"{said}{aside}"


def _bracket_result(metric: MetricShift, moved: Shift, tolerance: float, runs: int) -> tuple[Verdict, str]:
    """Of how much each side holds: for certain where the sides do not overlap."""
    if runs < MIN_RUNS:
        return "descriptive", f"{_of_least_runs(runs)}, which do not tell how far equal builds are apart"
    if moved.high is not None and moved.high < 0 and -moved.value > tolerance:
        return "regression", f"holds less for sure, by {amount(moved.value, metric)}"
    if moved.low is not None and -moved.low <= tolerance:
        return "no_regression", "holds more for sure" if moved.low > 0 else "holds no less"
    allowed = amount(tolerance, metric)
    if moved.low is None:
        return "inconclusive", "BASE holds all of the range, and may hold more: search further up"
    return "inconclusive", (
        f"may hold less by {amount(moved.low, metric)}, more than {allowed}, and may be equal: what the runs "
        "of the two sides hold overlaps"
    )


def _too_few(runs: int) -> str:
    return f"{_of_least_runs(runs)}, and no noise floor: nothing tells how far equal builds are apart"


def _of_least_runs(runs: int) -> str:
    return f"{human(runs, 'count')} of at least {MIN_RUNS} runs a side"


def _worse(by: float, metric: MetricShift) -> str:
    return f"{_off(metric)} by {amount(by, metric)}"


def _off(metric: MetricShift) -> str:
    return "off" if metric.better == Better.EITHER else "worse"


def _at_most(most: float, metric: MetricShift) -> str:
    if most < 0:
        return f"better by at least {amount(-most, metric)}"
    return f"{_off(metric)} by at most {amount(most, metric)}"


def amount(size: float, metric: MetricShift) -> str:
    """How much, without a sign: ``5 %``, ``2 points``, or a quantity of the metric's unit."""
    ratio = metric.shift is not None and metric.shift.scale is Scale.RATIO
    return change_size(size, "ratio" if ratio else metric.unit, in_points=metric.in_points)


def _p(p: float) -> str:
    return f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"
