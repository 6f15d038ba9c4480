"""Which requests carry a number, and why the others do not: failed, not inspected, or not applicable.

The records tell: those of inspected answers carry ``valid``, 1 or 0; those of answers that nothing here can
look into ``cannot_inspect``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.known import Numbers, known
from genload.analysis.table import RequestTable
from genload.errors import CANNOT_INSPECT
from genload.settings.metrics.metric import Failures, Metric


@dataclass(frozen=True)
class Inspection:
    """Which of some requests had their output inspected."""

    inspected: BoolArray
    valid: BoolArray
    answered: BoolArray  # those with an output that can be inspected: it was, or it is a success all the same
    unreadable: BoolArray  # those with an output that nothing here can look into

    @property
    def is_sample(self) -> bool:
        """Whether some outputs were inspected, and some were not."""
        return bool(0 < self.inspected.sum() < self.answered.sum())

    @property
    def words(self) -> str:
        """What an assumption says of it; empty when every output was inspected."""
        if not self.is_sample:
            return ""
        of = f"{int(self.inspected.sum()):,} of {int(self.answered.sum()):,} answers were inspected"
        return f"; from a random sample: {of}"


def inspection(table: RequestTable, rows: BoolArray) -> Inspection:
    """The inspections of these requests."""
    inspected = rows & carries(table, "valid")
    column = table.column("valid")
    valid = inspected if column is None else inspected & (column == 1)
    unreadable = rows & carries(table, CANNOT_INSPECT)
    return Inspection(inspected, valid, inspected | (rows & table.ok & ~unreadable), unreadable)


def carries(table: RequestTable, name: str) -> BoolArray:
    """Which requests carry a number."""
    column = table.column(name)
    return np.zeros(len(table), dtype=np.bool_) if column is None else ~np.isnan(column)


def uninspected_notices(remarks: Mapping[str, int]) -> Iterator[str]:
    """What is said, once, of outputs that nothing looked into: how many, why, and what helps."""
    if remarks:
        many = len(remarks) > 1
        why = "; ".join(f"{remark} ({count:,})" if many else remark for remark, count in remarks.items())
        total = f"{sum(remarks.values()):,}"
        yield f"output not inspected, which counts neither as valid nor as broken: of {total} requests. {why}"


@dataclass(frozen=True)
class Carried:
    """One number of some requests.

    Attributes:
        values: the whole column; NaN where a request has none.
        there: of the requests, those that carry it.
        ranked_last: failures, for an order in which they come last.
        sample: set when the number is known of a sample of the answers only.
        missing: why no statistic of it is judged though some carry it; empty when one is.
    """

    values: FloatArray
    there: BoolArray
    ranked_last: BoolArray
    sample: Inspection | None = None
    missing: str = ""

    @property
    def sampled(self) -> str:
        """What an assumption says of it; empty for a number of every request."""
        return self.sample.words if self.sample else ""


def carried(table: RequestTable, rows: BoolArray, metric: Metric) -> Carried:
    """What is known of one number among these requests, which may be none."""
    column = table.column(metric.key)
    values = np.full(len(table), np.nan) if column is None else column
    if metric.failures is Failures.COUNTED:
        return Carried(values, rows & ~np.isnan(values), np.zeros_like(rows))
    good, seen = rows & table.ok, inspection(table, rows)
    there = good & ~np.isnan(values)
    failed = np.zeros_like(rows) if metric.failures is Failures.LEFT_OUT else rows & ~table.ok
    how = known(metric, _numbers(table, good, there, seen))
    if how.of_sample:
        return Carried(values, there & seen.inspected, failed, seen)
    return Carried(values, there, failed, missing=how.missing)


def _numbers(table: RequestTable, good: BoolArray, there: BoolArray, seen: Inspection) -> Numbers:
    column = table.column("streamed")
    return Numbers(
        good=int(good.sum()),
        streamed=0 if column is None else int((good & (column == 1)).sum()),
        carry=int(there.sum()),
        inspected=int(seen.inspected.sum()),
        answered=int(seen.answered.sum()),
        good_inspected=int((good & seen.inspected).sum()),
        carry_inspected=int((there & seen.inspected).sum()),
    )
