"""Recorded traffic again: each request comes when it came, and asks for what it asked for."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PositiveInt

from genload.artifacts.inputs.trace import digest, read_trace
from genload.errors import ConfigError
from genload.settings.arrivals import hands_for, replay
from genload.settings.phases import Timeline
from genload.settings.units import RealSeconds, Speed
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape


class Replay(PhasedShape):
    """Phase ``replay``: an open schedule (docs/decisions/0005-open-schedule.md)."""

    class Settings(ShapeSettings, extra="forbid"):
        file: str
        """JSON lines with ``at`` and, if wanted, ``text``, ``voice``, ``length`` and ``image``."""
        speed: Annotated[Speed, Field(gt=0, allow_inf_nan=False)] = 1.0
        """How many times as fast as it was recorded: 2 halves all pauses."""
        max_in_flight: PositiveInt | None = None
        """The most requests in flight at once; None: all of them may be. Beyond it, requests start late."""
        longest_gap_s: RealSeconds = 3600.0
        """The longest pause in the file, as recorded, that is not taken for a mistake."""
        digest: str = ""
        """Of the file's content; of a run, so that no worker replays another file of that name."""

        def of_run(self, seed: int) -> Self:
            return self.model_copy(update={"digest": digest(Path(self.file).expanduser())})

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        path = Path(settings.file).expanduser()
        trace = read_trace(path, settings.longest_gap_s)
        if settings.digest and digest(path) != settings.digest:
            raise ConfigError(
                "this is another file than where the run was started",
                file=str(path),
                remedy="copy that one to this machine",
            )
        hands = hands_for(len(trace.at_s), settings.max_in_flight, "max_in_flight")
        due_s = array("d", (at_s / settings.speed for at_s in trace.at_s))
        return replay("replay", due_s, trace.asks, hands)
