"""The metric of outputs that may come in another format than was ordered."""

from __future__ import annotations

from genload.settings.metrics.metric import Metric, Of, request_share


def format_honoured(operation: str) -> Metric:
    """Of meshes and pictures, whose formats are told apart."""
    return request_share(
        f"{operation}.format_honoured",
        "outputs in the ordered format",
        "outputs in the ordered format ÷ outputs inspected where one was ordered",
        of=Of.INSPECTED,
        finding="outputs came in another format than was ordered",
    )
