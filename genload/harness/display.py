"""The run on the terminal while it goes on: a table that stays in place, or plain lines where there is
no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, isfinite
from typing import Any

import gevent
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from genload.analysis.evaluate import observed
from genload.harness.conductor import Conductor
from genload.reporting.wording import human
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.subjects import subjects
from genload.settings.metrics.metric import Tally

REFRESH_S = 1.0
LINE_EVERY_S = 10.0
MARKS = {"pass": Text("✓", "green"), "fail": Text("✗", "red"), "inconclusive": Text("·", "dim")}


class Display:
    """Draws once a second on a terminal; a log gets a line now and then.

    Args:
        conductor: the run.
        runner: Locust's, for its user count.
    """

    def __init__(self, conductor: Conductor, runner: Any, console: Console | None = None) -> None:
        self._conductor, self._runner = conductor, runner
        self._console = console or Console(file=sys.stderr)
        self._live: Live | None = None
        self._drawing: gevent.Greenlet | None = None

    def start(self) -> None:
        if self._console.is_terminal:
            # rich's own refresh thread would be one more greenlet that draws at any time: we draw.
            self._live = Live(self.view(), console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._drawing = gevent.spawn(self._draw)

    def stop(self) -> None:
        if self._drawing is not None:
            self._drawing.kill()
            self._drawing = None
        if self._live is not None:
            self._live.stop()
            self._live = None

    @contextmanager
    def told(self, text: str) -> Iterator[None]:
        """On a terminal, a line for as long as a block takes that leaves the loop no time to draw."""
        if not self._console.is_terminal:
            yield
            return
        with Live(Text(text, "dim"), console=self._console, auto_refresh=False, transient=True):
            yield

    def _draw(self) -> None:
        said, due_s = "", 0.0
        while True:
            now_s = self._conductor.journal.now_s()
            if self._live is not None:
                self._live.update(self.view(), refresh=True)
            elif now_s >= due_s or self._where() != said:
                self._console.print(self.line(), soft_wrap=True, highlight=False)
                said, due_s = self._where(), now_s + LINE_EVERY_S
            self._conductor.wait_for_change(REFRESH_S)

    def _where(self) -> str:
        conductor = self._conductor
        if conductor.unready:
            limit = human(conductor.plan.service.ready_timeout_s, "s")
            return f"{conductor.unready}; waiting for it, {limit} at most (service.ready_timeout)"
        return conductor.phase or "load" if conductor.stage == "load" else conductor.stage

    def line(self) -> Text:
        """Everything in one line."""
        conductor, status, total = self._conductor, self._conductor.crew.status(), self._conductor.live.total
        name = f"{conductor.plan.suite.name}/{conductor.plan.scenario_name}"
        text = f"{name} {conductor.journal.now_s():.0f} s: {self._where()}"
        if conductor.unready:
            return Text(text)
        if isfinite(conductor.remaining_s) and conductor.stage == "load":
            text += f", {conductor.remaining_s:.0f} s left"
        text += f", users {status.working}, in flight {status.in_flight}, completed {total.completed}"
        return Text(f"{text}, errors {total.failed}")

    def view(self) -> Group:
        """The whole picture."""
        conductor, status, total = self._conductor, self._conductor.crew.status(), self._conductor.live.total
        plan = conductor.plan
        left = (
            "until its requests have ended"
            if conductor.remaining_s == inf
            else f"{conductor.remaining_s:.0f} s left"
        )
        where = f"{self._where()}, {left}" if conductor.stage == "load" else self._where()
        if conductor.interrupted_by and conductor.stage in ("draining", "idle"):
            where += " (again to stop at once)"
        head = Text(f"{plan.suite.name}/{plan.scenario_name}", "bold").append(
            f"  {where}  {conductor.journal.now_s():.0f} s", "default"
        )
        numbers = Text(
            f"users {status.working} of {self._target()}   "
            f"in flight {status.in_flight} (leaving {status.leaving})   completed {total.completed}   "
            f"errors {total.failed}   refusals {total.tallies[Tally.REFUSALS]}"
        )
        errors = Text(
            "  ".join(f"{name} × {count}" for name, count in conductor.live.errors.most_common(5)), "red"
        )
        return (
            Group(head, numbers, errors, self._criteria())
            if errors
            else Group(head, numbers, self._criteria())
        )

    def _target(self) -> int:
        conductor = self._conductor
        if conductor.stage != "load":
            return 1 if conductor.stage == "warm-up" else 0
        return conductor.plan.timeline.target(conductor.shape.elapsed_s())

    def _criteria(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("", "criterion (so far)", "observed", "holds"):
            table.add_column(heading, overflow="fold")
        for name, criterion in self._conductor.plan.scenario.criteria.items():
            mark, value = self._observe(criterion)
            table.add_row(mark, Text(name), Text(value), Text(criterion.holds, "dim"))
        return table

    def _observe(self, criterion: Criterion) -> tuple[Text, str]:
        live = self._conductor.live
        result = observed(criterion.expression, live.lookup, live.unit)
        if result.value is None:
            is_live = all(map(live.is_live, subjects(criterion.expression)))
            return MARKS["inconclusive"], "–" if is_live else "at the end"
        return MARKS[result.result], human(result.value, result.unit)
