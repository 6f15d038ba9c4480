"""A criterion's tree back to text, so that `parse` gives the same tree again."""

from __future__ import annotations

from genload.settings.criteria.ast import (
    Comparison,
    Conjunction,
    Each,
    Expression,
    Interval,
    Quantity,
    Relative,
    Subject,
)
from genload.settings.criteria.scan import BARE_VALUE


def to_text(expression: Expression) -> str:
    """The canonical text: one space around words, numbers as they were written."""
    if isinstance(expression, Each):
        return f"each({expression.label}): {to_text(expression.body)}"
    if isinstance(expression, Conjunction):
        return " and ".join(to_text(part) for part in expression.parts)
    if isinstance(expression, Interval):
        return f"{subject_text(expression.subject)} in {expression.low.text}..{expression.high.text}"
    return f"{subject_text(expression.subject)} {expression.op} {_right(expression)}"


def subject_text(subject: Subject) -> str:
    """``ok.generate.duration.p95{phase=spike, last(10min)}``."""
    name = f"ok.{subject.metric}" if subject.ok_only else subject.metric
    items = [f"{label}={_value(value)}" for label, value in subject.filters]
    if subject.window is not None:
        items.append(f"{subject.window.side}({subject.window.length.text})")
    braces = "{" + ", ".join(items) + "}" if items else ""
    return name + _stat(subject) + braces


def _stat(subject: Subject) -> str:
    if subject.percentile is not None:
        whole = subject.percentile.is_integer()
        return f".p{int(subject.percentile)}" if whole else f".p({subject.percentile!r})"
    return f".{subject.stat}" if subject.stat else ""


def _right(comparison: Comparison) -> str:
    right: Quantity | Relative = comparison.right
    return f"{right.text} of {subject_text(right.of)}" if isinstance(right, Relative) else right.text


def _value(value: str) -> str:
    if BARE_VALUE.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
