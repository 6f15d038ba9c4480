"""What a testbed is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .fault_options import FaultOptions


class Face(StrEnum):
    """Whose API the jobs are ordered by."""

    ORFEAS = "orfeas"
    JOB = "job"  # a plain one: `job_api`


class WhenFull(StrEnum):
    """What happens to a job when every slot is taken."""

    QUEUE = "queue"  # it waits, first come first served
    REFUSE = "refuse"  # what a real ORFEAS does: accepted with 200, then failed


@dataclass(frozen=True, slots=True)
class Options:
    """Times are modelled seconds: real ones are these times `time_scale`."""

    api: Face = Face.ORFEAS
    port: int = 5000  # 0: any free one
    service_time_s: float = 82.0  # mean of a job that runs alone
    spread: float = 0.02  # standard deviation of the service time ÷ its mean
    slots: int = 3
    when_full: WhenFull = WhenFull.QUEUE
    contention: float = 0.0  # how much slower each further running job makes all of them: 0.1 = 10 %
    time_scale: float = 1.0
    seed: int = 0
    truth: Path | None = None
    rate_limit_per_min: int = 0  # uploads and submissions a client address may send; 0: no limit
    gpu: Path | None = None  # what it is shared by: a file (`board`); None: nobody else uses it
    faults: FaultOptions = field(default_factory=FaultOptions)

    def scaled(self, modelled_s: float) -> float:
        """Modelled seconds as real ones."""
        return modelled_s * self.time_scale
