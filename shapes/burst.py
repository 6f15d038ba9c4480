"""Many users at the same instant, one request each: how does the service take a crowd at its door?"""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.phases import Phase, Timeline
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Burst(PhasedShape):
    """Phase ``burst``: the users are made first, let go together, and the load ends with their requests."""

    class Settings(ShapeSettings, extra="forbid"):
        users: PositiveInt = 20
        """How many, with one request each."""

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        users = settings.users
        return Timeline((Phase("burst", duration_s=None, users=users, iterations=users, per_user=1),))
