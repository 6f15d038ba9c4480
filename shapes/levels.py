"""How much can the service hold? Levels of load, of which only the first is known before the run."""

from __future__ import annotations

from genload.settings.capacity import RateSearch, UserSearch
from genload.settings.phases import Timeline
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Levels(PhasedShape):
    """The first level of a scenario's `capacity`, which chooses this shape; the others are announced while
    the load goes on (docs/capacity.md)."""

    class Settings(ShapeSettings, extra="forbid"):
        capacity: UserSearch | RateSearch
        """The scenario's."""
        seed: int | None = None
        """Of the arrivals: the run's own."""

        def of_run(self, seed: int) -> Levels.Settings:
            return self if self.seed is not None else self.model_copy(update={"seed": seed})

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        search, seed = settings.capacity, settings.seed or 0
        return Timeline(search.phases(1, search.lowest, seed), later=search.largest)
