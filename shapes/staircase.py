"""More and more users, a step at a time: where does it begin to hurt?"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from genload.settings.phases import Phase, Timeline
from genload.settings.units import Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape

MOST_STEPS = 1000


class Staircase(PhasedShape):
    """Phases ``step1``, ``step2``, …, each at once at its own level."""

    class Settings(ShapeSettings, extra="forbid"):
        low: PositiveInt = 1
        """Users of the first step."""
        high: PositiveInt = 8
        """Users of the last step."""
        by: PositiveInt = 1
        """How many users each step has more than the one before; the last may have fewer more."""
        users: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=MOST_STEPS)] | None = None
        """The steps' users one by one, up or down, in place of `low`, `high` and `by`."""
        each_s: Seconds = 120.0
        """Length of a step."""

        @model_validator(mode="after")
        def _up(self) -> Self:
            if self.users is None and self.low > self.high:
                raise PydanticCustomError(
                    "staircase",
                    "the first step is above the last: low is more than high",
                    {"remedy": "for stairs that lead down, name the steps: users: [8, 4, 2, 1]"},
                )
            if len(self.levels) > MOST_STEPS:
                raise PydanticCustomError(
                    "staircase",
                    "too many steps",
                    {"remedy": f"let `by` be larger: {MOST_STEPS} steps at most"},
                )
            return self

        @property
        def levels(self) -> tuple[int, ...]:
            """Users of each step."""
            return self.users or (*range(self.low, self.high, self.by), self.high)

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        if settings.each_s <= 0:
            raise ValueError("`each` must be more than 0: every step takes its time")
        steps = enumerate(settings.levels, 1)
        return Timeline(tuple(Phase(f"step{number}", settings.each_s, users) for number, users in steps))
