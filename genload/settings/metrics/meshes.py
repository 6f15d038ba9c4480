"""The metrics of an operation whose output is a mesh; `genload.artifacts.mesh.check` measures them."""

from __future__ import annotations

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.formats import format_honoured
from genload.settings.metrics.metric import Failures, Metric, Of, request_number, request_share


def mesh_metrics(operation: str) -> tuple[Metric, ...]:
    """What is known of each output that was looked into."""

    def count(name: str, help: str) -> Metric:
        return request_number(
            f"{operation}.{name}", Dimension.COUNT, help, failures=Failures.LEFT_OUT, of=Of.INSPECTED
        )

    return (
        count("faces", "triangles of the mesh"),
        count("vertices", "vertices of the mesh"),
        request_share(
            f"{operation}.watertight",
            "watertight meshes",
            "outputs without a hole ÷ outputs inspected",
            of=Of.INSPECTED,
        ),
        format_honoured(operation),
    )
