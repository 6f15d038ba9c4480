"""Whether a job's output is a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genload.artifacts.picture.facts import PictureError, PictureFacts
from genload.service import Artifact, ServiceError
from genload.spool import Content


@dataclass(frozen=True, slots=True)
class PictureCheck:
    """Inspects an output and gives the numbers for its record.

    Attributes:
        read: looks into bytes, as `Inspector.picture` does.
        ordered_format: the format that was asked for, "" if none.
        allow_placeholder: let a picture of one colour pass as a result.
    """

    read: Callable[[Content], PictureFacts]
    ordered_format: str = ""
    allow_placeholder: bool = False

    def __call__(self, artifact: Artifact) -> dict[str, float]:
        """``width_px`` and ``height_px``; when a format was ordered, ``format_honoured`` (0 or 1).

        Raises:
            ServiceError: with the class of the `PictureError`, or ``placeholder``.
        """
        try:
            facts = self.read(artifact.content)
        except PictureError as error:
            raise ServiceError(error.error_class, f"{artifact.name}: {error.message}") from error
        if facts.is_plain and not self.allow_placeholder:
            raise ServiceError("placeholder", f"{artifact.name} is a picture of one colour, or of none")
        numbers = {"width_px": float(facts.width_px), "height_px": float(facts.height_px)}
        if self.ordered_format:
            numbers["format_honoured"] = float(facts.format == self.ordered_format)
        return numbers
