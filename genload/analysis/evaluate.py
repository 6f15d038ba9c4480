"""Judging one criterion: observed result first, then how sure it is.

Knows the tree of a criterion and nothing of statistics: estimates come from `Measured`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, isinf, isnan
from typing import Protocol

from genload.analysis.evidence.between import Between
from genload.analysis.evidence.estimate import Bound, Estimate, Partial, Side, Unbounded
from genload.analysis.evidence.pooled import EachRun
from genload.analysis.judged import Evidence, Miss
from genload.settings.criteria.ast import Comparison, Dimension, Each, Expression, Operator, Relative, Subject
from genload.settings.criteria.comparisons import Labels, Outcome, Part, holds, parts, threshold_of
from genload.settings.criteria.write import subject_text


@dataclass(frozen=True, slots=True)
class Judgement:
    """One comparison, or a whole criterion, judged; the fields are those of `CriterionVerdict`."""

    result: Outcome
    value: float | None = None
    unit: str = ""
    evidence: Evidence | None = None
    bound: float | None = None
    assumption: str | None = None
    needs: str | None = None
    successes: float | None = None
    low: float | None = None
    high: float | None = None
    op: Operator | None = None
    threshold: float | None = None
    misses: tuple[Miss, ...] = ()


class Measured(Protocol):
    """Where estimates come from."""

    def of(self, subject: Subject) -> Estimate: ...

    def ratio(self, top: Subject, below: Subject) -> Estimate: ...

    def unit(self, subject: Subject) -> Dimension: ...

    def strata_of(self, each: Each) -> Sequence[Labels]: ...

    def without_strata(self, each: Each) -> str:
        """What would be needed, where there is no stratum."""
        ...


def judge_expression(expression: Expression, measured: Measured) -> Judgement:
    """Result, value and evidence of one criterion.

    It fails when one comparison fails, and is inconclusive when none fails and one has no data. The
    verdict speaks of the failing comparison with the best evidence, of the first without data, or of the
    passing one with the least evidence; of several strata, of the one that misses its threshold by most, or
    meets it by least. `misses` names all that do not hold.
    """
    all_parts = parts(expression, measured.strata_of)
    if isinstance(expression, Each) and not all_parts:
        return Judgement("inconclusive", needs=measured.without_strata(expression))
    judged: dict[int, list[tuple[Judgement, float]]] = {}
    misses: list[Miss] = []
    for part in all_parts:
        op, threshold = part.comparison.op, threshold_of(part.comparison)
        judgement = replace(_judge(part.comparison, measured), op=op, threshold=threshold)
        judged.setdefault(part.number, []).append((_named(judgement, part.stratum), threshold))
        misses += _misses(part, judgement)
    decisive = min((min(strata, key=_by_margin)[0] for strata in judged.values()), key=_order)
    return replace(decisive, misses=tuple(sorted(misses, key=lambda miss: miss.result != "fail")))


def _misses(part: Part, judgement: Judgement) -> list[Miss]:
    """What is to be told of one value of an ``each``, if anything is."""
    if not part.stratum or judgement.result == "pass":
        return []
    subject = part.comparison.subject
    plain = replace(subject, filters=tuple(each for each in subject.filters if each not in part.stratum))
    return [
        Miss(
            labels=dict(part.stratum),
            subject=subject_text(plain),
            value=judgement.value,
            unit=judgement.unit,
            result=judgement.result,
        )
    ]


def _order(judgement: Judgement) -> tuple[int, int]:
    """The least of several comparisons, all of which must hold, decides; the first of equals."""
    sure = {"exact": 3, "proven": 2, "unproven": 1, None: 0}[judgement.evidence]
    rank = {"fail": 0, "inconclusive": 1, "pass": 2}[judgement.result]
    return rank, -sure if judgement.result == "fail" else sure


def _by_margin(judged: tuple[Judgement, float]) -> tuple[tuple[int, int], float]:
    """The same of one comparison in several strata: what is nearer to another result, or farther past it."""
    judgement, threshold = judged
    margin = 0.0 if judgement.value is None else abs(judgement.value - threshold)
    return _order(judgement), -margin if judgement.result == "fail" else margin


def _named(judgement: Judgement, stratum: Labels) -> Judgement:
    if not stratum:
        return judgement
    name = ", ".join(f"{label}={value}" for label, value in stratum)
    if judgement.needs:
        return replace(judgement, needs=f"for {name}: {judgement.needs}")
    return replace(judgement, assumption=f"{judgement.assumption or ''} (for {name})".strip())


def _judge(comparison: Comparison, measured: Measured) -> Judgement:
    right = comparison.right
    if isinstance(right, Relative):
        estimate, unit = measured.ratio(comparison.subject, right.of), Dimension.RATIO
    else:
        estimate, unit = measured.of(comparison.subject), measured.unit(comparison.subject)
    if isinstance(estimate, EachRun):
        return _judge_each_run(comparison, estimate, unit)
    if isinstance(estimate, Between):
        return _judge_between(comparison, estimate, unit)
    judgement = _judge_estimate(comparison, estimate, unit)
    value, absolute = judgement.value, not isinstance(right, Relative)
    if value is not None and isinf(value) and absolute and not comparison.subject.ok_only:
        alone = measured.of(replace(comparison.subject, ok_only=True)).value
        return replace(judgement, successes=alone if alone is not None and isfinite(alone) else None)
    return judgement


def _judge_each_run(comparison: Comparison, each: EachRun, unit: Dimension) -> Judgement:
    """The worst of several runs, of which the one speaks."""
    threshold = threshold_of(comparison)
    judged = [
        _judge_between(comparison, one, unit)
        if isinstance(one, Between)
        else _judge_estimate(comparison, one, unit)
        for one in each.estimates
    ]
    worst = min(judged, key=lambda judgement: _by_margin((judgement, threshold)))
    words = f"the worst of {len(judged)} runs, each judged by itself"
    if worst.needs:
        return replace(worst, needs=f"{worst.needs} ({words})")
    return replace(worst, assumption="; ".join(filter(None, (worst.assumption, words))))


def _judge_between(comparison: Comparison, between: Between, unit: Dimension) -> Judgement:
    """A number that polls leave open: what it is at both of its ends, as sure as at the less sure one."""
    both = [_judge_estimate(comparison, end, unit) for end in (between.low, between.high)]
    low, high = (_finite(end.value) if end.value is not None else None for end in both)
    threshold = threshold_of(comparison)
    if both[0].result == both[1].result:
        sure = {"exact": 3, "proven": 2, "unproven": 1, None: 0}
        judged = min(both, key=lambda end: (sure[end.evidence], abs((end.value or 0.0) - threshold)))
        return replace(judged, value=between.value, low=low, high=high)
    needs = between.needs("upper", threshold)
    return Judgement("inconclusive", between.value, unit.value, low=low, high=high, needs=needs)


def _judge_estimate(comparison: Comparison, estimate: Estimate, unit: Dimension) -> Judgement:
    value = estimate.value
    if estimate.missing or value is None or isnan(value):
        certain = _certain(comparison, estimate) if isinstance(estimate, Partial) else None
        if certain is None:
            return Judgement("inconclusive", unit=unit.value, needs=estimate.missing or "data")
        outcome: Outcome = "pass" if certain else "fail"
        return Judgement(outcome, value, unit.value, "exact", bound=value, assumption=estimate.basis)
    passed = holds(comparison.op, value, threshold_of(comparison))
    judgement = Judgement("pass" if passed else "fail", value=value, unit=unit.value)
    if estimate.exact:
        return replace(judgement, evidence="exact", bound=_finite(value), assumption=estimate.basis)
    return _with_evidence(judgement, comparison, estimate, passed)


def _certain(comparison: Comparison, estimate: Partial) -> bool | None:
    """Whether the comparison holds for every number that the whole's may be, or for none; None: for some."""
    threshold = threshold_of(comparison)
    if comparison.op in ("==", "!=") and estimate.low <= threshold <= estimate.high:
        return None
    answers = {holds(comparison.op, limit, threshold) for limit in (estimate.low, estimate.high)}
    return answers.pop() if len(answers) == 1 else None


