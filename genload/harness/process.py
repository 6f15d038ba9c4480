"""What a process with users has: its gate, its recorder, its meters and its share of the plan."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from gevent.lock import BoundedSemaphore

from genload.artifacts import inspector
from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.images import ImageSource
from genload.harness.gate import Gate
from genload.harness.health import HealthMeter
from genload.harness.plan import RunPlan
from genload.harness.recorder import Recorder
from genload.harness.tickets import Share
from genload.runlog.failures import FailedOutput
from genload.runlog.records import RequestRecord


class LoadProcess:
    """One per Locust process that runs users; users find it as `environment.genload`.

    Args:
        sink: where finished records go.
        keep: where outputs go that are why their requests failed.
    """

    def __init__(self, sink: Callable[[RequestRecord], None], keep: Callable[[FailedOutput], None]) -> None:
        self.keep = keep
        self.gate = Gate()
        self.health = HealthMeter()
        self.recorder = Recorder(sink)
        self.making = BoundedSemaphore(1)  # held by the one user that makes an input
        self.plan: RunPlan | None = None

    def prepare(self, plan: RunPlan, share: Share, source: str, t0_s: float) -> None:
        """Get ready for a run that began at `t0_s` on this process's monotonic clock.

        Raises:
            ConfigError: no usable input; there is no plan then, and users stop at once.
        """
        self.images = ImageSource(plan.seed, Path(plan.service.images) if plan.service.images else None)
        self.plan = plan
        self.recorder.reset(source, t0_s)
        self.gate.reset(plan.timeline, share, plan.scenario.warmup.jobs)
        self.outputs = OutputRegistry()
        self.health.start()

    @property
    def images_left_out(self) -> list[str]:
        """Files in the user's own image folder that are not used, each with its reason."""
        return [f"service.images: {reason}" for reason in self.images.skipped]

    def release(self) -> None:
        """The run is over and everything is recorded."""
        self.health.stop()
        inspector.shared().close()
        self.plan = None

    def rng(self, user: int) -> random.Random:
        """A user's own random numbers: the same for the same seed, process and user."""
        seed = 0 if self.plan is None else self.plan.seed
        return random.Random(f"{seed}/{self.recorder.source}/{user}")

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self.recorder.since_start(time.monotonic())
