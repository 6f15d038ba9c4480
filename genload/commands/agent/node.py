"""This machine as Prometheus' node exporter shows it, and processes as process-exporter does.

Only what a suite judges: CPU, memory, load, network, disks.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from genload.commands.agent.text_format import Family

_CPU_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_MEMORY = {
    "MemTotal": "total",
    "MemFree": "free",
    "MemAvailable": "available",
    "Buffers": "buffers",
    "Cached": "cached",
}
_NO_DISKS = re.compile(r"(z?ram|loop|fd)\d+")

Samples = list[tuple[Mapping[str, str], float]]


def node_families() -> Iterator[Family]:
    """Everything, read now; what this system does not offer is absent."""
    yield Family("node_time_seconds", "gauge", "System time in seconds since epoch.", [({}, time.time())])
    yield Family("node_boot_time_seconds", "gauge", "Node boot time.", [({}, psutil.boot_time())])
    yield _cpu()
    yield from _memory()
    for minutes, load in zip((1, 5, 15), os.getloadavg(), strict=True):
        yield Family(f"node_load{minutes}", "gauge", f"{minutes}m load average.", [({}, load)])
    yield from _network()
    yield from _disks()


def _cpu() -> Family:
    samples: Samples = []
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        for mode in _CPU_MODES:
            if hasattr(times, mode):
                samples.append(({"cpu": str(number), "mode": mode}, getattr(times, mode)))
    return Family("node_cpu_seconds_total", "counter", "Seconds the CPUs spent in each mode.", samples)


def _memory() -> Iterator[Family]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    fields = {name: getattr(memory, ours, None) for name, ours in _MEMORY.items()}
    for name, value in (fields | {"SwapTotal": swap.total, "SwapFree": swap.free}).items():
        if value is not None:
            yield Family(
                f"node_memory_{name}_bytes", "gauge", f"Memory information field {name}.", [({}, value)]
            )


def _network() -> Iterator[Family]:
    devices = psutil.net_io_counters(pernic=True)
    for direction, ours in (("receive", "bytes_recv"), ("transmit", "bytes_sent")):
        samples: Samples = [({"device": name}, getattr(counts, ours)) for name, counts in devices.items()]
        text = f"Network device statistic {direction}_bytes."
        yield Family(f"node_network_{direction}_bytes_total", "counter", text, samples)


def _disks() -> Iterator[Family]:
    counters = psutil.disk_io_counters(perdisk=True) or {}
    disks = {name: counts for name, counts in counters.items() if _is_whole_disk(name)}
    for name, ours, text in (
        ("read", "read_bytes", "The total number of bytes read successfully."),
        ("written", "write_bytes", "The total number of bytes written successfully."),
    ):
        samples: Samples = [({"device": disk}, getattr(counts, ours)) for disk, counts in disks.items()]
        yield Family(f"node_disk_{name}_bytes_total", "counter", text, samples)


def _is_whole_disk(name: str) -> bool:
    """Not a partition, whose bytes are its disk's too."""
    return not _NO_DISKS.fullmatch(name) and Path("/sys/block", name).exists()


def process_families(values: Mapping[str, float], group: str) -> Iterator[Family]:
    """The ``server.…`` numbers of a host monitor's tick."""
    labels = {"groupname": group}
    for ours, name, more, text in (
        ("processes", "num_procs", {}, "number of processes in this group"),
        ("memory", "memory_bytes", {"memtype": "resident"}, "number of bytes of memory in use"),
        ("threads", "num_threads", {}, "number of threads"),
        ("fds", "open_filedesc", {}, "number of open file descriptors"),
    ):
        value = values.get(f"server.{ours}")
        samples: Samples = [] if value is None else [(labels | more, value)]
        yield Family(f"namedprocess_namegroup_{name}", "gauge", text, samples)
