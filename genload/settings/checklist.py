"""Questions about a whole suite that its reports answer from what was recorded, each by one condition."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import PositiveInt, StringConstraints, model_validator

from genload.settings.model import Settings
from genload.settings.units import Ratio

CriterionPath = Annotated[str, StringConstraints(pattern=r"^[^/]+/([^/]+/)?[^/]+$")]
Question = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Condition(Settings):
    """What ticks a question: exactly one of these."""

    scenarios: Literal["all"] | None = None
    """Every scenario of the suite has run to its end."""
    criteria: tuple[CriterionPath, ...] = ()
    """These criteria hold, as SCENARIO/CRITERION, or SCENARIO/POPULATION/CRITERION."""
    error_rate_below: Ratio | None = None
    """No scenario had so many errors, and no monitor saw the service restart or go away."""
    live_families: PositiveInt | None = None
    """So many of the expected metric families moved."""
    report: str | None = None
    """This report is written."""
    by_hand: str | None = None
    """A person has to answer it; why."""

    @model_validator(mode="after")
    def _one(self) -> Condition:
        # A run directory has all of them, null or empty where they are none.
        if sum(condition not in (None, ()) for _, condition in self) != 1:
            names = ", ".join(type(self).model_fields)
            raise ValueError(f"a question has exactly one condition, of {names}")
        return self


Checklist = dict[Question, dict[Question, Condition]]
"""Questions under headings."""
