"""Code of users' that raises, wherever it is called: each request that began has its record; the run says
what and where, in a few lines, and is not valid.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.runlog.records import RequestRecord

from .conftest import Outcome

pytestmark = pytest.mark.processes

RAISED = (
    "IndexError",
    "StopUser",
    "RescheduleTask",
    "InterruptTaskSet",
    "SystemExit",
    "KeyboardInterrupt",
    "GreenletExit",
    "Timeout",
)
CALLS = ("upload", "submit", "poll", "fetch", "inspect", "cancel", "correlation", "nothing")

COMMON = """
import itertools, os, time
from pathlib import Path
from gevent import GreenletExit, Timeout, sleep
from locust.exception import InterruptTaskSet, RescheduleTask, StopUser
from genload.service import *

RAISED = {names}
CALLS = {calls}
TRUTH = Path({truth!r}) / str(os.getpid())
made, began = itertools.count(), itertools.count()


class Raising:
    def choose(self):
        '''A request begins: which of its calls is to raise what.'''
        number = next(began)
        self.call = CALLS[number % len(CALLS)]
        self.error = RAISED[number // len(CALLS) % len(RAISED)]
        with TRUTH.open("a") as file:
            file.write(f"{{self.request_id}} {{self.call}} {{self.error.__name__}}\\n")

    def may_raise(self, call):
        sleep(0.005)
        if call == self.call:
            raise self.error(3) if self.error is SystemExit else self.error()

    def ready(self):
        pass

    def close(self):
        if self.request_id:
            raise RuntimeError("nobody may close me")
"""

JOBS = """
class Client(Raising, JobClient):
    call = error = None

    def upload(self, job):
        self.choose()
        with self.step("upload", "POST"):
            self.may_raise("upload")
            self.correlation()
        return "up"

    def correlation(self):
        self.may_raise("correlation")
        return super().correlation()

    def submit(self, job, job_id):
        self.may_raise("submit")
        return "job"

    def poll(self, job_id):
        self.may_raise("poll")
        done = self.call != "cancel"
        return JobState(JobPhase.COMPLETED if done else JobPhase.RUNNING, output="x")

    def fetch(self, job_id, state):
        self.may_raise("fetch")
        return Artifact(self.request_id.encode(), "a.stl", "")

    def inspect(self, artifact):
        self.may_raise("inspect")
        return {"faces": 1.0}

    def cancel(self, job_id):
        self.may_raise("cancel")
"""

SPEECH = """
from genload.settings.speech import SpeechRequest

class Client(Raising, SpeechClient):
    call = error = None
    Request = SpeechRequest

    def speak(self, utterance):
        self.choose()
        now = time.monotonic()
        with self.step("speech", "POST", recorded=False):
            self.may_raise("speak")
            self.correlation()
        return {"answer": "no Speech at all"} if self.call == "nothing" else None

    def correlation(self):
        self.may_raise("correlation")
        return super().correlation()
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., str]:
    """A suite whose service is code that raises: users that each make one request at the same moment."""

    def write(client: str, locustfile: str, calls: tuple[str, ...], users: int, request: str = "{}") -> str:
        (tmp_path / "services").mkdir()
        (tmp_path / "truth").mkdir()
        common = COMMON.format(names=f"({', '.join(RAISED)})", calls=calls, truth=str(tmp_path / "truth"))
        (tmp_path / "services" / "raising.py").write_text(common + client)
        (tmp_path / "own.yaml").write_text(
            f"service: {{api: raising, timeout: 1s, poll: {{interval: 20ms}}, request: {request}}}\n"
            f"locustfile: {locustfile}\n"
            "scenarios:\n  all:\n"
            f"    shape: {{kind: burst, users: {users}}}\n"
            "    warmup: {jobs: 0}\n"
            "    criteria: {all_good: generate.failed == 0}\n".replace(
                "generate", "generate" if locustfile == "generation3d" else "speech"
            )
        )
        return f"{tmp_path / 'own.yaml'}/all"

    return write


def truth(folder: Path) -> dict[str, tuple[str, str]]:
    """By request id, of all processes: which call was to raise what."""
    lines = [line.split() for file in (folder / "truth").iterdir() for line in file.read_text().splitlines()]
    return {request_id: (call, error) for request_id, call, error in lines}


