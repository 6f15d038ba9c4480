"""Criteria, step three: whether metric, statistic, filters and units fit what the scenario has.

Checked before any load is sent, so that a criterion never passes because it named nothing.
"""

from __future__ import annotations

from genload.settings.criteria.ast import (
    Comparison,
    Conjunction,
    Dimension,
    Each,
    Expression,
    Interval,
    Quantity,
    Relative,
    Subject,
    Window,
)
from genload.settings.criteria.error import CriterionError
from genload.settings.criteria.write import subject_text
from genload.settings.metrics.catalogue import ANY_LABEL, Catalogue
from genload.settings.metrics.metric import SERIES_STATS, Metric
from genload.settings.suggestion import suggest

_EXAMPLES = {
    Dimension.TIME: "a time such as 90s",
    Dimension.BYTES: "a size such as 22GiB",
    Dimension.RATIO: "a share such as 5% or 1/3",
    Dimension.COUNT: "a bare number such as 50",
    Dimension.RATE: "a rate such as 30/min",
    Dimension.BYTE_RATE: "a rate such as 5MiB/min",
    Dimension.STATE: "0 or 1",
    Dimension.PLAIN: "a bare number",
}


def check(expression: Expression, catalogue: Catalogue) -> None:
    """Check one criterion of a scenario.

    Raises:
        CriterionError: the first thing in it that does not fit, with what would.
    """
    label = None
    if isinstance(expression, Each):
        label, expression = expression.label, expression.body
        _known_each_label(label, catalogue)
    parts = expression.parts if isinstance(expression, Conjunction) else (expression,)
    for part in parts:
        _check_part(part, label, catalogue)


def _check_part(part: Comparison | Interval, label: str | None, catalogue: Catalogue) -> None:
    _check_subject(part.subject, catalogue)
    if label is not None:
        _check_each(part.subject, label, catalogue)
        if isinstance(part, Comparison) and isinstance(part.right, Relative):
            _check_each(part.right.of, label, catalogue)
    if isinstance(part, Interval):
        _check_value(part.low, part.subject, catalogue)
        _check_value(part.high, part.subject, catalogue)
        if part.low.value > part.high.value:
            raise CriterionError(
                f"{part.low.text}..{part.high.text} is empty",
                remedy=f"the smaller one first: {part.high.text}..{part.low.text}",
            )
    elif isinstance(part.right, Relative):
        _check_relative(part.right, part.subject, catalogue)
    else:
        _check_value(part.right, part.subject, catalogue)


def _metric(subject: Subject, catalogue: Catalogue) -> Metric | None:
    """The subject's metric; None for one of an open namespace."""
    metric = catalogue.metrics.get(subject.metric)
    if metric is None and not subject.metric.startswith(catalogue.open_prefixes):
        raise CriterionError(
            f"unknown metric '{subject.metric}'", remedy=suggest(subject.metric, catalogue.metrics)
        )
    return metric


def _check_subject(subject: Subject, catalogue: Catalogue) -> None:
    metric = _metric(subject, catalogue)
    _check_stat(subject, SERIES_STATS if metric is None else metric.stats)
    sampled = metric is None or metric.source == "samples"
    if subject.ok_only and (metric is None or metric.is_series or subject.stat is None):
        raise CriterionError(
            f"'ok.' does not go with {subject.metric}",
            remedy="it leaves out failed requests from a statistic: ok.generate.duration.p95",
        )
    for label, value in subject.filters:
        if sampled and label != "phase":
            _check_sample_label(subject, label, catalogue)
            continue
        _known_label(label, catalogue)
        values = catalogue.labels[label]
        if values and value not in values:
            raise CriterionError(f"unknown {label} '{value}'", remedy=suggest(value, values))
    if subject.window is not None:
        _check_window(subject.window, catalogue)


