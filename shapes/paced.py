"""A request every so often, whatever became of those before: does the service keep up with its callers?"""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.arrivals import arrivals_within, evenly, hands_for
from genload.settings.phases import Timeline
from genload.settings.units import Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


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
        arrivals = arrivals_within(settings.duration_s, settings.every_s)
        hands = hands_for(arrivals, settings.max_users, "max_users")
        return Timeline((evenly("paced", settings.duration_s, hands, settings.every_s),))
