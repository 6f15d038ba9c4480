"""Code of a user's file that raises outside of a request's own calls: the run says what and where, and goes
on or ends as it must.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Outcome

pytestmark = pytest.mark.processes

SOUND = """
from genload.extensions import attribute
from genload.service import *

class Client(attribute("services", "orfeas", "Client")):
"""


@pytest.fixture
def write_wing(tmp_path: Path) -> Callable[[str, str, str], None]:
    def write(wing: str, name: str, text: str) -> None:
        (tmp_path / wing).mkdir(exist_ok=True)
        (tmp_path / wing / f"{name}.py").write_text(text)

    return write


@pytest.mark.parametrize("asked", ["ready", "time_scale"])
def test_a_service_that_cannot_be_asked_before_the_load(
    asked: str,
    write_wing: Callable[..., None],
    short_suite: Callable[..., str],
    shared_testbed: Callable[..., Any],
    run_locust: Callable[..., Outcome],
) -> None:
    service = shared_testbed(service_time="100ms", slots=20)
    write_wing("services", "mine", SOUND + f"    def {asked}(self):\n        return {{}}['status']\n")
    outcome = run_locust(
        "--scenario", short_suite(monitors=""), "--set", "service.api=mine", "-H", service.url
    )

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output
    assert f"services/mine.py:7 in {asked}: KeyError: 'status'" in outcome.output
    (reason,) = outcome.result("short")["verdict"]["reasons"]  # that no load began is no second one
    assert reason["code"] == "client_error"


def test_a_service_that_cannot_be_asked_between_scenarios(
    write_wing: Callable[..., None],
    short_suite: Callable[..., str],
    shared_testbed: Callable[..., Any],
    run_genload: Callable[..., Outcome],
) -> None:
    service = shared_testbed(service_time="100ms", slots=20)
    write_wing("services", "mine", SOUND + "    def in_flight(self):\n        return {}['jobs']\n")
    second = (
        "  other: {shape: {kind: burst, users: 1}, warmup: {jobs: 0}, "
        "criteria: {all_good: generate.failed == 0}}\nsettle: {pause: 100ms}"
    )
    target = short_suite(monitors="", duration="1s", more=second).removesuffix("/short")
    outcome = run_genload(target, "--host", service.url, "--set", "service.api=mine")

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output
    assert outcome.output.count("services/mine.py:7 in in_flight: KeyError: 'jobs'") == 1
    assert outcome.result("short")["verdict"]["valid"] and outcome.jobs("other")


def test_listeners_that_raise_take_no_request_from_the_record(
    tmp_path: Path,
    short_suite: Callable[..., str],
    testbed: Callable[..., Any],
    run_locust: Callable[..., Outcome],
) -> None:
    """One orders the end of its user, as Locust lets it, in the middle of a job and at its end; another has
    an error."""
    service = testbed(service_time="100ms", slots=20)
    built_in = (Path(__file__).parents[2] / "locustfiles" / "generation3d.py").read_text()
    listeners = (
        "\n\nfrom locust import events\nfrom locust.exception import StopUser\n\n"
        "@events.request.add_listener\n"
        "def stops(name, **_):\n"
        "    if name in ('upload', 'generate'):\n"
        "        raise StopUser\n\n"
        "@events.request.add_listener\n"
        "def broken(name, **_):\n"
        "    return {}[name]\n"
    )
    (tmp_path / "mine.py").write_text(built_in + listeners)
    options = ("-H", service.url, "-f", str(tmp_path / "mine.py"))
    outcome = run_locust("--scenario", short_suite(monitors="", duration="4s"), *options)

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output and len(outcome.output.splitlines()) < 80, outcome.output
    told = [line for line in outcome.output.splitlines() if "/WARNING/" in line and "mine.py" in line]
    assert len(told) == 1 and "in broken: KeyError: 'submit'" in told[0]
    jobs = outcome.jobs("short")
    assert {job.outcome for job in jobs} == {"ok"}
    assert len(jobs) == len(service.truth_records()) >= 3
    reasons = {reason["code"] for reason in outcome.result("short")["verdict"]["reasons"]}
    assert "client_error" in reasons and "records_missing" not in reasons


def test_a_shape_that_raises_in_the_middle_ends_the_load(
    write_wing: Callable[..., None],
    short_suite: Callable[..., str],
    run_locust: Callable[..., Outcome],
    shared_testbed: Callable[..., Any],
) -> None:
    service = shared_testbed(service_time="100ms", slots=20)
    shape = (
        "import time\n"
        "from genload.extensions import shape_class\n"
        "from genload.settings.wing_models import ShapeSettings\n\n"
        "class Tired(shape_class('normal')):\n"
        "    def tick(self):\n"
        "        if self.elapsed_s() > 2:\n"
        "            raise ZeroDivisionError('no more users')\n"
        "        return super().tick()\n"
    )
    write_wing("shapes", "tired", shape)
    options = ("--set", "scenarios.short.shape.kind=tired", "-H", service.url)
    outcome = run_locust("--scenario", short_suite(monitors="", duration="40s"), *options)

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output
    assert "shapes/tired.py:8 in tick: ZeroDivisionError: no more users" in outcome.output
    assert outcome.result("short")["duration_seconds"] < 30
    assert outcome.jobs("short")


def test_a_task_that_raises_outside_of_its_turn_is_told_once(
    tmp_path: Path,
    short_suite: Callable[..., str],
    shared_testbed: Callable[..., Any],
    run_locust: Callable[..., Outcome],
) -> None:
    service = shared_testbed(service_time="100ms", slots=20)
    built_in = (Path(__file__).parents[2] / "locustfiles" / "generation3d.py").read_text()
    raising = built_in.replace("self.pause_after(result)", "raise IndexError(f'after {result.outcome}')")
    (tmp_path / "mine.py").write_text(raising)
    options = ("-H", service.url, "-f", str(tmp_path / "mine.py"))
    outcome = run_locust("--scenario", short_suite(monitors="", duration="4s"), *options)

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output and len(outcome.output.splitlines()) < 80
    assert outcome.output.count("/WARNING/genload.harness.journal: mine.py:") == 1
    (reason,) = (
        each for each in outcome.result("short")["verdict"]["reasons"] if each["code"] == "client_error"
    )
    assert "IndexError: after ok" in reason["text"]
    jobs = outcome.jobs("short")
    assert jobs and all(job.outcome == "ok" for job in jobs)


def test_a_report_that_raises_holds_up_no_other(
    write_wing: Callable[..., None],
    short_suite: Callable[..., str],
    shared_testbed: Callable[..., Any],
    run_genload: Callable[..., Outcome],
) -> None:
    service = shared_testbed(service_time="100ms", slots=20)
    write_wing("reports", "mine", "def render(suite, folder):\n    return suite.no_such_thing\n")
    target = short_suite(monitors="", duration="2s", more="reports: [mine, results_json]")
    outcome = run_genload(target, "--host", service.url)

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output and "own/short  PASS" in outcome.output
    assert (
        "reports/mine.py:2 in render: AttributeError" in outcome.output
        and "→ mend that line" in outcome.output
    )
    assert outcome.result("short")["verdict"]["valid"]


def test_a_monitor_that_raises_makes_the_run_invalid_and_is_named(
    write_wing: Callable[..., None],
    short_suite: Callable[..., str],
    shared_testbed: Callable[..., Any],
    run_locust: Callable[..., Outcome],
) -> None:
    service = shared_testbed(service_time="100ms", slots=20)
    monitor = (
        "from genload.monitor import Monitor as Base\n\n"
        "class Monitor(Base):\n"
        "    metrics = ('host.cpu',)\n\n"
        "    def open(self):\n        pass\n\n"
        "    def sample(self):\n"
        "        return {'host.cpu': [][0]}\n"
    )
    write_wing("monitors", "mine", monitor)
    target = short_suite(monitors="mine: {interval: 200ms}", duration="2s")
    outcome = run_locust("--scenario", target, "-H", service.url)

    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output
    assert outcome.output.count("monitor mine: monitors/mine.py:10 in sample: IndexError") == 1
    (reason,) = (
        each for each in outcome.result("short")["verdict"]["reasons"] if each["code"] == "client_error"
    )
    assert "monitor mine, monitors/mine.py:10 in sample: IndexError: list" in reason["text"]
    trace = outcome.suite_folder / "short" / "failures" / "client_error" / "monitor-mine.txt"
    assert "Traceback" in trace.read_text()
