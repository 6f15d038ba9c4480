"""The base class for services whose work is a job: the client submits, polls and fetches it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from genload.service.artifact import Artifact
from genload.service.client import ServiceClient
from genload.service.updates import Updates
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.outputs import OUTPUT_METRICS
from genload.settings.service import Service
from genload.settings.wing_models import RequestSettings

JOB_STAGES = ("connect", "upload", "accept", "queue", "run", "download")
"""The stages of a job, in their order; `genload.drivers.job_driver` explains them."""

ONE_CALL_STAGES = ("connect", "upload", "run", "download")
"""The stages of a job that is one blocking call."""


class JobPhase(StrEnum):
    PENDING = "pending"  # accepted, nothing begun
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobState:
    """The state of a job, as the service tells it: in the answer to a poll, or in the answer to a blocking
    call."""

    phase: JobPhase
    error: str = ""  # FAILED: the reason, in the service's words
    error_class: str = "job_failed"  # FAILED: a more exact class, if the reason allows one
    output: str = ""  # COMPLETED: where to fetch the output
    output_since_s: float = 0.0  # COMPLETED, and the output is in this answer: when its first byte came
    pause_s: float | None = None  # how long the service wants us to wait before the next poll, if it says so


@dataclass(frozen=True, slots=True)
class JobInput:
    """The input of a job."""

    name: str  # file name, unique in the run
    content: bytes
    media_type: str
    views: Mapping[str, JobInput] = field(default_factory=dict)  # by name: all its images, if several
    shows: str = ""  # tells apart what inputs show, where several show the same; "": no other shows it


class JobClient(ServiceClient):
    """The client through which one user talks to a service whose work is a job."""

    operation: ClassVar[str] = "generate"
    stages: ClassVar[tuple[str, ...]] = JOB_STAGES
    metrics: ClassVar[tuple[Metric, ...]] = OUTPUT_METRICS["mesh"]
    inspection: ClassVar[str] = "mesh"
    """How outputs are inspected if the client has no `inspect` of its own: as a ``mesh``, as Gaussian
    ``splats``, as an ``image``, as ``bytes`` of which there is at least one; or ``none``, and then every
    report says that nobody inspected them. An output counts as valid only after an inspection."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.distinct_outputs = True  # True: the same output for different inputs is a failure
        self.one_call = False  # True: `submit` returns when the work is done, and nothing is polled
        self.queue_told = True  # False: the service does not say whether a job waits or runs: both are `run`

    @classmethod
    def measures(cls, request: RequestSettings) -> tuple[Metric, ...]:
        """`metrics`, with those of the outputs that there are in the place of those of a mesh."""
        of_outputs = OUTPUT_METRICS.get(cls.inspection, JobClient.metrics)
        if of_outputs == JobClient.metrics:
            return cls.metrics
        return (*of_outputs, *(metric for metric in cls.metrics if metric not in JobClient.metrics))

    @classmethod
    def inspection_of(cls, request: RequestSettings) -> str:
        """`inspection`, as the settings of the request have it."""
        return cls.inspection

    @classmethod
    def updates(cls, service: Service) -> Updates | None:
        """What follows the jobs of all users of a process by what the service tells of them itself, if the
        suite wants that; None: they are polled."""
        return None

    @abstractmethod
    def upload(self, job: JobInput) -> str:
        """Send the input; returns the id that the service gives the job. If the API takes the input together
        with the order, this method does nothing and returns ""."""

    @abstractmethod
    def submit(self, job: JobInput, job_id: str) -> str | JobState:
        """Order the work; returns the id by which the job is polled. If the call blocks until the work is
        done, it returns the final state (completed or failed) instead."""

    def poll(self, job_id: str) -> JobState:
        """Ask for the state of the job. A client with `one_call` needs no such method."""
        raise NotImplementedError

    def told(self, job_id: str, fields: Mapping[str, Any]) -> JobState:
        """The state of the job, as an update tells it. A client without `updates` needs no such method."""
        raise NotImplementedError

    @abstractmethod
    def fetch(self, job_id: str, state: JobState) -> Artifact:
        """Download the output of a completed job."""

    def inspect(self, artifact: Artifact) -> dict[str, float] | None:
        """Check the output, and return numbers for the record. While this method computes, all users of the
        process wait: a mesh is read in another process (`genload.artifacts.mesh.check`). None means: inspect
        the output as `inspection` says.

        Raises:
            ServiceError: the output is broken.
            CannotInspectError: no installed library can read the output.
            NotInspectedError: the output is not to be inspected.
        """
        return None

    def describe(self, artifact: Artifact) -> str:
        """One line about an output for people to read, whether the output is valid or not; "" for none."""
        return ""

    def cancel(self, job_id: str) -> None:
        """Tell the service that nobody waits for the job any more, if the service has a call for this."""
        return
