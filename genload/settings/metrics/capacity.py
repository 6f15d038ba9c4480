"""The metrics of a search for how much the service holds."""

from __future__ import annotations

from genload.settings.capacity import ARRIVALS, USERS
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Metric

CAPACITY_METRICS = (
    Metric(
        USERS,
        Dimension.COUNT,
        (),
        "requests",
        "with a `capacity` of users: the highest level observed to hold; 0: not even the lowest",
    ),
    Metric(
        ARRIVALS,
        Dimension.RATE,
        (),
        "requests",
        "with a `capacity` of a rate: the same, in requests a time",
    ),
)
