"""Which requests carry a number, and why the others do not: failed, not inspected, or not applicable.

With ``validate: sample 10%`` the numbers that need decoding exist for a random sample of the answers. They
are then estimated from it, and every statement on them says so; a number that is missing for any other
reason is not judged. The records tell: those of inspected answers carry ``valid``, 1 or 0; those of answers
that nothing here can look into ``cannot_inspect``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from genload.analysis.evidence import BoolArray, FloatArray
from genload.analysis.table import RequestTable
from genload.errors import CANNOT_INSPECT

LEAST_WITH_NUMBER = 0.95
"""Share of those successes that should carry a number before a statistic of it is judged."""

OF_EVERY_ATTEMPT = frozenset({"characters", "start_delay"})
"""Known before anything can fail."""

NEITHER_WAY = frozenset({"audio_duration", "rms"})
"""More of it is neither better nor worse, so that a failed request has no place in its order."""

OF_STREAMS = frozenset({"stalls", "underrun", "startup_buffer"})
"""Said of an answer that a listener could begin with before it ended, and of no other."""


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
    inspected = rows & _there(table, "valid")
    column = table.column("valid")
    valid = inspected if column is None else inspected & (column == 1)
    unreadable = rows & _there(table, CANNOT_INSPECT)
    return Inspection(inspected, valid, inspected | (rows & table.ok & ~unreadable), unreadable)


def _there(table: RequestTable, name: str) -> BoolArray:
    """Which requests carry a number."""
    column = table.column(name)
    return np.zeros(len(table), dtype=np.bool_) if column is None else ~np.isnan(column)


def uninspected_notices(remarks: Mapping[str, int]) -> Iterator[str]:
    """What is said, once, of outputs that nothing here can look into: how many, why, and what helps."""
    if remarks:
        many = len(remarks) > 1
        why = "; ".join(f"{remark} ({count:,})" if many else remark for remark, count in remarks.items())
        total = f"{sum(remarks.values()):,}"
        yield f"outputs that could not be inspected, and count neither as valid nor as broken: {total}. {why}"


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


def carried(table: RequestTable, rows: BoolArray, name: str) -> Carried:
    """What is known of one number among these requests, which may be none."""
    column = table.column(name)
    values = np.full(len(table), np.nan) if column is None else column
    good = rows & table.ok
    if name in OF_EVERY_ATTEMPT:
        return Carried(values, rows & ~np.isnan(values), np.zeros_like(rows))
    there = good & ~np.isnan(values)
    failed = np.zeros_like(rows) if name in NEITHER_WAY else rows & ~table.ok
    found = Carried(values, there, failed)
    if name in OF_STREAMS and (whole := _not_streamed(table, good)):
        return Carried(values, there, failed, missing=whole)
    if there.sum() >= LEAST_WITH_NUMBER * good.sum() or not there.any():
        return found
    seen = inspection(table, rows)
    of_sample = (there & seen.inspected).sum() >= LEAST_WITH_NUMBER * (good & seen.inspected).sum()
    if seen.is_sample and of_sample:
        return Carried(values, there & seen.inspected, failed, seen)
    lacking = f"{name} in every request: {there.sum()} of {good.sum()} have it"
    return Carried(values, there, failed, missing=lacking)


def _not_streamed(table: RequestTable, good: BoolArray) -> str:
    """Why nothing is said of stalls: too few of these successes were streamed; empty when enough were."""
    column = table.column("streamed")
    total = int(good.sum())
    streamed = 0 if column is None else int((good & (column == 1)).sum())
    if total == 0 or streamed >= LEAST_WITH_NUMBER * total:
        return ""
    how_many = "none" if streamed == 0 else f"{streamed:,}"
    return f"streamed answers: {how_many} of {total:,} were, and a whole answer has no playback to stall"
