"""Which requests count, for what is counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genload.analysis.carried import carries
from genload.analysis.evidence.estimate import BoolArray, FloatArray
from genload.analysis.table import OUTCOMES, RequestTable
from genload.errors import CANNOT_INSPECT
from genload.runlog.error_classes import UNANSWERED
from genload.settings.metrics.metric import Tally


def tallied(table: RequestTable, tally: Tally) -> BoolArray:
    """Which of all requests count, for what is counted by the request and its outcome."""
    which: dict[Tally, Callable[[], BoolArray]] = {
        Tally.ATTEMPTED: lambda: np.ones(len(table), dtype=np.bool_),
        Tally.COMPLETED: lambda: table.ok,
        Tally.FAILED: lambda: ~table.ok,
        Tally.UNFINISHED: lambda: table.outcome == OUTCOMES["unfinished"],
        Tally.UNANSWERED: lambda: table.failed_with(UNANSWERED),
        Tally.UNREADABLE: lambda: carries(table, CANNOT_INSPECT),
    }
    return which[tally]()


def rejections(table: RequestTable, rows: BoolArray) -> float:
    """Refusals met by these requests, retried or final."""
    column = table.column("rejections")
    return 0.0 if column is None else float(np.nansum(column[rows]))


def completed_within(table: RequestTable, rows: BoolArray, begin_s: float, end_s: float) -> BoolArray:
    """Those of the requests that succeeded and ended inside [begin, end], whenever they began."""
    return rows & table.ok & (table.end_s >= begin_s) & (table.end_s <= end_s)


def completions(table: RequestTable, rows: BoolArray, begin_s: float, end_s: float) -> FloatArray:
    """When those of the requests that succeeded ended, inside [begin, end]."""
    return table.end_s[completed_within(table, rows, begin_s, end_s)]
