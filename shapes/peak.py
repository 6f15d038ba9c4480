"""The most users the service should ever see at once."""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.phases import Timeline, steady_load
from genload.settings.units import Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Peak(PhasedShape):
    class Settings(ShapeSettings, extra="forbid"):
        users: PositiveInt = 10
        duration_s: Seconds = 300.0
        """Length of the whole load, the ramp included."""
        ramp_s: Seconds = 0.0
        """Time to reach all users, evenly; 0 starts them together."""

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        return steady_load(settings.users, settings.duration_s, settings.ramp_s)
