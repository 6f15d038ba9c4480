"""The levels that a run measured, and whether each was measured soundly: from the run's events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from genload.analysis.health import PhaseStarts, phase_starts, processes, user_seconds
from genload.analysis.judged import Reason
from genload.analysis.load import Load, PhaseTime
from genload.analysis.table import RequestTable
from genload.analysis.validity import Measurement, level_reasons, smallest_time_threshold_s
from genload.runlog.records import Acknowledged, Announced, ClientHealth, Event, Users
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Scenario
from genload.settings.suite import Validity

_HEARD_LATER_S = 1.0
"""A report of a process comes so much later than what it is about, at most."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level as it was measured.

    Attributes:
        number: from 1.
        value: users, or requests a second.
        users: that may be at work, or the hands of an open schedule.
        start_s, end_s: of its measured part, in seconds since the run began.
        arrivals: of an open schedule, in that part.
        announced: what it was announced by.
    """

    number: int
    value: float
    users: int
    start_s: float
    end_s: float
    arrivals: int | None
    announced: tuple[Announced, ...]

    @property
    def phase(self) -> str:
        """The name of its measured part."""
        return f"level{self.number}"


def levels_of(events: Sequence[Event], timeline: Timeline, load_start_s: float) -> list[Level]:
    """Those that were announced, in their order; the last one may not have come to its end."""
    announced = [event for event in events if isinstance(event, Announced)]
    found = []
    for number in dict.fromkeys(event.level for event in announced):
        own = tuple(event for event in announced if event.level == number)
        parts = [
            (index, phase) for index, phase in enumerate(timeline.phases) if phase.name == f"level{number}"
        ]
        if not parts:  # it ended before this part began
            continue
        ends_s = [timeline.ends_s[index] for index, _ in parts]
        counts = [phase.arrivals for _, phase in parts if phase.arrivals is not None]
        found.append(
            Level(
                number=number,
                value=own[0].value,
                users=parts[0][1].users,
                start_s=load_start_s + timeline.start_s(parts[0][0]),
                end_s=load_start_s + ends_s[-1],
                arrivals=sum(counts) if counts else None,
                announced=own,
            )
        )
    return found


def unsound(
    level: Level,
    events: Sequence[Event],
    load_start_s: float,
    limits: Validity,
    scenario: Scenario,
    *,
    table: RequestTable | None = None,
    median_s: float | None = None,
) -> list[Reason]:
    """Why a level was not measured soundly; nothing where it was.

    Args:
        events: of the run; those of the level's own time are looked at.
        table: the requests of the load; None while it goes on, when less is known of them.
        median_s: of the level's durations.
    """
    load = _as_load(level)
    own = list(_of_its_time(events, level))
    starts: list[PhaseStarts] = [] if table is None else phase_starts(table, load)
    measurement = Measurement(
        events=own,
        load=load,
        missing_records={},
        errors=[],
        broken_monitors=[],
        processes=processes(own, load, limits.max_cpu),
        users=user_seconds(own, load),
        starts=starts,
        median_s=median_s,
        smallest_threshold_s=smallest_time_threshold_s(
            criterion.expression for criterion in scenario.criteria.values()
        ),
        pause_asked_for=scenario.failure_pause_s is not None,
    )
    return [*_unheard(level, events, load_start_s), *level_reasons(measurement, limits)]


def _unheard(level: Level, events: Sequence[Event], load_start_s: float) -> Iterator[Reason]:
    """Processes that did not go by an announcement when its phases began."""
    heard = {(event.source, event.number): event.t_s for event in events if isinstance(event, Acknowledged)}
    late = {
        source
        for announced in level.announced
        for source in announced.to
        if heard.get((source, announced.number), float("inf")) > load_start_s + announced.at_s
    }
    if late:
        yield Reason(
            code="not_acknowledged",
            text=f"{', '.join(sorted(late))} had not heard of level {level.number} when it began",
            remedy="put master and workers on one network, away from the load's own traffic; see their logs",
        )


def _as_load(level: Level) -> Load:
    """The level's measured part as if it was a load of its own."""
    length_s = level.end_s - level.start_s
    phase = Phase(level.phase, length_s, level.users, arrivals=level.arrivals)
    time = PhaseTime(level.phase, level.start_s, level.end_s, level.users)
    return Load(level.start_s, level.end_s, (time,), Timeline((phase,)), ended=True)


def _of_its_time(events: Sequence[Event], level: Level) -> Iterator[Event]:
    slept_s: float | None = None
    for event in events:
        later_s = _HEARD_LATER_S if isinstance(event, ClientHealth) else 0.0
        if not level.start_s <= event.t_s <= level.end_s + later_s:
            continue
        if isinstance(event, Users):
            slept_s = event.asleep_s if slept_s is None else slept_s
            yield replace(event, asleep_s=event.asleep_s - slept_s)
        else:
            yield event
