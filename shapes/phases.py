"""Phases of your own, one after the other; of several populations, with how many users each has in which."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Self

from pydantic import Field, NonNegativeInt, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from genload.settings.model import Settings as Model
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import PopulationName
from genload.settings.units import Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Stretch(Model):
    """One phase."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=40)]
    """What criteria filter by."""
    duration_s: Seconds
    users: NonNegativeInt | dict[PopulationName, NonNegativeInt]
    """How many are at work; of several populations so many of each, and none of those that are left out."""


class Phases(PhasedShape):
    """Each phase at once at its own level (docs/tenants.md)."""

    class Settings(ShapeSettings, extra="forbid"):
        phases: Annotated[tuple[Stretch, ...], Field(min_length=1, max_length=1000)]
        """In their order: `{name: alone, duration: 5min, users: 4}`."""

        @model_validator(mode="after")
        def _alike(self) -> Self:
            if len({isinstance(phase.users, int) for phase in self.phases}) > 1:
                raise PydanticCustomError(
                    "phases",
                    "some phases say how many users, and others of which population",
                    {"remedy": "write users of each phase in the same way, as in users: {speech: 12}"},
                )
            return self

        @property
        def populations(self) -> Collection[str]:
            counts = (phase.users for phase in self.phases if not isinstance(phase.users, int))
            return tuple(dict.fromkeys(name for users in counts for name in users))

        def of_population(self, name: str) -> Self | None:
            if name not in self.populations:
                return None
            alone = (phase.model_copy(update={"users": _users(phase, name)}) for phase in self.phases)
            return self.model_copy(update={"phases": tuple(alone)})

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        timeline = Timeline(tuple(Phase(p.name, p.duration_s, _users(p)) for p in settings.phases))
        if any(phase.duration_s == 0 for phase in timeline.phases):
            raise ValueError("a phase lasts no time: its duration must be more than 0")
        if timeline.max_users == 0:
            raise ValueError("nobody is at work in any phase: let one have a user")
        return timeline


def _users(phase: Stretch, population: str = "") -> int:
    """Of one population, or of all together."""
    if isinstance(phase.users, int):
        return phase.users
    return phase.users.get(population, 0) if population else sum(phase.users.values())
