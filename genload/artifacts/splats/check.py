"""Whether a job's output are Gaussian splats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from genload.artifacts.splats.facts import SplatsError, SplatsFacts
from genload.errors import CANNOT_INSPECT
from genload.service import Artifact, CannotInspectError, ServiceError
from genload.spool import Content


@dataclass(frozen=True, slots=True)
class SplatsCheck:
    """Inspects an output and gives the numbers for its record.

    Attributes:
        read: looks into bytes, as `Inspector.splats` does: (content, format claimed by its name).
        allow_placeholder: let splats pass that no model makes of a picture.
    """

    read: Callable[[Content, str], SplatsFacts]
    allow_placeholder: bool = False

    def __call__(self, artifact: Artifact) -> dict[str, float]:
        """``splats``, and the box around their centres: ``low_x`` … ``high_z``, ``extent_x`` … ``extent_z``.

        Raises:
            CannotInspectError: for splats that seem valid, and that nothing here reads.
            ServiceError: with the class of the `SplatsError`, or ``placeholder``.
        """
        hint = PurePosixPath(artifact.name).suffix.removeprefix(".").lower()
        try:
            facts = self.read(artifact.content, hint)
        except SplatsError as error:
            if error.error_class == CANNOT_INSPECT:
                raise CannotInspectError(error.message, error.numbers) from error
            raise ServiceError(error.error_class, f"{artifact.name}: {error.message}") from error
        if facts.is_placeholder and not self.allow_placeholder:
            words = "splats that are all alike, or all at one point: no generated object"
            raise ServiceError("placeholder", f"{artifact.name} has {facts.splats} {words}")
        numbers = {"splats": float(facts.splats)}
        for axis, low, high in zip("xyz", facts.low, facts.high, strict=True):
            numbers |= {f"low_{axis}": low, f"high_{axis}": high, f"extent_{axis}": high - low}
        return numbers
