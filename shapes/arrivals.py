"""Callers who come at a rate, evenly or at random, whatever became of those before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, PositiveInt, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from genload.settings.arrivals import Process, Stage, open_load
from genload.settings.model import Settings as Model
from genload.settings.phases import Timeline
from genload.settings.units import PerSecond, Seconds
from genload.settings.wing_models import ShapeSettings
from genload.shape import PhasedShape

_WAYS = ("rate_per_s", "rates_per_s", "stages")


class RateStage(Model):
    """One stretch of a load in stages."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=40)] | None = None
    """The phase's; ``stage1``, ``stage2``, … unless set."""
    rate_per_s: PerSecond
    to_per_s: PerSecond | None = None
    """The rate at its end, which it moves to evenly; the same unless set."""
    duration_s: Seconds


class Arrivals(PhasedShape):
    """Phase ``arrivals``, or one for each stage: an open schedule (docs/decisions/0005-open-schedule.md)."""

    class Settings(ShapeSettings, extra="forbid"):
        process: Process = "poisson"
        """``poisson``: as callers come who know nothing of each other; ``constant``: evenly."""
        rate_per_s: PerSecond | None = None
        """How many come; exactly one of `rate`, `rates` and `stages` is given."""
        rates_per_s: Annotated[tuple[PerSecond, ...], Field(min_length=1, max_length=1000)] | None = None
        """Rates one after the other, each for an equal part of `duration`: stairs, or a day's 24 hours."""
        stages: Annotated[tuple[RateStage, ...], Field(min_length=1, max_length=1000)] | None = None
        """Stretches with a length and a rate each; `duration` is their sum then, and is not given."""
        duration_s: Seconds | None = None
        max_in_flight: PositiveInt | None = None
        """The most requests in flight at once; None: all of them may be. Beyond it, requests start late."""
        seed: int | None = None
        """Of the schedule: the run's own unless set."""

        @model_validator(mode="after")
        def _one_way(self) -> Self:
            given = [name for name in _WAYS if getattr(self, name) is not None]
            if len(given) != 1:
                raise PydanticCustomError(
                    "arrivals",
                    "the rate must be said in one way",
                    {"remedy": "name one of rate, rates and stages, as in {rate: 30/min, duration: 20min}"},
                )
            if (self.stages is None) == (self.duration_s is None):
                raise PydanticCustomError(
                    "arrivals",
                    "stages have a duration each" if self.stages else "the load has no duration",
                    {"remedy": "take duration out" if self.stages else "add one, as in duration: 20min"},
                )
            return self

        def of_run(self, seed: int) -> Self:
            return self if self.seed is not None else self.model_copy(update={"seed": seed})

    @classmethod
    def timeline(cls, settings: Settings) -> Timeline:
        limit = "max_in_flight"
        stages = list(_stages(settings))
        return open_load(stages, settings.process, settings.seed or 0, settings.max_in_flight, limit)


def _stages(settings: Arrivals.Settings) -> Iterator[Stage]:
    duration_s = settings.duration_s or 0.0
    if settings.rate_per_s is not None:
        yield Stage("arrivals", duration_s, settings.rate_per_s, settings.rate_per_s)
    rates = settings.rates_per_s or ()
    for number, rate in enumerate(rates, 1):
        yield Stage(f"stage{number}", duration_s / len(rates), rate, rate)
    for number, stage in enumerate(settings.stages or (), 1):
        to = stage.rate_per_s if stage.to_per_s is None else stage.to_per_s
        yield Stage(stage.name or f"stage{number}", stage.duration_s, stage.rate_per_s, to)
