"""A client whose code raises at every call: each request that began has its record; the run says what and
where, in a few lines, and is not valid.
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
        if not done:
            self.deadline_s = time.monotonic()
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
            f"service: {{api: raising, timeout: 60s, poll: {{interval: 20ms}}, request: {request}}}\n"
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
    output, _ = master.communicate(timeout=200)
    outcome = Outcome(master.returncode, output, tmp_path / "results")
    for worker in workers:
        words, _ = worker.communicate(timeout=200)
        assert "Traceback" not in words, words

    expected = truth(tmp_path)
    assert len(expected) == users and len(set(expected.values())) == users / 2
    check_records(outcome, expected)
    check_told(outcome)
