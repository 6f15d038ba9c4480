"""What looking into a picture finds. Nothing that decodes pictures is needed here."""

from __future__ import annotations

import msgspec


class PictureError(Exception):
    """Some bytes are not the picture that a finished job owes.

    Attributes:
        error_class: ``not_a_picture``, ``truncated``, ``too_large`` (more pixels than the inspector may
            unpack), ``inspector`` (the inspector itself failed).
        message: one line, for people.
    """

    def __init__(self, error_class: str, message: str) -> None:
        super().__init__(f"{error_class}: {message}")
        self.error_class = error_class
        self.message = message


class PictureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a readable picture is."""

    format: str  # as its content says: png, jpeg, webp, …
    width_px: int
    height_px: int
    is_plain: bool  # one colour, give or take what codecs round; or nothing to be seen
