"""What is said of a share that should be whole: a metric of the requests that declares a `finding`."""

from __future__ import annotations

from collections.abc import Iterator

from genload.analysis.carried import carries
from genload.analysis.table import RequestTable
from genload.settings.metrics.catalogue import Catalogue


def share_notices(catalogue: Catalogue, table: RequestTable) -> Iterator[str]:
    """How many of the requests that carry a 1 or a 0 carry the 0."""
    for metric in catalogue.metrics.values():
        column = table.column(metric.key) if metric.finding else None
        others = 0 if column is None else int((column == 0).sum())
        if others:
            among = int(carries(table, metric.key).sum())
            yield f"{others:,} of {among:,} {metric.finding} ({metric.name})"
