"""Rounds of two sides, each run a Locust process with a run directory of its own under one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from genload.commands.ab.sides import Sides, Turn, order, time_left
from genload.commands.run.locust_process import Signals
from genload.commands.run.suite_run import GOES_ON_AFTER, SuiteRun
from genload.errors import ExitCode, RunDirectoryError
from genload.extensions import Wings, shape_class
from genload.human import human
from genload.plain import plain
from genload.reporting.rounds import SIDES, RoundRun, Rounds, Side, write_rounds
from genload.reporting.wording import verdict_word
from genload.settings.scaling import scale

if TYPE_CHECKING:
    from genload.analysis.judged import JudgedRun


@dataclass
class RoundsRun:
    """Runs the rounds.

    Args:
        folder: is there, and empty.
    """

    sides: Sides
    count: int
    folder: Path
    signals: Signals
    console: Console
    clock: Callable[[], float] = monotonic
    judged: dict[Turn, JudgedRun] = field(default_factory=dict)
    _took_s: list[float] = field(default_factory=list)

    def run(self) -> ExitCode:
        """Run all of them; 0, or what ended them before."""
        turns, before = list(order(self.count)), None
        code = ExitCode.PASSED
        for place, turn in enumerate(turns):
            began_s = self.clock()
            if before is not None and not before.settle():
                return ExitCode.INTERRUPTED
            self._head(turn, len(turns) - place)
            before = SuiteRun(self.sides.target(turn), self.signals, self.console, self.folder / turn.folder)
            code, has_result = before.record(self.sides.scenario)
            if has_result:
                self._judge(turn)
                self._write()
            if self.signals.first is not None:
                return ExitCode.INTERRUPTED
            if code not in GOES_ON_AFTER:
                self._say(f"the {turn.side} side ({self.sides.host(turn.side)}) ended the rounds", "bold red")
                return code
            self._took_s.append(self.clock() - began_s)
        return ExitCode.PASSED

    def runs(self, side: Side) -> list[Path]:
        """The runs of one side that count, in the order of their rounds."""
        complete = self.complete
        return [self._directory(Turn(number, side)) for number in complete]

    @property
    def complete(self) -> list[int]:
        """The rounds of which both sides have left a sound run."""
        return [n for n in range(1, self.count + 1) if all(self._sound(Turn(n, side)) for side in SIDES)]

    def left_out(self) -> list[str]:
        """Why each run that is no part of a complete round is not; in their order."""
        found = []
        for turn, run in self.judged.items():
            if turn.round in self.complete:
                continue
            reasons = run.verdict.reasons
            why = plain(reasons[0].text, 200) if reasons else "the other side of its round is not there"
            found.append(f"{turn.folder} is left out: {why}")
        return found

    def _sound(self, turn: Turn) -> bool:
        run = self.judged.get(turn)
        return run is not None and run.verdict.valid and run.interrupted is None

    def _directory(self, turn: Turn) -> Path:
        return self.folder / turn.folder / self.sides.scenario

    def _head(self, turn: Turn, turns_left: int) -> None:
        left = time_left(self._took_s, self._planned_s(turn), turns_left)
        text = f"round {turn.round} of {self.count}: {turn.side} {self.sides.host(turn.side)}"
        self.console.rule(Text(f"{text}  {left}".rstrip()))

    def _planned_s(self, turn: Turn) -> float:
        target = self.sides.target(turn)
        suite = scale(target.suite, target.request.time_scale, Wings())
        shape = suite.scenarios[self.sides.scenario].shape
        planned_s: float = shape_class(shape.kind).timeline(shape).duration_s
        return planned_s + suite.settle.pause_s

    def _judge(self, turn: Turn) -> None:
        """Judge a run, say it in a line, and pack it."""
        from genload.analysis.judge import judge
        from genload.runlog.packing import pack

        directory = self._directory(turn)
        try:
            run = judge(directory)
            self.judged[turn] = run
            self._say(_line(turn, run), "" if run.verdict.valid else "yellow")
            pack(directory)
        except RunDirectoryError as error:
            self._say(error.render(), "red")

    def _write(self) -> None:
        complete = self.complete
        base, new = self.sides.base, self.sides.new
        record = Rounds(
            suite=base.suite.name,
            scenario=self.sides.scenario,
            base=base.suite.service.host,
            new=new.suite.service.host,
            base_settings=list(base.request.overrides),
            new_settings=list(new.request.overrides),
            equal=self.sides.equal,
            rounds=self.count,
            runs=[
                RoundRun(
                    round=turn.round,
                    side=turn.side,
                    run=f"{turn.folder}/{self.sides.scenario}",
                    seed=run.seed,
                    verdict=verdict_word(run),
                    counts=turn.round in complete,
                )
                for turn, run in self.judged.items()
            ],
        )
        write_rounds(self.folder, record)

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style), soft_wrap=True)


def _line(turn: Turn, run: JudgedRun) -> str:
    numbers = run.overall
    parts = [
        f"{turn.folder}  {verdict_word(run)}",
        f"{numbers.total_requests} requests",
        f"{numbers.failed_requests} failed",
        f"mean {human(numbers.avg_duration, 's')}",
        f"p95 {human(numbers.p95_duration, 's')}",
    ]
    if run.verdict.reasons:
        parts.append(f"not valid: {plain(run.verdict.reasons[0].text, 200)}")
    return ", ".join(parts)
