"""The whole of `genload ab`: both services ready, the rounds, the comparison and its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from genload.analysis.comparison import CompareSettings, Comparison, compare, floor_of, suite_of
from genload.commands.ab.ready import wait_for
from genload.commands.ab.rounds import RoundsRun
from genload.commands.ab.sides import Sides
from genload.commands.compare.view import comparison_view
from genload.commands.run.ahead import Ahead
from genload.commands.run.locust_process import Signals
from genload.commands.run.suite_run import new_folder
from genload.errors import ExitCode, suite_exit_code
from genload.human import count_of
from genload.reporting.baselines import FOLDER, place_of, write_noise
from genload.reporting.comparison import write_comparison
from genload.reporting.rounds import SIDES

_LEAST_ROUNDS = 3
_LEAST_TO_LEARN = 2


@dataclass
class Session:
    """Two sides in turns.

    Args:
        learn: the baseline with which the noise of equal builds is kept besides; None: with the rounds alone.
    """

    sides: Sides
    rounds: int
    settings: CompareSettings
    learn: str | None
    results: Path
    console: Console

    def run(self) -> ExitCode:
        """Run the rounds and compare what is complete of them; the exit code.

        Raises:
            ServiceUnavailableError: a side is not ready before the first round.
            RunDirectoryError: nothing can be written.
        """
        with Ahead() as ahead, (signals := Signals(ahead)).handled():
            if not self._both_ready(signals):
                return ExitCode.INTERRUPTED
            name = f"ab-{self.sides.base.suite.name}-{self.sides.scenario}"
            folder = new_folder(self.results, name)
            self._begin(folder)
            rounds = RoundsRun(self.sides, self.rounds, folder, signals, self.console)
            ended = rounds.run()
        for text in rounds.left_out():
            self._say(text, "yellow")
        if not rounds.complete:
            self._say("no round is complete: there is nothing to compare", "bold red")
            return ExitCode(suite_exit_code([ended, ExitCode.INVALID]))
        return ExitCode(suite_exit_code([ended, self._compare(folder, rounds)]))

    def _both_ready(self, signals: Signals) -> bool:
        for side in SIDES:
            service = getattr(self.sides, side).suite.service_of(self.sides.scenario)
            if not wait_for(side, service, pause=signals.pause, say=lambda text: self._say(text, "yellow")):
                return False
        return True

    def _begin(self, folder: Path) -> None:
        what = f"{self.sides.base.suite.name}/{self.sides.scenario}"
        self._say(f"{what}: {count_of(self.rounds, 'round')}, seed {self.sides.seed}, in {folder}")
        for side in SIDES:
            target = getattr(self.sides, side)
            own = f" with {', '.join(target.request.overrides)}" if target.request.overrides else ""
            self._say(f"  {side:<4} {target.suite.service.host}{own}")
        if self.sides.equal:
            self._say("  one build on both sides: what differs is noise, which is learned")
        if self.rounds < _LEAST_ROUNDS:
            self._say(
                f"  {count_of(self.rounds, 'round')} make no verdict without a noise floor: --rounds 3",
                "yellow",
            )

    def _compare(self, folder: Path, rounds: RoundsRun) -> ExitCode:
        self.console.rule(Text(f"base and new: {count_of(len(rounds.complete), 'round')}"))
        with self.console.status(Text("comparing …", "dim")):
            found = compare(rounds.runs("base"), rounds.runs("new"), self.settings)
            compared = suite_of([found])
            files = write_comparison(compared, folder)
        self.console.print(comparison_view(compared, files, verbose=False))
        return self._learn(found, folder) if self.sides.equal else ExitCode(found.exit_code)

    def _learn(self, found: Comparison, folder: Path) -> ExitCode:
        """Keep how much the runs of one build differ: that is what was asked, and no verdict."""
        if len(found.base) < _LEAST_TO_LEARN:
            self._say("two rounds or more show how much equal runs differ: nothing was learned", "yellow")
            return ExitCode.INVALID
        if found.verdict == "regression":
            self._say(
                "one build is not equal to itself: by chance, or something drifts; this is now in its noise",
                "yellow",
            )
        floor = floor_of(found, datetime.now(UTC).isoformat(timespec="seconds"))
        places = [folder]
        if self.learn is not None:
            places.append(place_of(self.learn, found.suite, found.scenario, FOLDER))
        for place in places:
            self._say(f"noise of equal builds, from {floor.runs} runs: {write_noise(place, floor)}")
        if self.learn is None:
            self._say(f"keep it, and these runs, as a baseline: genload baseline promote {folder}")
        return ExitCode.PASSED

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style), soft_wrap=True)
