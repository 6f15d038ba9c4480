"""A job API that answers from a script, by a simulated clock."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from genload.drivers.job_driver import JobDriver
from genload.drivers.job_result import JobResult
from genload.service import JOB_STAGES, Artifact, JobClient, JobInput, JobPhase, JobState, ServiceError
from genload.settings.service import Poll, Retry, Service

from ..clock import Clock

IMAGE = JobInput("a.png", b"image", "image/png")
PENDING, RUNNING = JobState(JobPhase.PENDING), JobState(JobPhase.RUNNING)
DONE = JobState(JobPhase.COMPLETED, output="/out.stl")


class Scripted(JobClient):
    """Answers each call from its script: what it returns or raises, after how long.

    An entry is a value, an exception, or (seconds, value); the last one of a list is repeated.
    """

    def __init__(self, service: Service, clock: Clock, **script: Any) -> None:
        super().__init__(service)
        self.clock = clock
        self.script: dict[str, list[Any]] = {
            "upload": ["up"],
            "submit": ["job-7"],
            "poll": [RUNNING, DONE],
            "fetch": [Artifact(b"mesh", "out.stl", "")],
            "cancel": [None],
        } | script
        self.calls: list[str] = []
        self.connect_s = 0.0

    def _answer(self, name: str) -> Any:
        self.calls.append(name)
        entries = self.script[name]
        entry = entries.pop(0) if len(entries) > 1 else entries[0]
        seconds, value = entry if isinstance(entry, tuple) else (0.0, entry)
        with self.step(name) as step:
            step.connect_s = self.connect_s
            step.bytes_sent, step.bytes_received, step.status = 10, 100, 200
            self.clock.now_s += seconds + self.connect_s
            if isinstance(value, BaseException):
                raise value
        return value

    def ready(self) -> None:
        raise AssertionError("the driver does not ask")

    def upload(self, job: JobInput) -> str:
        return str(self._answer("upload"))

    def submit(self, job: JobInput, job_id: str) -> str:
        return str(self._answer("submit"))

    def poll(self, job_id: str) -> JobState:
        state = self._answer("poll")
        assert isinstance(state, JobState)
        return state

    def fetch(self, job_id: str, state: JobState) -> Artifact:
        artifact = self._answer("fetch")
        assert isinstance(artifact, Artifact)
        return artifact

    def cancel(self, job_id: str) -> None:
        self._answer("cancel")


SERVICE = Service(
    api="scripted",
    timeout_s=100.0,
    poll=Poll(interval_s=2.0, jitter=0.0, adaptive=False),
    retry=Retry(max_retries=3, default_wait_s=5.0, max_wait_s=30.0),
)


def drive(
    service: Service = SERVICE,
    inspect: Callable[[Artifact], dict[str, float]] = lambda artifact: {"faces": 12.0},
    connect_s: float = 0.0,
    **script: Any,
) -> tuple[JobResult, Scripted]:
    client = Scripted(service, Clock(), **script)
    client.connect_s = connect_s
    result = job_of(client, inspect=inspect).run()
    assert sum(result.stages.values()) == pytest.approx(result.duration_s, abs=1e-9)
    assert set(result.stages) <= set(JOB_STAGES)
    assert all(seconds >= 0 for seconds in result.stages.values())
    return result, client


def job_of(client: Scripted, image: JobInput = IMAGE, **options: Any) -> JobDriver:
    clock = client.clock
    options = {"inspect": lambda artifact: {}, "rng": Random(1), **options}
    return JobDriver(client, image, service=client.service, clock=clock, sleep=clock.sleep, **options)


def refusal(retry_after_s: float | None = None) -> ServiceError:
    return ServiceError(
        "rejected", "models are loading", rejected=True, retry_after_s=retry_after_s, status=503
    )
