"""Listeners who leave, a few at a time and then all at once: does the service notice, and stop?"""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.phases import Phase, Timeline
from genload.settings.units import Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Walkout(PhasedShape):
    """Phases ``stay``, where nobody leaves; ``mixed``, where some do, as the scenario's `leave` says;
    ``walkout``, at whose end all leave at once; and ``after``, in which nobody asks for anything.
    """

    class Settings(ShapeSettings, extra="forbid"):
        users: PositiveInt = 10
        stay_s: Seconds = 60.0
        """Without leavers, to compare with; 0: none of it."""
        mixed_s: Seconds = 60.0
        """The same load with them; 0: none of it."""
        until_s: Seconds = 30.0
        """How long the last phase goes on before everybody leaves."""
        watch_s: Seconds = 60.0
        """How long the service is then watched; longer than an answer takes."""

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        if settings.until_s <= 0 or settings.watch_s <= 0:
            raise ValueError("both until and watch must be more than 0: somebody must leave, and be watched")
        phases = (
            Phase("stay", settings.stay_s, settings.users, leave_share=0.0),
            Phase("mixed", settings.mixed_s, settings.users),
            Phase("walkout", settings.until_s, settings.users, leave_share=0.0, all_leave=True),
            Phase("after", settings.watch_s, 0),
        )
        return Timeline(tuple(phase for phase in phases if phase.duration_s))
