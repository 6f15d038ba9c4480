"""What a user's own check says of an output."""

from __future__ import annotations


class OwnError(Exception):
    """The check gives no numbers.

    Attributes:
        error_class: ``bad_output`` (the check refuses it), ``client_error`` (a mistake in the check),
            ``too_large``, ``inspector`` (no answer).
        message: one line, for people.
    """

    def __init__(self, error_class: str, message: str) -> None:
        super().__init__(f"{error_class}: {message}")
        self.error_class = error_class
        self.message = message
