"""The line that stands on a terminal while a run is judged, and nowhere else."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from genload.harness.arrived import Arrived, arrived
from genload.harness.crew import CrewStatus
from genload.harness.display import Display
from genload.harness.gate_status import GateStatus
from genload.settings.arrivals import evenly
from genload.settings.phases import Phase, Timeline


@pytest.mark.parametrize("terminal", [True, False])
def test_what_takes_its_time_is_told_on_a_terminal_and_leaves_nothing(terminal: bool) -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80) if terminal else None
    display = Display(SimpleNamespace(), console)  # type: ignore[arg-type]
    with display.told("judging …"):
        during = output.getvalue()
    assert ("judging …" in during) is terminal
    # Erased by a control sequence; a log has neither.
    assert ("\x1b[2K" in output.getvalue().removeprefix(during)) is terminal
    assert bool(output.getvalue()) is terminal


def test_while_a_service_is_waited_for_the_line_says_why_and_for_how_long() -> None:
    run = SimpleNamespace(
        unready="no one listens at http://gpu1:5000 (Connection refused)",
        stage="waiting for the service",
        plan=SimpleNamespace(
            suite=SimpleNamespace(name="orfeas"),
            scenario_name="spike",
            service=SimpleNamespace(ready_timeout_s=120.0),
        ),
        crew=SimpleNamespace(status=lambda: None),
        live=SimpleNamespace(total=None),
        journal=SimpleNamespace(now_s=lambda: 1.2),
    )
    line = Display(run).line()  # type: ignore[arg-type]
    assert line == (
        "orfeas/spike 1 s: no one listens at http://gpu1:5000 (Connection refused); "
        "waiting for it, 120 s at most (service.ready_timeout)"
    )


def test_of_an_open_load_it_is_told_who_has_come_who_is_late_and_who_is_in() -> None:
    timeline = Timeline((evenly("arrivals", 10.0, 3, every_s=0.5),))
    live = SimpleNamespace(total=SimpleNamespace(attempted=2, completed=2, failed=0, left=0))
    users = GateStatus(working=3, in_flight=3)
    told = arrived(timeline, 100.0, 103.2, users, live)  # type: ignore[arg-type]
    # Due at 0, 0.5, … 3.0: seven, of which two are done and three under way.
    assert told == Arrived(due=7, planned=20, held_back=2, in_flight=3, users=3)
    assert str(told) == "arrived 7 of 20, 2 late and not started, in flight 3 of 3"
    run = SimpleNamespace(
        unready="",
        stage="load",
        conductor=None,
        load=SimpleNamespace(phase="arrivals", remaining_s=6.8, origin_s=100.0),
        sides=[SimpleNamespace(name="", users=lambda _: users, arrived=lambda *_: told, live=live)],
        plan=SimpleNamespace(suite=SimpleNamespace(name="mine"), scenario_name="calls"),
        crew=SimpleNamespace(status=lambda: CrewStatus(at_s=103.2, users=users)),
        live=live,
        journal=SimpleNamespace(now_s=lambda: 5.0),
    )
    line = Display(run).line()  # type: ignore[arg-type]
    assert line == f"mine/calls 5 s: arrivals, 7 s left, {told}, completed 2, errors 0"
    of_users = Timeline((Phase("steady", 10.0, 3),))
    assert arrived(of_users, 100.0, 103.2, users, live) is None  # type: ignore[arg-type]


def test_of_several_populations_each_is_told_by_its_name() -> None:
    def side(name: str, completed: int) -> SimpleNamespace:
        total = SimpleNamespace(completed=completed, failed=1, left=0)
        users = GateStatus(working=completed + 1, in_flight=2)
        return SimpleNamespace(
            name=name,
            users=lambda _: users,
            arrived=lambda *_: None,
            live=SimpleNamespace(total=total),
        )

    run = SimpleNamespace(
        unready="",
        stage="load",
        conductor=None,
        load=SimpleNamespace(phase="together", remaining_s=6.8, origin_s=100.0),
        sides=[side("speech", 20), side("generation3d", 3)],
        plan=SimpleNamespace(suite=SimpleNamespace(name="tenants"), scenario_name="gpu"),
        crew=SimpleNamespace(status=lambda: None),
        journal=SimpleNamespace(now_s=lambda: 5.0),
    )
    assert Display(run).line() == (  # type: ignore[arg-type]
        "tenants/gpu 5 s: together, 7 s left"
        "; speech: users 21, in flight 2, completed 20, errors 1"
        "; generation3d: users 4, in flight 2, completed 3, errors 1"
    )
