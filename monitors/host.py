"""The machine that the load comes from: a generator that is short of CPU or memory measures itself."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from genload.monitor import Monitor as Base


class Monitor(Base):
    """The whole machine through psutil; a tick takes about 0.1 ms."""

    metrics = (
        "host.cpu",
        "host.memory_used",
        "host.memory_available",
        "host.network_received",
        "host.network_sent",
    )
    source = "psutil"

    def open(self) -> None:
        self._cpu_told = False

    def sample(self) -> Mapping[str, float]:
        """CPU is the share of all cores since the tick before, so the first tick has none; network counters
        are over all interfaces, the loopback among them."""
        memory = psutil.virtual_memory()
        values = {"host.memory_used": float(memory.used), "host.memory_available": float(memory.available)}
        cpu = psutil.cpu_percent() / 100
        if self._cpu_told:
            values["host.cpu"] = cpu
        self._cpu_told = True
        network = psutil.net_io_counters()
        if network is not None:
            values["host.network_received"] = float(network.bytes_recv)
            values["host.network_sent"] = float(network.bytes_sent)
        return values
