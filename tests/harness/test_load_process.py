"""What a process with users does to itself before a run, and undoes after it."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest

from genload.harness.process import LoadProcess
from genload.harness.tickets import Share
from genload.housekeeping import YOUNG_OBJECTS
from genload.service import ServiceClient
from genload.settings.phases import Phase, Timeline
from genload.settings.scenario import Warmup

ROOT = Path(__file__).resolve().parents[2]


def unplanned() -> LoadProcess:
    return LoadProcess(lambda record: None, lambda output: None, lambda failure: None)


def prepare(process: LoadProcess) -> None:
    plan = SimpleNamespace(
        client_class=ServiceClient,
        timeline=Timeline((Phase("steady", 60.0, users=1),)),
        scenario=SimpleNamespace(warmup=Warmup(jobs=0), idle_s=None),
    )
    plan.populations = (plan,)
    process.prepare(plan, [Share()], "local", t0_s=0.0)  # type: ignore[arg-type]


@pytest.fixture
def process() -> Iterator[LoadProcess]:
    process = unplanned()
    prepare(process)
    try:
        yield process
    finally:
        process.release()


def test_users_that_were_started_before_their_plan_came_wait_for_it() -> None:
    process = unplanned()
    user = gevent.spawn(process.wait_for_plan)
    gevent.sleep(0)
    assert not user.ready()
    prepare(process)
    try:
        assert user.get(timeout=60) is process.plan
    finally:
        process.release()


def test_no_collection_of_a_run_goes_through_what_was_loaded_before_it(process: LoadProcess) -> None:
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10


def test_what_is_young_is_looked_through_rarely(process: LoadProcess) -> None:
    assert gc.get_threshold()[0] == YOUNG_OBJECTS


def test_after_the_run_everything_can_be_collected_again(process: LoadProcess) -> None:
    process.release()

    assert gc.get_freeze_count() == 0
    assert gc.get_threshold()[0] < YOUNG_OBJECTS


ENDED = """
import atexit, gc
atexit.register(lambda: print(len(gc.get_objects()), gc.get_threshold()[0]))
from genload import housekeeping
housekeeping.begin()
import json.decoder, unittest.mock
print(len(gc.get_objects()))
"""


@pytest.mark.processes
def test_a_process_that_ends_goes_through_nothing_that_it_has_imported() -> None:
    done = subprocess.run([sys.executable, "-c", ENDED], cwd=ROOT, text=True, capture_output=True, timeout=60)
    alive, at_the_end, threshold = map(int, done.stdout.split())

    assert alive > 1_000  # or this test shows nothing
    assert at_the_end < 100
    assert threshold == YOUNG_OBJECTS


FAULTS = """
import resource
from genload import housekeeping

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        several = [bytearray(200_000) for _ in range(10)]
        del several
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults())
housekeeping.hold_back()
faults()
print(faults())
"""

FAULTS_OF_COLUMNS = """
import resource
from ctypes import CDLL
from genload import housekeeping

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        column = bytearray(8_000_000)
        del column
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

CDLL(None).mallopt(-3, 1 << 20)  # whatever is usual: it changes with what is freed
print(faults())
housekeeping.reuse_columns()
faults()
print(faults())
"""

THREADS = """
from genload import housekeeping
housekeeping.begin()
import numpy, scipy.special, psutil
print(psutil.Process().num_threads())
"""


@pytest.mark.processes
def test_memory_of_answers_is_not_asked_of_the_system_each_time() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], cwd=ROOT, text=True, capture_output=True, timeout=60
    )
    usual, held_back = map(int, done.stdout.split())

    assert usual > 20_000  # pages that the system had to clear, or this test shows nothing
    assert held_back < 1_000


@pytest.mark.processes
def test_memory_of_columns_is_not_asked_of_the_system_each_time() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS_OF_COLUMNS], cwd=ROOT, text=True, capture_output=True, timeout=60
    )
    usual, reused = map(int, done.stdout.split())

    assert usual > 10 * reused


@pytest.mark.processes
def test_numpy_and_scipy_start_no_threads() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS], cwd=ROOT, text=True, capture_output=True, timeout=60
    )

    assert int(done.stdout) == 1


LEFT = """
import psutil
from genload import housekeeping

rss_bytes = lambda: psutil.Process().memory_info().rss
housekeeping.hold_back()
answers = [bytearray(200_000) for _ in range(100)]
del answers
kept_bytes = rss_bytes()
housekeeping.let_go()
print(kept_bytes - rss_bytes())
"""


@pytest.mark.processes
def test_after_the_run_what_was_freed_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT], cwd=ROOT, text=True, capture_output=True, timeout=200)

    assert int(done.stdout) > 10_000_000  # of 20 MB
