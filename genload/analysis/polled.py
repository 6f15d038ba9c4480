"""What polls leave open of each job's times: the earliest and latest that its records allow."""

from __future__ import annotations

import numpy as np

from genload.analysis.evidence.estimate import FloatArray
from genload.analysis.table import RequestTable

# By which numbers of a record a time may be shorter, and longer, than it was seen; see
# `genload.drivers.job_driver`.
_SHORTER = {
    "duration": ("poll_bound_s",),
    "server_duration_s": ("poll_bound_s",),
    "stage.run": ("begin_bound_s", "poll_bound_s"),
}
_LONGER = {"stage.queue": ("begin_bound_s",)}


def bounds(table: RequestTable, key: str) -> tuple[FloatArray, FloatArray] | None:
    """The least and the greatest that each request's time can be; NaN where it has none.

    Args:
        key: of the time in a record: ``duration``, ``server_duration_s``, ``stage.NAME``.

    None where polls leave nothing of it open. A request without polls (it failed before, or another client
    made it) has the same on both sides.
    """
    values = table.column(key)
    if values is None or (key not in _SHORTER and key not in _LONGER):
        return None
    shorter, longer = (_sum(table, names.get(key, ())) for names in (_SHORTER, _LONGER))
    if not (shorter.any() or longer.any()):
        return None
    return np.maximum(values - shorter, 0.0), values + longer


def _sum(table: RequestTable, names: tuple[str, ...]) -> FloatArray:
    total = np.zeros(len(table))
    for name in names:
        column = table.column(name)
        if column is not None:
            total += np.nan_to_num(column)
    return total
