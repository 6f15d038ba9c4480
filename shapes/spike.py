"""A burst of users between two quiet stretches: does the service survive it, and recover?"""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.phases import Phase, Timeline
from genload.settings.units import Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Spike(PhasedShape):
    """Phases ``baseline``, ``spike`` and ``recovery``, each at once at its own level."""

    class Settings(ShapeSettings, extra="forbid"):
        low: PositiveInt = 2
        """Users before and after."""
        high: PositiveInt = 20
        """Users during the spike."""
        before_s: Seconds = 120.0
        during_s: Seconds = 60.0
        after_s: Seconds = 120.0

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        return Timeline(
            (
                Phase("baseline", settings.before_s, settings.low),
                Phase("spike", settings.during_s, settings.high),
                Phase("recovery", settings.after_s, settings.low),
            )
        )
