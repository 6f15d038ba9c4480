"""Which of a criterion's subjects can be told while the load runs, from running totals of its phases."""

from __future__ import annotations

from genload.settings.criteria.ast import Subject
from genload.settings.metrics.metric import Failures, Metric, Of


def is_running(subject: Subject, metric: Metric) -> bool:
    """Whether it can, of requests: not of parts of the load by time, nor of labels other than the phase; nor
    what needs more than running totals.
    """
    filters = {label for label, _ in subject.filters}
    if subject.window is not None or filters - {"phase"} or len(filters) < len(subject.filters):
        return False
    if metric.of is Of.HEARD:
        return False  # codes of all processes are together at the end alone
    if subject.stat is None:
        return metric.counts is not None
    return bool(metric.key) and not (subject.ok_only and metric.failures is Failures.COUNTED)
