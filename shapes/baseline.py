"""One user, a few generations one after the other: what the service does when nobody else asks."""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.phases import Phase, Timeline
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Baseline(PhasedShape):
    """Ends when its generations have ended, however long they take."""

    class Settings(ShapeSettings, extra="forbid"):
        users: PositiveInt = 1
        iterations: PositiveInt = 5
        """Generations in all, after the warm-up."""

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        steady = Phase("steady", duration_s=None, users=settings.users, iterations=settings.iterations)
        return Timeline((steady,))
