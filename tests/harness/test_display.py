"""The line that stands on a terminal while a run is judged, and nowhere else."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from genload.harness.display import Display


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
