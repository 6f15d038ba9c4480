"""What looking into a picture finds. Nothing that decodes pictures is needed here."""

from __future__ import annotations

import msgspec

from genload.artifacts.output_error import OutputError


class PictureError(OutputError):
    """Some bytes are not the picture that a finished job owes.

    Attributes:
        error_class: ``not_a_picture``, ``truncated``.
    """


class PictureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a readable picture is."""

    format: str  # as its content says: png, jpeg, webp, …
    width_px: int
    height_px: int
    is_plain: bool  # one colour, give or take what codecs round; or nothing to be seen
