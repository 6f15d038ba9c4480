"""The pause between scenarios: a simulated clock, a service that takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from genload.commands.run.settling import settle
from genload.settings.suite import Settle

from ..clock import Clock


class Simulation:
    """A clock that moves when somebody pauses, and what was said meanwhile."""

    def __init__(self, in_flight: Iterator[int | None], interrupted_at_s: float = float("inf")) -> None:
        self.clock = Clock(0.0)
        self.said: list[str] = []
        self.asked = 0
        self._in_flight, self._interrupted_at_s = in_flight, interrupted_at_s

    def pause(self, seconds: float) -> bool:
        self.clock.sleep(min(seconds, self._interrupted_at_s - self.clock()))
        return self.clock() >= self._interrupted_at_s

    def in_flight(self) -> int | None:
        self.asked += 1
        return next(self._in_flight)

    def run(self, **settings: float) -> None:
        settle(
            Settle(**settings),
            self.in_flight,
            pause=self.pause,
            say=self.said.append,
            clock=self.clock,
        )


@pytest.mark.parametrize("idle", [0, None])
def test_an_idle_or_silent_service_is_not_waited_for(idle: int | None) -> None:
    simulation = Simulation(iter([idle]))
    simulation.run(pause_s=10.0)
    assert (simulation.clock.now_s, simulation.asked) == (10.0, 1)


def test_it_waits_until_the_service_works_on_nothing() -> None:
    simulation = Simulation(iter([3, 2, 1, 0]))
    simulation.run(pause_s=10.0)
    assert simulation.clock.now_s == 13.0
    assert "settling: 3 jobs in flight at the service" in simulation.said


def test_it_gives_up_at_the_limit_and_says_so() -> None:
    simulation = Simulation(repeat(5))
    simulation.run(pause_s=10.0, idle_limit_s=30.0)
    assert simulation.clock.now_s == 40.0
    assert simulation.said[-1] == "settling: 5 jobs still in flight after 30 s; going on (settle.idle_limit)"


def test_a_scaled_pause_asks_more_often_but_not_in_a_spin() -> None:
    simulation = Simulation(chain([1], repeat(0)))
    simulation.run(pause_s=0.2)
    assert simulation.clock.now_s == pytest.approx(0.25)


@pytest.mark.parametrize(("interrupted_at_s", "asked"), [(4.0, 0), (10.5, 1)])
def test_a_signal_ends_it(interrupted_at_s: float, asked: int) -> None:
    simulation = Simulation(repeat(5), interrupted_at_s)
    simulation.run(pause_s=10.0)
    assert (simulation.clock.now_s, simulation.asked) == (interrupted_at_s, asked)