def _with_evidence(
    judgement: Judgement, comparison: Comparison, estimate: Estimate, passed: bool
) -> Judgement:
    threshold = threshold_of(comparison)
    side = _side(comparison.op, passed, judgement.value or 0.0, threshold)
    if side is None:
        bound = _farther(estimate, threshold)
        needs = "a comparison with <= or >=, or a count: no measurement proves an exact equality"
        if isinstance(estimate, Unbounded):
            needs = estimate.needs("upper", threshold)
        return replace(
            judgement,
            evidence="unproven",
            bound=bound.value,
            assumption=bound.assumption or None,
            needs=needs,
        )
    bound = estimate.bound(side, threshold)
    proven = bound.value is not None and holds(comparison.op, bound.value, threshold) == passed
    return replace(
        judgement,
        evidence="proven" if proven else "unproven",
        bound=None if bound.value is None else _finite(bound.value),
        assumption=bound.assumption or None,
        needs=None if proven else estimate.needs(side, threshold),
    )


def _side(op: Operator, passed: bool, value: float, threshold: float) -> Side | None:
    """Which bound decides: the one between the observed value and the threshold; None for an equality."""
    if op in ("==", "!="):
        if (op == "==") == passed:
            return None
        return "lower" if value > threshold else "upper"
    return "upper" if (op in ("<", "<=")) == passed else "lower"


def _farther(estimate: Estimate, threshold: float) -> Bound:
    """Of both bounds, the one that shows more of what may still be."""
    bounds = (estimate.bound("upper", threshold), estimate.bound("lower", threshold))
    return max(bounds, key=lambda bound: -inf if bound.value is None else abs(bound.value - threshold))


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
