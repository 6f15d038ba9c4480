"""The monitors' process, as a run looks after it from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from genload.harness.plan import RunPlan
from genload.runlog.records import MonitorPlan
from genload.sampler import SamplerHandle, start_sampler
from genload.settings.metrics.machines import MEMORY, MIN_IDLE


class Monitoring:
    """One sampler for one run.

    Args:
        folder: the run directory.
        notice: tells whoever watches, and the report, of a code and its text.
        start: starts the process.
    """

    def __init__(
        self,
        folder: Path,
        notice: Callable[[str, str], None],
        start: Callable[..., SamplerHandle] = start_sampler,
    ) -> None:
        self._folder, self._notice, self._start = folder, notice, start
        self._sampler: SamplerHandle | None = None
        self._missed = False
        self.idle_s = 0.0
        """How long the service is to be watched at rest, before its load and after it."""

    def start(self, plan: RunPlan, t0_s: float) -> list[MonitorPlan]:
        """Begin; what the monitors promise. Without any there is no process.

        Raises:
            ConfigError, GenloadError: there can be no sampling.
        """
        monitors = {name: settings.model_dump(mode="json") for name, settings in plan.suite.monitors.items()}
        if not monitors:
            return []
        longest_s = {
            name: asked.interval_s
            for name, asked in plan.requested.monitors.items()
            if name in monitors and asked.interval_s > plan.suite.monitors[name].interval_s
        }
        self._sampler = self._start(self._folder, t0_s, plan.service.host, monitors, longest_s=longest_s)
        self.idle_s = idle_time_s(self._sampler.plans, plan.suite.watch_idle_s)
        return self._sampler.plans

    def look_after(self) -> None:
        """Say it, once, when the process has ended by itself."""
        sampler = self._sampler
        if sampler is not None and not sampler.running and not self._missed:
            self._missed = True
            self._notice(
                "monitors_ended",
                f"the monitors' process ended by itself, code {sampler.exit_code}: no samples from then on",
            )

    def stop(self, *, told: bool) -> None:
        """End it; `told` when the report knows already why lines may be lost."""
        if self._sampler is None:
            return
        self._sampler.stop()
        if self._sampler.exit_code and not self._missed and not told:
            self._notice("samples_lost", "the monitors' last samples could not be written")


def idle_time_s(plans: Sequence[MonitorPlan], limit_s: float) -> float:
    """The time in which every monitor of memory that can have them within `limit_s` has the samples of an
    idle level; 0 when none can.
    """
    needed_s = [MIN_IDLE * plan.interval_s for plan in plans if not set(MEMORY).isdisjoint(plan.metrics)]
    return max((time_s for time_s in needed_s if time_s <= limit_s), default=0.0)
