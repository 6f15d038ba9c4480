"""The agent's page: the newest sample of each monitor, in the names of the exporters it stands for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

from genload.commands.agent.dcgm import dcgm_families
from genload.commands.agent.node import node_families, process_families
from genload.commands.agent.text_format import Family, page
from genload.runlog.records import Sample
from genload.sampler.watch import Watch

_STALE_INTERVALS = 3
_STALE_FLOOR_S = 5.0


class AgentPage:
    """What monitors saw last. `take` is called by their threads, `text` by those that serve the page.

    A monitor that has stopped answering is absent from the page: an old number would pass for a new one.

    Args:
        watches: the agent's monitors.
        group: how the host monitor's processes are called on the page.
        hostname: of this machine.
        clock: seconds, the same as the samples'.
    """

    def __init__(
        self,
        watches: Sequence[Watch],
        *,
        group: str,
        hostname: str,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._stale_s = {w.name: max(_STALE_FLOOR_S, _STALE_INTERVALS * w.interval_s) for w in watches}
        self._group, self._hostname, self._clock = group, hostname, clock
        self._newest: dict[str, Sample] = {}
        self._facts: dict[str, str] = {}
        self._lock = threading.Lock()

    def take(self, sample: Sample) -> str:
        """Keep a tick; its error, where it is another than the one before (for people), else empty."""
        with self._lock:
            before = self._newest.get(sample.monitor)
            self._newest[sample.monitor] = sample
            self._facts |= sample.facts
        return "" if before is not None and before.error == sample.error else sample.error

    def text(self) -> str:
        """The whole page, as of now."""
        return page(self._families())

    def _families(self) -> Iterator[Family]:
        with self._lock:
            facts, newest = dict(self._facts), dict(self._newest)
        now_s = self._clock()
        fresh = {name: s for name, s in newest.items() if now_s - s.t_s <= self._stale_s[name]}
        up = [({"monitor": name}, float(name in fresh and not fresh[name].error)) for name in self._stale_s]
        yield Family("genload_agent_monitor_up", "gauge", "1 while the monitor finds what it looks for.", up)
        if "gpu" in fresh:
            yield from dcgm_families(fresh["gpu"].values, facts, self._hostname)
        yield from node_families()
        if "host" in fresh:
            yield from process_families(fresh["host"].values, self._group)
