"""How the output of a described service is looked at, and what is then known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from genload.artifacts.inspector import shared
from genload.artifacts.mesh.check import MeshCheck
from genload.artifacts.own.check import own_numbers
from genload.artifacts.picture.check import PictureCheck
from genload.artifacts.splats.check import SplatsCheck
from genload.described.numbers import metrics_of_check
from genload.described.output import Output
from genload.service import Artifact, NotInspectedError
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.outputs import OUTPUT_METRICS

Placeholder = Literal["fail", "allow"]


def _as_mesh(artifact: Artifact, ordered: str, allow: bool) -> dict[str, float]:
    return MeshCheck(shared().mesh, ordered, allow_placeholder=allow)(artifact)


def _as_splats(artifact: Artifact, ordered: str, allow: bool) -> dict[str, float]:
    return SplatsCheck(shared().splats, allow)(artifact)


def _as_picture(artifact: Artifact, ordered: str, allow: bool) -> dict[str, float]:
    return PictureCheck(shared().picture, ordered, allow_placeholder=allow)(artifact)


_CHECKS: Mapping[str, Callable[[Artifact, str, bool], dict[str, float]]] = {
    "mesh": _as_mesh,
    "splats": _as_splats,
    "image": _as_picture,
    "bytes": lambda artifact, ordered, allow: {},
}


def inspected(
    output: Output, artifact: Artifact, *, ordered: str = "", placeholder: Placeholder = "fail"
) -> dict[str, float]:
    """The numbers of an output for its record.

    Args:
        ordered: the format that was asked for.

    Raises:
        ServiceError: it is broken.
        NotInspectedError: it is not to be looked at, or nothing here reads it.
    """
    if output.kind == "none":
        raise NotInspectedError("the description wants it so: output: none")
    output.check_size(artifact)
    numbers = _CHECKS[output.kind](artifact, ordered, placeholder == "allow")
    if output.check is not None:
        numbers |= own_numbers(shared().own, output.check, artifact, output.factors)
    return numbers


def metrics_of_output(output: Output) -> tuple[Metric, ...]:
    """What criteria may name of it."""
    return (*OUTPUT_METRICS[output.kind], *metrics_of_check(output.numbers))
