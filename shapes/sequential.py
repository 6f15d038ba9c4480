"""One request after the other: what does the service do when it never has two at once?"""

from __future__ import annotations

from pydantic import PositiveInt

from genload.settings.phases import Phase, Timeline
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Sequential(PhasedShape):
    """Phase ``sequence``: one user; a pause between its requests is the scenario's `think`."""

    class Settings(ShapeSettings, extra="forbid"):
        requests: PositiveInt = 15
        """How many in all, after the warm-up."""

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        return Timeline((Phase("sequence", duration_s=None, users=1, iterations=settings.requests),))
