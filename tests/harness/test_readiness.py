"""What is said of a service that is waited for: why it is not ready, at once, and again when that changes."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from genload.errors import ServiceUnavailableError
from genload.harness import readiness
from genload.harness.readiness import READY_PROBE_S, check_anyone_there, wait_until_ready
from genload.service import ServiceError

from ..clock import Clock

LONG_S = 30.0
HOST = "http://gpu1:5000"
REFUSED = ServiceError("refused", "Connection refused")
LOADING = ServiceError("not_ready", "models are loading", status=503)


class World:
    """A clock that only waiting moves on, and a service that answers in turn: with an error, or "ready"."""

    def __init__(self, answers: Sequence[ServiceError | str], ready_timeout_s: float = 120.0) -> None:
        self.clock, self.answers = Clock(0.0), list(answers)
        self.told: list[tuple[float, str]] = []
        service = SimpleNamespace(host=HOST, ready_timeout_s=ready_timeout_s)
        client = SimpleNamespace(ready=self._ready, time_scale=lambda: None, close=lambda: None)
        self.plan: Any = SimpleNamespace(
            service=service, client_class=lambda service: client, time_scale=1.0, rehearsal=False
        )

    def wait(self) -> list[tuple[float, str]]:
        cut: Any = SimpleNamespace(is_set=lambda: False, wait=self.clock.sleep)
        wait_until_ready(self.plan, cut, self.clock, lambda why: self.told.append((self.clock(), why)))
        return self.told

    def _ready(self) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, ServiceError):
            raise answer


def test_a_service_that_is_ready_is_not_spoken_of() -> None:
    assert World(["ready"]).wait() == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (REFUSED, "no one listens at http://gpu1:5000 (Connection refused)"),
        (ServiceError("dns", "no such name"), "http://gpu1:5000 is a name without an address (no such name)"),
        (ServiceError("unreachable", "No route"), "there is no way to http://gpu1:5000 (No route)"),
        (LOADING, "http://gpu1:5000 is not ready: models are loading"),
        (
            ServiceError("http_404", "Not Found", status=404),
            "http://gpu1:5000 is not ready: http_404: Not Found",
        ),
    ],
)
def test_the_reason_is_told_at_the_first_answer_and_not_again(error: ServiceError, words: str) -> None:
    assert World([error, error, error, "ready"]).wait() == [(0.0, words)]


def test_another_reason_is_told_when_it_comes() -> None:
    told = World([REFUSED, REFUSED, LOADING, LOADING, "ready"]).wait()

    assert [when_s for when_s, _ in told] == [0.0, 2 * READY_PROBE_S]
    assert "models are loading" in told[1][1]


def test_after_the_time_allowed_the_last_reason_ends_the_run() -> None:
    world = World([REFUSED], ready_timeout_s=5.0)

    with pytest.raises(ServiceUnavailableError) as caught:
        world.wait()
    assert world.clock.now_s == 5.0
    assert caught.value.render() == (
        "no one listens at http://gpu1:5000 (Connection refused); it was not ready within 5 s\n"
        "  → start the service, or correct --host; to wait longer: service.ready_timeout"
    )


def test_a_host_that_says_nothing_at_all_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "SILENCE_S", 0.01)
    world = World(["ready"])

    def ready() -> None:  # answers when that has been told
        with gevent.Timeout(LONG_S):
            while not world.told:
                gevent.sleep(0.001)

    monkeypatch.setattr(world.plan.client_class(None), "ready", ready)
    assert [why for _, why in world.wait()] == ["http://gpu1:5000 has not answered yet"]


@pytest.mark.parametrize("error_class", ["dns", "refused", "unreachable"])
def test_an_address_where_nothing_listens_is_refused_at_once(error_class: str) -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        check_anyone_there(World([ServiceError(error_class, "why")]).plan)

    assert HOST in caught.value.message and "(why)" in caught.value.message
    assert caught.value.remedy == "start the service, or correct the host"


@pytest.mark.parametrize("answer", ["ready", LOADING, ServiceError("timeout", "no answer in 0.5 s")])
def test_a_service_that_is_there_is_waited_for(answer: ServiceError | str) -> None:
    check_anyone_there(World([answer]).plan)
