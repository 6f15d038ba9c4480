"""From a driver's list of processes to the report's sentence: whether the board worked for others too."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pynvml
import pytest

from genload.analysis.judge import judge_log
from genload.reporting.machine_wording import efficiency_findings
from genload.sampler.watch import load_watch

from ..analysis.memory_log import LOAD_START_S, job, sound_run
from .fake_driver import FakeNvml

LOAD_S = 60

SERVICE = ["0.process 41 8000000000", "program.41 /usr/bin/python3 serve.py"]
TRAINER = ["0.process 99 4000000000", "program.99 /opt/trainer"]


@pytest.fixture
def fake(make_nvml: Callable[..., FakeNvml], monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    made = make_nvml()
    monkeypatch.setenv("FAKE_NVML", str(made.script))
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(made.library)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return made


def board_of(fake: FakeNvml, running: Callable[[int], list[str]], **settings: Any) -> str:
    """What a report says of a board, given which processes are on it at each second of the load."""
    watch = load_watch("gpu", settings, "http://127.0.0.1:1")
    log = sound_run(
        [job(n, float(n)) for n in range(LOAD_S)], load_s=float(LOAD_S), monitors={"gpu": settings}
    )
    log.header.monitors, log.ticks = [watch.plan], []
    for second in range(LOAD_S):
        fake.tell(["count 1", "0.name NVIDIA L4", "0.power 71500", *running(second)])
        tick = watch.tick(0.0)
        assert tick.error == ""
        tick.t_s = LOAD_START_S + second + 0.5
        log.ticks.append(tick)
    watch.monitor.close()
    found = judge_log(log).efficiency
    assert found is not None
    return dict(efficiency_findings(found))["board"]


def test_another_process_on_it_makes_it_shared(fake: FakeNvml) -> None:
    said = board_of(
        fake, lambda second: SERVICE + (TRAINER if 20 <= second < 25 else []), processes=["python3"]
    )
    assert said == "shared: trainer-99 worked on it too, which is in these numbers"


def test_the_services_own_processes_do_not(fake: FakeNvml) -> None:
    assert board_of(fake, lambda second: SERVICE, processes=[41]).startswith("not shared")


def test_which_of_several_is_the_services_is_for_the_user_to_say(fake: FakeNvml) -> None:
    said = board_of(fake, lambda second: SERVICE + TRAINER)
    assert "not known: 2 processes were on it" in said


def test_a_container_that_sees_none_says_so(fake: FakeNvml) -> None:
    assert "no process on it could be seen" in board_of(fake, lambda second: ["0.process none"])
