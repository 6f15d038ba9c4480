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
    console = Console(file=output, force_terminal=terminal, width=80)
    display = Display(SimpleNamespace(), None, console)  # type: ignore[arg-type]
    with display.told("judging …"):
        during = output.getvalue()
    assert ("judging …" in during) is terminal
    # Erased by a control sequence; a log has neither.
    assert ("\x1b[2K" in output.getvalue().removeprefix(during)) is terminal
    assert bool(output.getvalue()) is terminal
