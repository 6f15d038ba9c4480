"""Pauses that end together: never early, each by itself, whatever becomes of the others."""

from __future__ import annotations

import time

import gevent
import pytest
from gevent import GreenletExit

from genload.pauses import pause


def timed(seconds: float) -> float:
    start_s = time.monotonic()
    pause(seconds)
    return time.monotonic() - start_s


@pytest.mark.parametrize("seconds", [0.0005, 0.001, 0.02, 0.0314])
def test_it_is_never_early(seconds: float) -> None:
    assert seconds <= timed(seconds) < seconds + 10


def test_a_busy_loop_does_not_make_it_early() -> None:
    time.sleep(0.1)  # the loop's own clock now lags behind
    assert timed(0.05) >= 0.05


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_none_at_all_gives_the_others_a_turn(seconds: float) -> None:
    turns: list[str] = []
    gevent.spawn(turns.append, "other")
    pause(seconds)
    assert turns == ["other"]


def test_each_of_many_wakes_at_its_own_time() -> None:
    tenths = [n % 10 for n in range(500)]
    took_s = [gevent.spawn(timed, 0.02 + 0.01 * tenth) for tenth in tenths]
    for tenth, greenlet in zip(tenths, took_s, strict=True):
        assert greenlet.get(timeout=30) >= 0.02 + 0.01 * tenth


def test_who_is_killed_leaves_the_others_asleep_and_awake() -> None:
    sleepers = [gevent.spawn(timed, 0.1) for _ in range(5)]
    gevent.sleep(0.01)
    sleepers[2].kill()
    assert isinstance(sleepers[2].value, GreenletExit)
    assert all(sleeper.get(timeout=30) >= 0.1 for n, sleeper in enumerate(sleepers) if n != 2)


def test_one_may_kill_another_as_both_wake() -> None:
    sleepers: list[gevent.Greenlet] = []

    def kill_the_others() -> None:
        pause(0.05)
        for sleeper in sleepers[1:]:
            sleeper.kill(block=False)
        time.sleep(0.001)

    sleepers += [gevent.spawn(kill_the_others), *(gevent.spawn(timed, 0.05) for _ in range(3))]
    gevent.joinall(sleepers, timeout=30, raise_error=True)
    assert all(sleeper.dead for sleeper in sleepers)


def test_a_timeout_ends_it() -> None:
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        pause(30)
    assert timed(0.01) >= 0.01


def test_who_is_switched_to_for_no_reason_sleeps_on() -> None:
    sleeper = gevent.spawn(timed, 0.1)
    gevent.sleep(0.01)
    gevent.get_hub().loop.run_callback(sleeper.switch)
    assert sleeper.get(timeout=30) >= 0.1


def test_an_error_of_one_that_nobody_watches_keeps_nobody_asleep(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        pause(0.05)
        raise RuntimeError("on purpose")

    gevent.spawn_raw(fail)
    others = [gevent.spawn(timed, 0.05) for _ in range(20)]
    assert all(other.get(timeout=30) >= 0.05 for other in others)
    assert "on purpose" in capfd.readouterr().err
