"""When the load ran: its window and its phases, from a run's events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from genload.runlog.records import Announced, Event, LoadEnded, LoadStarted, PhaseStarted
from genload.settings.arrivals import evenly
from genload.settings.criteria.ast import Window
from genload.settings.phases import RECORDED, Phase, Timeline


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """One phase as it really ran; seconds since the run began."""

    name: str
    start_s: float
    end_s: float
    users: int


@dataclass(frozen=True, slots=True)
class Load:
    """From LoadStarted to LoadEnded; half-open, as phases are."""

    start_s: float
    end_s: float
    phases: tuple[PhaseTime, ...]
    timeline: Timeline
    ended: bool  # False: the end was never recorded, and is the last sign of life

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    def stretch(self, phases: Sequence[str], window: Window | None) -> list[tuple[float, float]]:
        """The time that a subject speaks about: the part of the load, cut to the phases it names."""
        begin, end = self.part(window)
        if not phases:
            return [(begin, end)]
        named = (p for p in self.phases if all(p.name == wanted for wanted in phases))
        cut = ((max(p.start_s, begin), min(p.end_s, end)) for p in named)
        return [(low, high) for low, high in cut if high > low]

    def part(self, window: Window | None) -> tuple[float, float]:
        """``first(10min)`` and ``last(10min)`` of the load; all of it without a window."""
        if window is None:
            return self.start_s, self.end_s
        if window.side == "first":
            return self.start_s, min(self.end_s, self.start_s + window.length.value)
        return max(self.start_s, self.end_s - window.length.value), self.end_s


def timeline_of(phases: Sequence[dict[str, Any]]) -> Timeline:
    """The planned timeline as run.json has it."""
    return Timeline(tuple(map(_phase, phases)))


def _phase(recorded: dict[str, Any]) -> Phase:
    every_s = recorded.get("every_s")
    if every_s is not None:  # of an open schedule, as older versions have written it
        return evenly(recorded["name"], recorded["duration_s"], recorded["users"], every_s)
    return Phase(**{key: recorded[key] for key in RECORDED if key in recorded})


def _as_announced(timeline: Timeline, announced: Sequence[Announced], ended_s: float) -> Timeline:
    """The timeline with the phases that were decided on while the load ran, which ended with the search."""
    for event in announced:
        timeline = Timeline((*timeline.phases[: event.kept], *timeline_of(event.phases).phases))
    begun = [p for index, p in enumerate(timeline.phases) if not index or timeline.start_s(index) < ended_s]
    into_s = ended_s - timeline.start_s(len(begun) - 1)
    if begun[-1].duration_s is not None and 0 < into_s < begun[-1].duration_s:
        # Of an open schedule, what was due by then is in no record of a phase: its requests are.
        begun[-1] = replace(begun[-1], duration_s=into_s, arrivals=None if begun[-1].arrivals is None else 0)
    return Timeline(tuple(begun))


def load_of(events: Sequence[Event], phases: Sequence[dict[str, Any]], last_sign_s: float) -> Load | None:
    """The load as it ran; None when it never began. `last_sign_s` stands in for an end that is missing."""
    starts = [event.t_s for event in events if isinstance(event, LoadStarted)]
    if not starts:
        return None
    start_s = starts[0]
    ends = [event.t_s for event in events if isinstance(event, LoadEnded)]
    end_s = max(start_s, ends[0] if ends else last_sign_s)
    timeline = timeline_of(phases)
    announced = [event for event in events if isinstance(event, Announced)]
    if announced:
        timeline = _as_announced(timeline, announced, end_s - start_s)
    begins = [(e.phase, e.t_s) for e in events if isinstance(e, PhaseStarted)]
    if not begins:
        begins = [(p.name, start_s + timeline.start_s(i)) for i, p in enumerate(timeline.phases)]
    users = {phase.name: phase.users for phase in timeline.phases}
    begun = [(name, min(begin, end_s)) for name, begin in begins]
    times = tuple(
        PhaseTime(name, begin, until, users.get(name, 0))
        for (name, begin), (_, until) in pairwise([*begun, ("", end_s)])
    )
    return Load(start_s, end_s, times, timeline, bool(ends))
