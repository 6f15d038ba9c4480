"""A criterion as the comparisons that must all hold, and whether they do by observed values alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isclose, isnan
from typing import Literal

from genload.settings.criteria.ast import (
    Comparison,
    Conjunction,
    Dimension,
    Each,
    Expression,
    Interval,
    Operator,
    Relative,
    Subject,
)

Outcome = Literal["pass", "fail", "inconclusive"]

Labels = tuple[tuple[str, str], ...]
"""What makes a stratum: labels with their values, which a subject is filtered by."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A criterion as it looks now, without evidence."""

    result: Outcome
    value: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Part:
    """One comparison of a criterion.

    Attributes:
        number: which of the criterion's comparisons it is, counted from 0.
        stratum: for which stratum of an ``each``.
    """

    comparison: Comparison
    number: int = 0
    stratum: Labels = ()


def parts(expression: Expression, strata: Callable[[Each], Sequence[Labels]]) -> list[Part]:
    """A criterion as the comparisons that must all hold.

    ``in a..b`` is two of them, ``>= a`` and ``<= b``; ``each(label)`` is its body for every stratum, whose
    labels become filters.
    """
    if isinstance(expression, Each):
        body = list(_comparisons(expression.body))
        return [
            Part(_within(comparison, stratum), number, stratum)
            for stratum in strata(expression)
            for number, comparison in enumerate(body)
        ]
    return [Part(comparison, number) for number, comparison in enumerate(_comparisons(expression))]


def _comparisons(expression: Comparison | Interval | Conjunction) -> Iterator[Comparison]:
    if isinstance(expression, Conjunction):
        for part in expression.parts:
            yield from _comparisons(part)
    elif isinstance(expression, Interval):
        yield Comparison(expression.subject, ">=", expression.low)
        yield Comparison(expression.subject, "<=", expression.high)
    else:
        yield expression


def _within(comparison: Comparison, stratum: Labels) -> Comparison:
    right = comparison.right
    if isinstance(right, Relative):
        right = replace(right, of=_filtered(right.of, stratum))
    return replace(comparison, subject=_filtered(comparison.subject, stratum), right=right)


def _filtered(subject: Subject, stratum: Labels) -> Subject:
    return replace(subject, filters=tuple(dict((*subject.filters, *stratum)).items()))


def of_phase(expression: Comparison | Interval | Conjunction, phase: str) -> Expression:
    """The same said of the requests of one phase."""
    stratum = (("phase", phase),)
    if isinstance(expression, Conjunction):
        return Conjunction(tuple(_part_within(part, stratum) for part in expression.parts))
    return _part_within(expression, stratum)


def _part_within(part: Comparison | Interval, stratum: Labels) -> Comparison | Interval:
    if isinstance(part, Interval):
        return replace(part, subject=_filtered(part.subject, stratum))
    return _within(part, stratum)


def holds(op: Operator, value: float, threshold: float) -> bool:
    """The comparison itself. Numbers that differ in the last bits only are equal: 57 of 100 is 57 %."""
    same = value == threshold or isclose(value, threshold, rel_tol=1e-12)
    truths = {
        "<": value < threshold and not same,
        "<=": value < threshold or same,
        ">": value > threshold and not same,
        ">=": value > threshold or same,
        "==": same,
        "!=": not same,
    }
    return truths[op]


def threshold_of(comparison: Comparison) -> float:
    """What the observed number is compared with: for ``120% of …`` the number is a share, and this is 1.2."""
    right = comparison.right
    return right.factor if isinstance(right, Relative) else right.value


def observed(
    expression: Expression,
    lookup: Callable[[Subject], float | None],
    unit: Callable[[Subject], str],
    strata: Callable[[Each], Sequence[Labels]] = lambda each: (),
) -> Observed:
    """A criterion by observed values alone, for live views.

    Args:
        lookup: the value of a subject so far; None when there is none yet.
        unit: of that value, a `Dimension`.
        strata: those of an ``each`` so far; without them it is inconclusive.

    `value` is that of the first failing comparison, else of the first without data, else of the first; for
    ``p% of subject`` it is the share.
    """
    seen = [_observe(part.comparison, lookup, unit) for part in parts(expression, strata)]
    for wanted in ("fail", "inconclusive", "pass"):
        for one in seen:
            if one.result == wanted:
                return one
    return Observed("inconclusive", None, "")


def _observe(
    comparison: Comparison, lookup: Callable[[Subject], float | None], unit: Callable[[Subject], str]
) -> Observed:
    value, right, measure = lookup(comparison.subject), comparison.right, unit(comparison.subject)
    if isinstance(right, Relative):
        other, measure = lookup(right.of), Dimension.RATIO.value
        value = value / other if value is not None and other else None
    if value is None or isnan(value):
        return Observed("inconclusive", None, measure)
    result: Outcome = "pass" if holds(comparison.op, value, threshold_of(comparison)) else "fail"
    return Observed(result, value, measure)
