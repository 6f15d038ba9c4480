"""The two sides of rounds, and the order in which they take their turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from genload.human import human
from genload.reporting.rounds import SIDES, Side
from genload.settings.model import Settings
from genload.targets import SuiteTarget


@dataclass(frozen=True, slots=True)
class Turn:
    """One run: a side in a round, counted from 1."""

    round: int
    side: Side

    @property
    def folder(self) -> str:
        """Where it is among the rounds."""
        return f"{self.side}-{self.round}"


def order(rounds: int) -> Iterator[Turn]:
    """A B, B A, A B, …: what drifts meanwhile, such as the heat of the machine, meets both sides alike."""
    for number in range(1, rounds + 1):
        for side in SIDES if number % 2 else SIDES[::-1]:
            yield Turn(number, side)


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared.

    Attributes:
        base, new: the suite as each side runs it.
        scenario: the one that both run.
        seed: of the first round; the second has the next one, for both sides.
    """

    base: SuiteTarget
    new: SuiteTarget
    scenario: str
    seed: int

    def target(self, turn: Turn) -> SuiteTarget:
        """The suite of one turn: both sides of a round send the same inputs."""
        side = self.base if turn.side == "base" else self.new
        return replace(side, request=replace(side.request, seed=self.seed + turn.round - 1))

    def host(self, side: Side) -> str:
        return (self.base if side == "base" else self.new).suite.service.host

    @property
    def other_settings(self) -> bool:
        """Whether the sides differ in more than where their service is."""
        return _elsewhere(self.base.suite) != _elsewhere(self.new.suite)

    @property
    def equal(self) -> bool:
        """Whether they are one and the same: what differs is noise."""
        return self.host("base") == self.host("new") and not self.other_settings


def _elsewhere(suite: Settings) -> dict[str, object]:
    fields = suite.model_dump(mode="json")
    fields["service"].pop("host")
    return fields


def time_left(done_s: list[float], planned_s: float, turns: int) -> str:
    """About how long so many turns take: as long as those so far on average, or as planned."""
    each_s = sum(done_s) / len(done_s) if done_s else planned_s
    if each_s in (0.0, float("inf")):
        return ""
    return f"about {human(_rounded(each_s * turns), 's')} left"


def _rounded(seconds: float) -> float:
    """To what a guess is good for."""
    step = next(step for limit, step in ((20, 1), (120, 5), (float("inf"), 60)) if seconds < limit)
    return max(round(seconds / step), 1) * step
