"""How many processes a load needs, by its users, arrivals and streams."""

from __future__ import annotations

from typing import Any

import pytest

from genload.extensions import Wings
from genload.settings.arrivals import Stage, evenly, open_load
from genload.settings.phases import Phase, Timeline, steady_load
from genload.settings.processes import processes_for
from genload.settings.service import Service

JOBS: dict[str, Any] = {"api": "orfeas"}  # polled every 2 s: a job of 20 s, 20 polls
WHOLE: dict[str, Any] = {"api": "speech", "request": {"dialect": "openai", "stream": False}}
STREAMS: dict[str, Any] = {"api": "speech", "request": {"dialect": "openai", "stream": True}}


def service(asked: dict[str, Any]) -> Service:
    return Service.model_validate(asked, context={"wings": Wings()})


@pytest.mark.parametrize(
    ("asked", "users", "expected"),
    [
        (JOBS, 1, 1),
        (JOBS, 2_600, 1),  # 225 µs a second each: 0.585 of a core
        (JOBS, 2_700, 2),
        (JOBS, 10_000, 4),
        (WHOLE, 300, 1),  # ten answers a second each
        (WHOLE, 301, 2),
        (STREAMS, 333, 1),  # 1.8 ms a second each
        (STREAMS, 334, 2),
        (STREAMS, 1_000, 3),
    ],
)
def test_a_load_of_users(asked: dict[str, Any], users: int, expected: int) -> None:
    assert processes_for(steady_load(users, 60.0), service(asked)) == expected


def test_users_who_think_make_fewer_requests() -> None:
    assert processes_for(steady_load(3_000, 60.0), service(WHOLE)) == 10
    assert processes_for(steady_load(3_000, 60.0), service(WHOLE), think_s=0.9) == 1


@pytest.mark.parametrize(
    ("asked", "every_s", "users", "expected"),
    [
        (JOBS, 0.01, 5_000, 1),  # 100 a second, 4.5 ms each
        (JOBS, 0.005, 5_000, 2),
        (WHOLE, 1 / 2_900, 5_000, 1),  # 200 µs each
        (WHOLE, 1 / 3_100, 5_000, 2),
        (STREAMS, 0.01, 5_000, 2),  # 9 ms each
        (STREAMS, 0.01, 300, 1),  # never more at once than there are hands
    ],
)
def test_a_load_of_arrivals(asked: dict[str, Any], every_s: float, users: int, expected: int) -> None:
    timeline = Timeline((evenly("steady", 60.0, users, every_s),))
    assert processes_for(timeline, service(asked)) == expected


def test_of_a_ramp_its_busy_end_counts_and_not_its_mean() -> None:
    ramp = open_load([Stage("ramp", 60.0, 0.0, 8000.0)], "constant", 1, 1000, "")
    mean = open_load([Stage("even", 60.0, 4000.0, 4000.0)], "constant", 1, 1000, "")
    assert (processes_for(mean, service(WHOLE)), processes_for(ramp, service(WHOLE))) == (2, 3)


def test_the_busiest_phase_counts_and_no_process_is_without_a_user() -> None:
    calm, spike = Phase("calm", 60.0, 10), Phase("spike", 60.0, 1_000)
    assert processes_for(Timeline((calm, spike, calm)), service(STREAMS)) == 3
    fast = service(JOBS | {"poll": {"interval": "0.1ms", "first": "0.1ms"}})
    assert processes_for(steady_load(4, 60.0), fast) == 4