def check_records(outcome: Outcome, expected: dict[str, tuple[str, str]]) -> None:
    """Each request has one record, which says what it failed of and where."""
    records = outcome.jobs("all")
    assert Counter(record.request_id for record in records) == Counter(list(expected))
    for record in records:
        call, error = expected[record.request_id]
        check_record(record, call, error)


def check_record(record: RequestRecord, call: str, error: str) -> None:
    if call == "nothing" and record.operation == "generate":
        assert record.outcome == "ok"
    elif call == "cancel":
        assert (record.outcome, record.error_class) == ("failed", "timeout")
    elif call == "nothing":
        assert record.error_class == "client_error" and "it must return a Speech" in record.error
    else:
        assert (record.outcome, record.error_class) == ("failed", "client_error"), (call, error, record)
        assert re.search(rf"services/raising.py:\d+ in may_raise: {error}\b", record.error)


def check_told(outcome: Outcome) -> None:
    """Invalid, with place and remedy, in few lines and no traceback; the tracebacks are kept."""
    assert outcome.code == 3, outcome.output
    assert "Traceback" not in outcome.output and len(outcome.output.splitlines()) < 120, outcome.output
    told = [line for line in outcome.output.splitlines() if "/WARNING/" in line and "raising.py" in line]
    assert 2 <= len(told) <= 10 and any("nobody may close me" in line for line in told)
    result = outcome.result("all")
    reasons = {reason["code"]: reason for reason in result["verdict"]["reasons"]}
    assert "services/raising.py" in reasons["client_error"]["text"]
    assert "mend that line" in reasons["client_error"]["remedy"]
    traces = list((outcome.suite_folder / "all" / "failures" / "client_error").glob("*.txt"))
    assert 1 <= len(traces) <= 3
    assert all("Traceback" in trace.read_text() for trace in traces)


def test_jobs_whose_client_raises_at_every_call(
    project: Callable[..., str], run_locust: Callable[..., Outcome], tmp_path: Path
) -> None:
    users = len(CALLS) * len(RAISED)
    outcome = run_locust("--scenario", project(JOBS, "generation3d", CALLS, users))

    expected = truth(tmp_path)
    assert len(set(expected.values())) == len(expected) == users, outcome.output
    check_records(outcome, expected)
    check_told(outcome)


def test_speech_whose_client_raises_at_every_call(
    project: Callable[..., str], run_locust: Callable[..., Outcome], tmp_path: Path
) -> None:
    calls = ("speak", "correlation", "nothing")
    users = len(calls) * len(RAISED)
    outcome = run_locust(
        "--scenario", project(SPEECH, "speech", calls, users, "{voices: [a]}"), locustfile="speech"
    )

    expected = truth(tmp_path)
    assert len(set(expected.values())) == len(expected) == users, outcome.output
    check_records(outcome, expected)
    check_told(outcome)


def test_clients_that_raise_on_workers(
    project: Callable[..., str], cluster: Callable[..., Any], tmp_path: Path
) -> None:
    users = 2 * len(CALLS) * len(RAISED)
    master, workers = cluster("--scenario", project(JOBS, "generation3d", CALLS, users))
    output, _ = master.communicate(timeout=90)
    outcome = Outcome(master.returncode, output, tmp_path / "results")
    for worker in workers:
        words, _ = worker.communicate(timeout=20)
        assert "Traceback" not in words, words

    expected = truth(tmp_path)
    assert len(expected) == users and len(set(expected.values())) == users / 2
    check_records(outcome, expected)
    check_told(outcome)


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
    testbed: Callable[..., Any],
    run_locust: Callable[..., Outcome],
) -> None:
    service = testbed(service_time="100ms", slots=20)
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
    testbed: Callable[..., Any],
    run_genload: Callable[..., Outcome],
) -> None:
    service = testbed(service_time="100ms", slots=20)
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
    testbed: Callable[..., Any],
) -> None:
    service = testbed(service_time="100ms", slots=20)
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
    testbed: Callable[..., Any],
    run_locust: Callable[..., Outcome],
) -> None:
    service = testbed(service_time="100ms", slots=20)
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
    testbed: Callable[..., Any],
    run_genload: Callable[..., Outcome],
) -> None:
    service = testbed(service_time="100ms", slots=20)
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
    testbed: Callable[..., Any],
    run_locust: Callable[..., Outcome],
) -> None:
    service = testbed(service_time="100ms", slots=20)
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
