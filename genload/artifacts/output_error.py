"""Why some bytes are not the output that is owed."""

from __future__ import annotations

from collections.abc import Mapping


class OutputError(Exception):
    """The base of what looking into each kind of output raises.

    Attributes:
        error_class: ``too_large`` (more than the inspector may unpack), ``inspector`` (the inspector itself
            failed), and what each kind has besides.
        message: one line, for people.
        numbers: what is known of the output all the same.
    """

    def __init__(self, error_class: str, message: str, numbers: Mapping[str, float] | None = None) -> None:
        super().__init__(f"{error_class}: {message}")
        self.error_class = error_class
        self.message = message
        self.numbers = dict(numbers or {})
