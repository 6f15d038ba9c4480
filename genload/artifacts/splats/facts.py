"""What looking into Gaussian splats finds: facts, or the reason why there are none."""

from __future__ import annotations

import msgspec

from genload.artifacts.output_error import OutputError

Point = tuple[float, float, float]


class SplatsError(OutputError):
    """Some bytes are not the splats that a finished job owes.

    Attributes:
        error_class: ``empty_splats`` (none, or none that can be seen), ``nan_splats``, ``truncated``,
            ``not_splats`` (another kind of file, or one that contradicts itself); ``cannot_inspect`` for
            splats that seem valid, and that nothing here reads.
    """


class SplatsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What readable splats are. Lengths are in the file's own unit.

    Attributes:
        splats: how many there are.
        low, high: opposite corners of the axis-aligned box around their centres.
        is_placeholder: all lie at one point, or each is the same but for its place: what no model makes of
            a picture.
    """

    splats: int
    low: Point
    high: Point
    is_placeholder: bool
