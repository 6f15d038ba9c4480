"""What a criterion speaks of: its subjects, wherever in the tree they stand."""

from __future__ import annotations

from collections.abc import Iterator

from genload.settings.criteria.ast import Comparison, Conjunction, Each, Expression, Relative, Subject


def subjects(expression: Expression) -> Iterator[Subject]:
    """Everything that a criterion looks at, on both sides of its comparisons."""
    if isinstance(expression, Each):
        expression = expression.body
    for part in expression.parts if isinstance(expression, Conjunction) else (expression,):
        yield part.subject
        if isinstance(part, Comparison) and isinstance(part.right, Relative):
            yield part.right.of


def label_names(expression: Expression) -> Iterator[str]:
    """Every label that a criterion names: of its filters, and of ``each``."""
    if isinstance(expression, Each):
        yield expression.label
    for subject in subjects(expression):
        yield from (label for label, _ in subject.filters)
