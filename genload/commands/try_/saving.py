"""Keeping what `genload try` has shown."""

from __future__ import annotations

from pathlib import Path

from genload.errors import UsageError


def keep(path: Path, text: str) -> None:
    """Write it, as it was shown.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "no such path"
        raise UsageError(f"{path} cannot be written: {reason}", remedy="give --save another FILE") from error
