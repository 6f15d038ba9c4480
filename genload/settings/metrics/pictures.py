"""The metrics of an operation whose output is a picture; `genload.artifacts.picture.check` measures them."""

from __future__ import annotations

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.formats import format_honoured
from genload.settings.metrics.metric import Failures, Metric, Of, request_number


def picture_metrics(operation: str) -> tuple[Metric, ...]:
    """What is known of each output that was looked into."""
    sides = (
        request_number(
            f"{operation}.{side}_px",
            Dimension.COUNT,
            f"{side} of the picture in pixels",
            failures=Failures.LEFT_OUT,
            of=Of.INSPECTED,
        )
        for side in ("width", "height")
    )
    return (*sides, format_honoured(operation))
