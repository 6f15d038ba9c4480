"""The run on a terminal while it goes on: a table that stays in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from genload.harness.asked_for import users_asked_for
from genload.harness.crew import CrewStatus
from genload.harness.live import LiveStats
from genload.harness.run import Run
from genload.harness.side import Side
from genload.human import human
from genload.settings.criteria.comparisons import observed
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.subjects import subjects
from genload.settings.metrics.metric import Tally

MARKS = {"pass": Text("✓", "green"), "fail": Text("✗", "red"), "inconclusive": Text("·", "dim")}


@contextmanager
def told(text: str, console: Console) -> Iterator[None]:
    """A line for as long as a block takes that leaves the loop no time to draw."""
    with Live(Text(text, "dim"), console=console, auto_refresh=False, transient=True):
        yield


class Picture:
    """Draws when it is told to: rich's own refresh thread would be one more greenlet that draws at any time.

    Args:
        run: the run that is shown.
        where: what it does now, in words.
    """

    def __init__(self, run: Run, where: Callable[[], str], console: Console) -> None:
        self._run, self._where = run, where
        self._live = Live(self.view(), console=console, auto_refresh=False, transient=True)

    def start(self) -> None:
        self._live.start()

    def draw(self) -> None:
        self._live.update(self.view(), refresh=True)

    def stop(self) -> None:
        self._live.stop()

    def view(self) -> Group:
        """The whole picture."""
        run, status, plan = self._run, self._run.crew.status(), self._run.plan
        left_s = run.load.remaining_s
        until = "its requests have ended" if run.conductor is None else "the search ends"
        left = f"until {until}" if left_s == inf else f"{left_s:.0f} s left"
        where = f"{self._where()}, {left}" if run.stage == "load" else self._where()
        if run.ending.interrupted_by and run.stage in ("draining", "idle"):
            where += " (again to stop at once)"
        head = Text(f"{plan.suite.name}/{plan.scenario_name}", "bold").append(
            f"  {where}  {run.journal.now_s():.0f} s", "default"
        )
        return Group(head, *(part for side in run.sides for part in self._side(side, status)))

    def _side(self, side: Side, status: CrewStatus) -> Iterator[Text | Table]:
        """What is shown of one population."""
        users, total = side.users(status), side.live.total
        callers = side.arrived(status, self._run.load.origin_s)
        at_work = (
            str(callers).replace(", ", "   ")
            if callers
            else (
                f"users {users.working} of {users_asked_for(self._run, side)}   "
                f"in flight {users.in_flight} (leaving {users.leaving})"
            )
        )
        yield Text(f"{side.name}   " if side.name else "", "bold").append(
            f"{at_work}   completed {total.completed}   errors {total.failed}   "
            f"refusals {total.tallies[Tally.REFUSALS]}"
            + (f"   left by their listeners {total.left}" if total.left else ""),
            "default",
        )
        if errors := side.live.errors.most_common(5):
            yield Text("  ".join(f"{name} × {count}" for name, count in errors), "red")
        yield self._criteria(side)

    def _criteria(self, side: Side) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("", "criterion (so far)", "observed", "holds"):
            table.add_column(heading, overflow="fold")
        for name, criterion in side.plan.scenario.criteria.items():
            mark, value = self._observe(criterion, side.live)
            table.add_row(mark, Text(name), Text(value), Text(criterion.holds, "dim"))
        return table

    def _observe(self, criterion: Criterion, live: LiveStats) -> tuple[Text, str]:
        result = observed(criterion.expression, live.lookup, live.unit)
        if result.value is None:
            is_live = all(map(live.is_live, subjects(criterion.expression)))
            return MARKS["inconclusive"], "–" if is_live else "at the end"
        return MARKS[result.result], human(result.value, result.unit)
