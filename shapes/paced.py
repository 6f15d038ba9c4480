"""A request every so often, whatever became of those before: does the service keep up with its callers?"""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.phases import Phase, Timeline
from genload.settings.units import Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape

MOST_USERS = 2000
"""Without a limit of its own; each takes a connection while it waits for its answer."""


class Paced(PhasedShape):
    """Phase ``paced``: an open schedule (docs/decisions/0005-open-schedule.md)."""

    class Settings(ShapeSettings, extra="forbid"):
        every_s: Seconds = 0.2
        """The time between two intended starts; the first is the load's beginning."""
        duration_s: Seconds = 10.0
        max_users: PositiveInt | None = None
        """The most requests in flight at once; None: all of them may be. Beyond it, requests start late."""

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        if settings.every_s <= 0 or settings.duration_s <= 0:
            raise ValueError("both every and duration must be more than 0")
        phase = Phase("paced", settings.duration_s, users=1, every_s=settings.every_s)
        arrivals = phase.arrivals or 0
        if settings.max_users is None and arrivals > MOST_USERS:
            raise ValueError(
                f"{arrivals} requests may all be in flight at once, and need a user each: set max_users "
                "to the most that you want in flight"
            )
        users = arrivals if settings.max_users is None else min(settings.max_users, arrivals)
        return Timeline((Phase("paced", settings.duration_s, users, every_s=settings.every_s),))
