"""What the page shows, as it is sent to the browser: numbers, and texts that people read."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from genload.harness.live import LiveStats
from genload.harness.run import Run
from genload.harness.scenario_page.history import History, Moment
from genload.harness.side import Side
from genload.human import count_of, human
from genload.plain import plain
from genload.settings.criteria.ast import Subject
from genload.settings.criteria.comparisons import observed
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.subjects import subjects

_MOST_ERRORS = 8


class PhaseShown(msgspec.Struct, frozen=True):
    """`length_s` is None for one that counts its requests; `load` is who is at work in it, in words."""

    name: str
    length_s: float | None
    load: str


class CriterionShown(msgspec.Struct, frozen=True):
    """`result` is by the observed value so far: pass, fail, or inconclusive while there is none."""

    name: str
    rule: str
    must: bool
    result: str
    observed: str


class RunShown(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        number: which of this process it is, from 1.
        stage: what it does, in words; `phase` which phase of the load, "" outside of it.
        load_began_s: since the run began; None before.
        left_s: of the load; None when its requests decide.
        latency: p50 and p95 of every attempt so far, as text.
        callers: of each population with a schedule how far its callers are, as text; "" before the load.
    """

    number: int
    name: str
    purpose: str
    host: str
    stage: str
    phase: str
    now_s: float
    load_began_s: float | None
    left_s: float | None
    level: str  # of a search for a capacity, with the bracket so far; "" for any other load
    phases: list[PhaseShown]
    criteria: list[CriterionShown]
    latency: dict[str, str]
    callers: dict[str, str]
    errors: dict[str, int]
    units: dict[str, str]
    moments: list[Moment]


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A run of this process that has been judged. `report` is the address of its page, below this one."""

    name: str
    word: str
    exit_code: int
    text: str
    report: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`run` is None before the first; it stays there when it has ended, until the next begins."""

    running: bool
    run: RunShown | None
    finished: list[Finished]


def run_shown(run: Run, number: int, history: History, after: int) -> RunShown:
    """The run as it is.

    Args:
        number: which of this process it is.
        after: the number of the first moment that the page does not have.
    """
    plan = run.plan
    remaining_s = run.load.remaining_s
    return RunShown(
        number=number,
        name=f"{plan.suite.name}/{plan.scenario_name}",
        purpose=plan.scenario.purpose,
        host=plain(", ".join(dict.fromkeys(side.plan.service.host for side in run.sides))),
        stage=plain(f"waiting for the service: {run.unready}") if run.unready else run.stage,
        phase=run.load.phase if run.stage == "load" else "",
        level=run.conductor.told if run.conductor is not None and run.stage == "load" else "",
        now_s=run.journal.now_s(),
        load_began_s=run.load_began_s,
        left_s=remaining_s if run.stage == "load" and remaining_s != float("inf") else None,
        phases=[
            PhaseShown(phase.name, phase.duration_s, _at_work(run, place))
            for place, phase in enumerate(run.load.timeline.phases)
        ],
        criteria=[
            _criterion(run, side, name, each)
            for side in run.sides
            for name, each in side.plan.scenario.criteria.items()
        ],
        latency={_of(side, name): value for side in run.sides for name, value in _latency(side.live)},
        callers={side.name: _callers(run, side) for side in run.sides if side.timeline.arrivals is not None},
        errors={
            plain(_of(side, name)): count
            for side in run.sides
            for name, count in side.live.errors.most_common(_MOST_ERRORS)
        },
        units={
            name: metric.dimension.value
            for side in run.sides
            for name, metric in side.plan.catalogue.metrics.items()
        },
        moments=history.since(after),
    )


def _of(side: Side, name: str) -> str:
    """With its population's, where there are several."""
    return f"{side.name}: {name}" if side.name else name


def _at_work(run: Run, place: int) -> str:
    """Who is at work in the phase at this place: users, or callers on a schedule."""
    of_each = []
    for side in run.sides:
        phase = side.timeline.phases[place]
        count, noun = (phase.users, "user") if phase.arrivals is None else (phase.arrivals, "arrival")
        of_each.append(_of(side, count_of(count, noun)))
    return ", ".join(of_each)


def _callers(run: Run, side: Side) -> str:
    return str(side.arrived(run.crew.status(), run.load.origin_s) or "")


def _criterion(run: Run, side: Side, name: str, criterion: Criterion) -> CriterionShown:
    live = side.live
    expression = criterion.expression if run.conductor is None else run.conductor.of_level(name)
    result = observed(expression, live.lookup, live.unit)
    text = human(result.value, result.unit)
    if result.value is None and not all(map(live.is_live, subjects(criterion.expression))):
        text = "at the end"
    return CriterionShown(_of(side, name), criterion.holds, criterion.must, result.result, text)


def _latency(live: LiveStats) -> Iterable[tuple[str, str]]:
    for percent in (50.0, 95.0):
        value = live.lookup(Subject(f"{live.operation}.duration", "p", percent))
        yield f"p{percent:g}", human(value, "s")
