"""Whether a job's output is the mesh that was ordered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from genload.artifacts.mesh.facts import MeshError, MeshFacts
from genload.errors import CANNOT_INSPECT
from genload.service import Artifact, CannotInspectError, ServiceError
from genload.spool import Content


@dataclass(frozen=True, slots=True)
class MeshCheck:
    """Inspects an output and gives the numbers for its record.

    Attributes:
        read: looks into bytes, as `Inspector.mesh` does: (content, format claimed by its name).
        ordered_format: the format that was asked for, "" if none.
        allow_placeholder: let a bare axis-aligned box pass as a result.
    """

    read: Callable[[Content, str], MeshFacts]
    ordered_format: str = ""
    allow_placeholder: bool = False

    def __call__(self, artifact: Artifact) -> dict[str, float]:
        """``faces``, ``vertices``, ``watertight`` (0 or 1) and, when a format was ordered,
        ``format_honoured`` (0 or 1): an answer in another format is told of, not failed.

        Raises:
            CannotInspectError: for a mesh that seems valid, and that nothing here reads.
            ServiceError: with the class of the `MeshError`, or ``placeholder``.
        """
        hint = PurePosixPath(artifact.name).suffix.removeprefix(".").lower()
        try:
            facts = self.read(artifact.content, hint)
        except MeshError as error:
            if error.error_class == CANNOT_INSPECT:
                raise CannotInspectError(error.message, error.numbers) from error
            raise ServiceError(error.error_class, f"{artifact.name}: {error.message}") from error
        if facts.is_box and not self.allow_placeholder:
            raise ServiceError(
                "placeholder", f"{artifact.name} is a box of 12 triangles, not a generated mesh"
            )
        numbers = {
            "faces": float(facts.faces),
            "vertices": float(facts.vertices),
            "watertight": float(facts.watertight),
        }
        if self.ordered_format:
            numbers["format_honoured"] = float(facts.format == self.ordered_format)
        return numbers