def _check_sample_label(subject: Subject, label: str, catalogue: Catalogue) -> None:
    """Values are any: which replicas and GPUs there are, only the run will know."""
    known = catalogue.labels_of_samples(subject.metric)
    if label not in known and ANY_LABEL not in known:
        others = "".join(f", {each}" for each in known)
        raise CriterionError(
            f"{subject.metric} has no label '{label}'",
            remedy=f"the monitors of this suite let it be filtered by phase{others} and by first(…), last(…)",
        )


def _check_stat(subject: Subject, stats: tuple[str, ...]) -> None:
    shown = ", ".join("p95, p(99.9)" if stat == "p" else stat for stat in stats)
    if subject.stat is None and stats:
        raise CriterionError(
            f"{subject.metric} needs a statistic",
            remedy=f"write {subject.metric}.{stats[0]}; there are: {shown}",
        )
    if subject.stat is not None and subject.stat not in stats:
        raise CriterionError(
            f"{subject.metric} has no statistic '{subject.stat}'",
            remedy=f"use one of: {shown}"
            if stats
            else f"it is a number itself: write {subject.metric} alone",
        )


def _check_window(window: Window, catalogue: Catalogue) -> None:
    if window.length.value <= 0:
        raise CriterionError(
            f"the window {window.side}({window.length.text}) is empty",
            remedy="write a time above 0, as last(10min)",
        )
    # A hair of tolerance: the load's length is a sum of scaled phases.
    if window.length.value > catalogue.duration_s * (1 + 1e-9):
        raise CriterionError(
            f"{window.side}({window.length.text}) is longer than the load of {catalogue.duration_s:g}s",
            remedy="make the window shorter, or the load longer",
        )


def _known_label(label: str, catalogue: Catalogue) -> None:
    if label not in catalogue.labels:
        raise CriterionError(f"unknown label '{label}'", remedy=suggest(label, catalogue.labels))


def _known_each_label(label: str, catalogue: Catalogue) -> None:
    known = {**catalogue.labels, **catalogue.sample_labels}
    if label not in known and ANY_LABEL not in known:
        raise CriterionError(f"unknown label '{label}'", remedy=suggest(label, known))


def _check_each(subject: Subject, label: str, catalogue: Catalogue) -> None:
    if label in dict(subject.filters):
        raise CriterionError(
            f"{subject_text(subject)} is held to one {label} already",
            remedy=f"take out the filter, or each({label})",
        )
    metric = _metric(subject, catalogue)
    if metric is None or metric.source == "samples":
        known = ("phase", *catalogue.labels_of_samples(subject.metric))
    else:
        known = tuple(catalogue.labels)
    if label not in known and ANY_LABEL not in known:
        raise CriterionError(
            f"{subject.metric} has no label '{label}'",
            remedy=f"make it a criterion of its own, without each({label})",
        )


def _check_relative(right: Relative, subject: Subject, catalogue: Catalogue) -> None:
    _check_subject(right.of, catalogue)
    left_is, right_is = catalogue.unit(subject), catalogue.unit(right.of)
    if left_is is not None and right_is is not None and left_is is not right_is:
        raise CriterionError(
            f"{subject_text(subject)} and {subject_text(right.of)} measure different things",
            remedy=f"compare {_EXAMPLES[left_is]} with its like",
        )


def _check_value(value: Quantity, subject: Subject, catalogue: Catalogue) -> None:
    wanted = catalogue.unit(subject)
    if wanted is None:
        return
    if wanted is Dimension.STATE:
        fits = value.dimension is Dimension.COUNT and value.value in (0, 1)
    elif wanted is Dimension.PLAIN:
        fits = value.dimension is Dimension.COUNT
    else:
        # 0 is the same in every unit.
        fits = value.dimension is wanted or (value.dimension is Dimension.COUNT and value.value == 0)
    if not fits:
        raise CriterionError(
            f"'{value.text}' does not fit {subject_text(subject)}", remedy=f"write {_EXAMPLES[wanted]}"
        )
