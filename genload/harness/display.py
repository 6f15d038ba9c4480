"""The run while it goes on: a picture where there is a terminal, plain lines where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING

import gevent

from genload.harness.crew import CrewStatus
from genload.harness.run import Run
from genload.harness.side import Side
from genload.human import human
from genload.plain import harmless

if TYPE_CHECKING:
    from rich.console import Console

    from genload.harness.picture import Picture

REFRESH_S = 1.0
LINE_EVERY_S = 10.0


class Display:
    """Draws once a second on a terminal; a log gets a line now and then.

    Args:
        run: the run that is shown.
        console: a terminal; None: standard error, if that is one.
    """

    def __init__(self, run: Run, console: Console | None = None) -> None:
        self._run = run
        self._console = console
        if console is None and sys.stderr.isatty():
            # Here, not above: lines in a log need none of it.
            from rich.console import Console

            self._console = Console(file=sys.stderr)
        self._picture: Picture | None = None
        self._drawing: gevent.Greenlet | None = None

    def start(self) -> None:
        if self._console is not None:
            from genload.harness.picture import Picture

            self._picture = Picture(self._run, self._where, self._console)
            self._picture.start()
        self._drawing = gevent.spawn(self._draw)

    def stop(self) -> None:
        if self._drawing is not None:
            self._drawing.kill()
            self._drawing = None
        if self._picture is not None:
            self._picture.stop()
            self._picture = None

    @contextmanager
    def told(self, text: str) -> Iterator[None]:
        """On a terminal, a line for as long as a block takes that leaves the loop no time to draw."""
        if self._console is None:
            yield
            return
        from genload.harness.picture import told

        with told(text, self._console):
            yield

    def _draw(self) -> None:
        said, due_s = "", 0.0
        while True:
            now_s = self._run.journal.now_s()
            if self._picture is not None:
                self._picture.draw()
            elif now_s >= due_s or self._where() != said:
                print(harmless(self.line()), file=sys.stderr, flush=True)
                said, due_s = self._where(), now_s + LINE_EVERY_S
            self._run.wait_for_change(REFRESH_S)

    def _where(self) -> str:
        run = self._run
        if run.unready:
            limit = human(run.plan.service.ready_timeout_s, "s")
            return f"{run.unready}; waiting for it, {limit} at most (service.ready_timeout)"
        if run.stage != "load":
            return run.stage
        return run.load.phase or "load" if run.conductor is None else run.conductor.told

    def line(self) -> str:
        """Everything in one line."""
        run = self._run
        name = f"{run.plan.suite.name}/{run.plan.scenario_name}"
        text = f"{name} {run.journal.now_s():.0f} s: {self._where()}"
        if run.unready:
            return text
        if isfinite(run.load.remaining_s) and run.stage == "load":
            text += f", {run.load.remaining_s:.0f} s left"
        status = run.crew.status()
        for side in run.sides:
            text += f"; {side.name}: " if side.name else ", "
            text += self._at_work(side, status)
        return text

    def _at_work(self, side: Side, status: CrewStatus) -> str:
        total, users = side.live.total, side.users(status)
        callers = side.arrived(status, self._run.load.origin_s)
        at_work = str(callers) if callers else f"users {users.working}, in flight {users.in_flight}"
        text = f"{at_work}, completed {total.completed}, errors {total.failed}"
        return text + (f", left by their listeners {total.left}" if total.left else "")
