"""What a user's own check says of an output."""

from __future__ import annotations

from genload.artifacts.output_error import OutputError


class OwnError(OutputError):
    """The check gives no numbers.

    Attributes:
        error_class: ``bad_output`` (the check refuses it), ``client_error`` (a mistake in the check).
    """
