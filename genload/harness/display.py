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
from genload.harness.run import Run
from genload.human import human
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.subjects import subjects
from genload.settings.metrics.metric import Tally

REFRESH_S = 1.0
LINE_EVERY_S = 10.0
MARKS = {"pass": Text("✓", "green"), "fail": Text("✗", "red"), "inconclusive": Text("·", "dim")}


class Display:
    """Draws once a second on a terminal; a log gets a line now and then.

    Args:
        run: the run that is shown.
        runner: Locust's, for its user count.
    """

    def __init__(self, run: Run, runner: Any, console: Console | None = None) -> None:
        self._run, self._runner = run, runner
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
            now_s = self._run.journal.now_s()
            if self._live is not None:
                self._live.update(self.view(), refresh=True)
            elif now_s >= due_s or self._where() != said:
                self._console.print(self.line(), soft_wrap=True, highlight=False)
                said, due_s = self._where(), now_s + LINE_EVERY_S
            self._run.wait_for_change(REFRESH_S)

    def _where(self) -> str:
        run = self._run
        if run.unready:
            limit = human(run.plan.service.ready_timeout_s, "s")
            return f"{run.unready}; waiting for it, {limit} at most (service.ready_timeout)"
        return run.phase or "load" if run.stage == "load" else run.stage

    def line(self) -> Text:
        """Everything in one line."""
        run, total = self._run, self._run.live.total
        name = f"{run.plan.suite.name}/{run.plan.scenario_name}"
        text = f"{name} {run.journal.now_s():.0f} s: {self._where()}"
        if run.unready:
            return Text(text)
        if isfinite(run.remaining_s) and run.stage == "load":
            text += f", {run.remaining_s:.0f} s left"
        users = run.crew.status().users
        text += f", users {users.working}, in flight {users.in_flight}, completed {total.completed}"
        return Text(f"{text}, errors {total.failed}")

    def view(self) -> Group:
        """The whole picture."""
        run, users, total = self._run, self._run.crew.status().users, self._run.live.total
        plan = run.plan
        left = "until its requests have ended" if run.remaining_s == inf else f"{run.remaining_s:.0f} s left"
        where = f"{self._where()}, {left}" if run.stage == "load" else self._where()
        if run.interrupted_by and run.stage in ("draining", "idle"):
            where += " (again to stop at once)"
        head = Text(f"{plan.suite.name}/{plan.scenario_name}", "bold").append(
            f"  {where}  {run.journal.now_s():.0f} s", "default"
        )
        numbers = Text(
            f"users {users.working} of {self._target()}   "
            f"in flight {users.in_flight} (leaving {users.leaving})   completed {total.completed}   "
            f"errors {total.failed}   refusals {total.tallies[Tally.REFUSALS]}"
        )
        errors = Text("  ".join(f"{name} × {count}" for name, count in run.live.errors.most_common(5)), "red")
        return (
            Group(head, numbers, errors, self._criteria())
            if errors
            else Group(head, numbers, self._criteria())
        )

    def _target(self) -> int:
        run = self._run
        if run.stage != "load":
            return 1 if run.stage == "warm-up" else 0
        return run.plan.timeline.target(run.shape.elapsed_s())

    def _criteria(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("", "criterion (so far)", "observed", "holds"):
            table.add_column(heading, overflow="fold")
        for name, criterion in self._run.plan.scenario.criteria.items():
            mark, value = self._observe(criterion)
            table.add_row(mark, Text(name), Text(value), Text(criterion.holds, "dim"))
        return table

    def _observe(self, criterion: Criterion) -> tuple[Text, str]:
        live = self._run.live
        result = observed(criterion.expression, live.lookup, live.unit)
        if result.value is None:
            is_live = all(map(live.is_live, subjects(criterion.expression)))
            return MARKS["inconclusive"], "–" if is_live else "at the end"
        return MARKS[result.result], human(result.value, result.unit)
