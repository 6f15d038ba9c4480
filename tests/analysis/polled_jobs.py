"""Jobs of known times, polled by the real driver on a simulated clock: records with the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from genload.drivers.job_driver import JobDriver
from genload.runlog.records import RequestRecord
from genload.service import Artifact, JobClient, JobInput, JobPhase, JobState
from genload.settings.service import Poll, Service

from ..clock import Clock
from .memory_log import job

ROUND_TRIP_S = 0.002
_IMAGE = JobInput("a.png", b"image", "image/png")
_ARTIFACT = Artifact(b"mesh", "out.stl", "")


@dataclass(frozen=True)
class Truth:
    """Seconds that a job waited for its slot, and that it ran."""

    queue_s: float
    run_s: float


class _Service(JobClient):
    """A job that begins and ends at set times after its order came, whose every call takes a round trip."""

    def __init__(self, service: Service, truth: Truth) -> None:
        super().__init__(service)
        self.clock = Clock(0.0)
        self._truth, self._ordered_s = truth, 0.0

    def _travel(self) -> float:
        """When the service looks at what was sent."""
        arrived_s = self.clock.now_s + ROUND_TRIP_S / 2
        self.clock.sleep(ROUND_TRIP_S)
        return arrived_s

    def ready(self) -> None:
        raise AssertionError("the driver does not ask")

    def upload(self, job: JobInput) -> str:
        self._travel()
        return "1"

    def submit(self, job: JobInput, job_id: str) -> str:
        self._ordered_s = self._travel()
        return job_id

    def poll(self, job_id: str) -> JobState:
        age_s = self._travel() - self._ordered_s
        if age_s < self._truth.queue_s:
            return JobState(JobPhase.PENDING)
        ended = age_s >= self._truth.queue_s + self._truth.run_s
        return JobState(JobPhase.COMPLETED if ended else JobPhase.RUNNING)

    def fetch(self, job_id: str, state: JobState) -> Artifact:
        self._travel()
        return _ARTIFACT


def polled(truths: list[Truth], poll: Poll, seed: int = 1, *, over_s: float = 60.0) -> list[RequestRecord]:
    """The record of each job, in a load that lasts `over_s`."""
    service, rng, records = Service(api="scripted", timeout_s=600.0, poll=poll), Random(seed), []
    for n, truth in enumerate(truths):
        client = _Service(service, truth)
        one = JobDriver(
            client,
            _IMAGE,
            service=service,
            inspect=lambda artifact: {},
            rng=rng,
            clock=client.clock,
            sleep=client.clock.sleep,
        )
        result = one.run()
        start_s = n * over_s / len(truths)
        records.append(job(n, start_s, result.duration_s, numbers=result.numbers, stages=result.stages))
    return records
