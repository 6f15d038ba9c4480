"""One mistake in a description, and all of them as the error of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """What is wrong with the value of a key, and what to do about it."""

    place: Place
    reason: str
    remedy: str


def refuse(model: str, problems: Iterable[Problem]) -> None:
    """Raises ValidationError: each of them, at its place; nothing where there is none."""
    errors = [
        InitErrorDetails(
            type=PydanticCustomError("described", "{reason}", {"reason": reason, "remedy": remedy}),
            loc=place,
            input=None,
        )
        for place, reason, remedy in problems
    ]
    if errors:
        raise ValidationError.from_exception_data(model, errors)
