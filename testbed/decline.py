"""How the service as a whole decays with the jobs that it has done: memory, outages, its end."""

from __future__ import annotations

from collections.abc import Callable
from math import exp

from .fault_options import After, FaultOptions
from .faults import Fault
from .gpu import Gpu

AWAY_S = 10.0  # modelled: how long nothing listens when a request asks for that


class Decline:
    """Counts ended jobs, and does what the options say when its time has come.

    Args:
        away: let nothing listen for that many modelled seconds.
        end: let the process end by `Fault.CRASH` or `Fault.RESTART`.
        cut: let nobody listen to updates for that many modelled seconds.
    """

    def __init__(
        self,
        options: FaultOptions,
        gpu: Gpu,
        *,
        away: Callable[[float], None],
        end: Callable[[Fault], None],
        cut: Callable[[float], None],
    ) -> None:
        self._options, self._gpu = options, gpu
        self._away, self._end, self._cut = away, end, cut
        self._ended = 0
        self._leaked: list[bytes] = []

    def strike(self, fault: Fault) -> None:
        """One of `faults.WHOLE`, now."""
        if fault is Fault.REFUSED:
            self._away(AWAY_S)
        else:
            self._end(fault)

    def job_ended(self) -> None:
        """Another job has completed or failed."""
        options = self._options
        self._ended += 1
        self._leak(
            options.memory_growth_bytes
            + round(self._due(options.memory_step))
            + round(self._filled(options.memory_fill))
        )
        self._gpu.leaked_bytes += options.gpu_growth_bytes + round(self._due(options.gpu_step))
        if away_s := self._due(options.refused):
            self._away(away_s)
        if options.updates_cut is not None and self._ended == options.updates_cut.jobs:
            self._cut(options.updates_cut.amount)  # also for no time at all
        for fault, jobs in ((Fault.CRASH, options.crash_jobs), (Fault.RESTART, options.restart_jobs)):
            if self._ended == jobs:
                self._end(fault)

    def _due(self, after: After | None) -> float:
        """The amount of something that happens at this very job, else 0."""
        return after.amount if after is not None and self._ended == after.jobs else 0.0

    def _filled(self, fill: After | None) -> float:
        """What this job adds to a cache that fills, the less the fuller it is."""
        if fill is None:
            return 0.0
        empty_before, empty_now = (exp(-jobs / fill.jobs) for jobs in (self._ended - 1, self._ended))
        return fill.amount * (empty_before - empty_now)

    def _leak(self, size_bytes: int) -> None:
        if size_bytes:
            self._leaked.append(b"\xa5" * size_bytes)  # not zeros: those need no memory until they are read
