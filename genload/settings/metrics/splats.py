"""The metrics of an operation whose output are splats; `genload.artifacts.splats.check` measures them."""

from __future__ import annotations

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Failures, Metric, Of, request_number

_SIDES = {
    "low": "least {} of a centre",
    "high": "greatest {} of a centre",
    "extent": "from the least {} of a centre to the greatest",
}


def splats_metrics(operation: str) -> tuple[Metric, ...]:
    """What is known of each output that was looked into. Lengths are in the file's own unit."""

    def number(name: str, dimension: Dimension, help: str) -> Metric:
        return request_number(
            f"{operation}.{name}", dimension, help, failures=Failures.LEFT_OUT, of=Of.INSPECTED
        )

    return (
        number("splats", Dimension.COUNT, "Gaussian splats"),
        *(
            number(f"{side}_{axis}", Dimension.PLAIN, words.format(axis))
            for side, words in _SIDES.items()
            for axis in "xyz"
        ),
    )
