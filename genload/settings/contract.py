"""What a suite expects of its service's own numbers: which there are, and what they must add up to."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from genload.settings.model import Settings

FamilyName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$", max_length=200)]
CounterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=200)]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise PydanticCustomError(
                "expects", "'{name}' stands there twice", {"name": name, "remedy": "name each family once"}
            )
    return names


Expects = Annotated[tuple[FamilyName, ...], AfterValidator(_each_once)]
"""Metric families by the names of a page's ``# TYPE`` lines; a counter's ``_total`` may be left out."""


class Reconcile(Settings):
    """Which metric of a monitor counts what the client counts too: ``completed: prom.generations``.

    Each is the name of a metric that a monitor of the suite fills.
    """

    sent: CounterName | None = None
    """Counter of orders that came in; against those that were sent, refused ones tried again included."""
    accepted: CounterName | None = None
    """Counter of jobs taken on; against those that were accepted."""
    completed: CounterName | None = None
    """Counter of successes; against outputs that came and were in order."""
    failed: CounterName | None = None
    """Counter of failures; against requests that failed."""
    in_flight: CounterName | None = None
    """Gauge of jobs under way; against those that were."""
