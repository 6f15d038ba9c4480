"""When a service is given up: failures in a row, or gone for too long."""

from __future__ import annotations

import pytest

from genload.harness.patience import Patience
from genload.runlog.records import RequestRecord
from genload.settings.suite import GiveUp

from ..clock import Clock


class World:
    """A clock, and a service that is there or not."""

    def __init__(self, **limits: object) -> None:
        self.clock, self.there, self.asked = Clock(0.0), False, 0
        self.patience = Patience(GiveUp.model_validate(limits, context={}), self.ready, self.clock)

    def ready(self) -> bool:
        self.asked += 1
        return self.there

    def ends(self, *outcomes: str) -> str:
        """Requests end so, "ok", "unfinished" or with an error class; why the service is given up."""
        for outcome in outcomes:
            failed = outcome not in ("ok", "unfinished")
            ended = RequestRecord(
                source="local",
                n=0,
                name="generate",
                outcome="failed" if failed else outcome,
                error_class=outcome if failed else "",
            )
            self.patience.add([ended])
        return self.patience.spent()


def test_so_many_failures_in_a_row() -> None:
    world = World(consecutive_failures=3)
    assert world.ends("http_500", "http_500", "ok", "refused", "bad_output") == ""
    assert world.ends("timeout") == "3 requests in a row failed"


@pytest.mark.parametrize("outcome", ["client_limit", "unfinished"])
def test_what_is_not_the_services_fault_counts_for_nothing(outcome: str) -> None:
    world = World(consecutive_failures=3)
    assert world.ends("http_500", "http_500", outcome, outcome) == ""
    assert world.ends("http_500") != ""


def test_gone_for_too_long() -> None:
    world = World(down_for="60s")
    assert world.ends("http_500") == ""
    world.clock.now_s = 100.0
    assert world.ends("refused") == ""
    world.clock.now_s = 159.0
    world.patience.ask()
    assert world.patience.spent() == ""
    world.clock.now_s = 160.0
    assert world.patience.spent() == "it was not there for 60 s"


@pytest.mark.parametrize("sign", ["a request", "readiness"])
def test_a_sign_of_life_and_the_time_begins_anew(sign: str) -> None:
    world = World(down_for="60s")
    world.ends("refused")
    world.clock.now_s = 59.0
    if sign == "a request":
        world.ends("ok")
    else:
        world.there = True
        world.patience.ask()
    world.clock.now_s = 70.0
    assert world.ends("refused") == ""
    world.clock.now_s = 129.0
    assert world.patience.spent() == ""
    world.clock.now_s = 130.0
    assert world.patience.spent() != ""


def test_a_service_that_answers_is_not_asked() -> None:
    world = World(down_for="60s")
    world.ends("http_500", "ok", "bad_output")
    world.patience.ask()
    assert world.asked == 0
    world.ends("reset")
    world.patience.ask()
    assert world.asked == 1


def test_unless_it_is_set_nothing_is_given_up() -> None:
    world = World()
    assert world.ends(*["refused"] * 1000) == ""
    world.clock.now_s = 1e6
    world.patience.ask()
    assert (world.patience.spent(), world.asked) == ("", 0)
