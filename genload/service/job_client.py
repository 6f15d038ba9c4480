"""The seam of a service whose work is a job: it is submitted, polled and fetched."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from genload.service.artifact import Artifact
from genload.service.client import ServiceClient
from genload.settings.metrics.meshes import mesh_metrics
from genload.settings.metrics.metric import Metric
from genload.settings.service import Service
from genload.settings.wing_models import RequestSettings

JOB_STAGES = ("connect", "upload", "accept", "queue", "run", "download")
"""The stages of a job, in order; what belongs to which is said in `genload.drivers.job_driver`."""

ONE_CALL_STAGES = ("connect", "upload", "run", "download")
"""Those of a job that is one blocking call."""


class JobPhase(StrEnum):
    PENDING = "pending"  # accepted, nothing begun
    RUNNING = "running"
    UNKNOWN = "unknown"  # accepted; whether it waits or is worked on is not told
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobState:
    """One answer to a poll, or to an order that is answered only when its work is done."""

    phase: JobPhase
    error: str = ""  # the service's own words, for FAILED
    error_class: str = "job_failed"  # for FAILED: a narrower one where the service's words tell
    output: str = ""  # where to fetch the result from, for COMPLETED
    output_since_s: float = 0.0  # for COMPLETED with the output in this answer: when its first byte came
    pause_s: float | None = None  # when the service wants to be asked again, where it says so


@dataclass(frozen=True, slots=True)
class JobInput:
    """What a job is made from."""

    name: str  # file name, unique in the run
    content: bytes
    media_type: str


class JobClient(ServiceClient):
    """A user's own client of one job API."""

    operation: ClassVar[str] = "generate"
    stages: ClassVar[tuple[str, ...]] = JOB_STAGES
    metrics: ClassVar[tuple[Metric, ...]] = mesh_metrics("generate")
    inspection: ClassVar[str] = "mesh"
    """How its outputs are inspected, unless it has an `inspect` of its own: as a ``mesh``, or ``none``, which
    every report says. An output that was not inspected is no valid one."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.distinct_outputs = True  # False: the same output for different inputs is no failure
        self.one_call = False  # True: the order is answered when its work is done, and nothing is polled
        self.noted: dict[str, float] = {}  # numbers of the service's own, for the record of the job under way

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        """`metrics`; without those of a mesh where nobody looks into the outputs."""
        if cls.inspection == "none":
            return tuple(metric for metric in cls.metrics if metric not in JobClient.metrics)
        return cls.metrics

    @abstractmethod
    def upload(self, job: JobInput) -> str:
        """Hand over the input; the service's id for the job. An API that takes input and order in
        one call does nothing here and returns ""."""

    @abstractmethod
    def submit(self, job: JobInput, job_id: str) -> str | JobState:
        """Order the work; the job's id, by which it is polled. Of one blocking call its end: completed or
        failed, as a poll would tell it."""

    @abstractmethod
    def poll(self, job_id: str) -> JobState:
        """The job's state now."""

    @abstractmethod
    def fetch(self, job_id: str, state: JobState) -> Artifact:
        """The finished job's output."""

    def inspect(self, artifact: Artifact) -> dict[str, float] | None:
        """Check the output, off the event loop; numbers for the record. None: as `inspection` says.

        Raises:
            ServiceError: it is broken.
            CannotInspectError: nothing here can tell.
            NotInspectedError: nobody wants to know.
        """
        return None

    def describe(self, artifact: Artifact) -> str:
        """What an output is, for people, whether it passes `inspect` or not; "" for nothing to say."""
        return ""

    def cancel(self, job_id: str) -> None:
        """Give a job up, where the service can."""
        return
