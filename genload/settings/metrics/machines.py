"""The metrics of machines, which monitors fill; and how those of several machines make one number."""

from __future__ import annotations

from collections.abc import Sequence

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Better, Metric, Together, sampled

# The vocabulary of machines. It is the engine's, because several monitors fill the same name
# (NVML, an agent, the service's own page): one word for one thing, whoever measured it.
MACHINE_METRICS: tuple[Metric, ...] = (
    sampled("gpu.utilisation", Dimension.RATIO, "share of time a kernel ran", Together.MEAN),
    sampled(
        "gpu.memory_utilisation",
        Dimension.RATIO,
        "share of time the memory was read or written",
        Together.MEAN,
        better=Better.LOWER,
    ),
    sampled(
        "gpu.memory_used",
        Dimension.BYTES,
        "memory in use on the GPU, without what the driver reserves",
        better=Better.LOWER,
    ),
    sampled("gpu.memory_free", Dimension.BYTES, "memory free on the GPU", better=Better.HIGHER),
    sampled("gpu.memory_total", Dimension.BYTES, "memory of the GPU"),
    sampled("gpu.power", Dimension.PLAIN, "power draw, watts", better=Better.LOWER, measured_in="watts"),
    sampled(
        "gpu.energy", Dimension.PLAIN, "energy counter, joules", better=Better.LOWER, measured_in="joules"
    ),
    sampled(
        "gpu.temperature",
        Dimension.PLAIN,
        "degrees Celsius",
        Together.HIGHEST,
        better=Better.LOWER,
        measured_in="celsius",
    ),
    sampled(
        "gpu.clock_sm",
        Dimension.PLAIN,
        "streaming multiprocessor clock, hertz",
        Together.LOWEST,
        better=Better.HIGHER,
        measured_in="hertz",
    ),
    sampled(
        "gpu.clock_memory",
        Dimension.PLAIN,
        "memory clock, hertz",
        Together.LOWEST,
        better=Better.HIGHER,
        measured_in="hertz",
    ),
    sampled(
        "gpu.throttled",
        Dimension.STATE,
        "1 while clocks are held down for power, heat or a fault",
        Together.HIGHEST,
        better=Better.LOWER,
    ),
    sampled(
        "gpu.throttled_power",
        Dimension.STATE,
        "1 while held down by a power limit or brake",
        Together.HIGHEST,
        better=Better.LOWER,
    ),
    sampled(
        "gpu.throttled_thermal",
        Dimension.STATE,
        "1 while held down by heat",
        Together.HIGHEST,
        better=Better.LOWER,
    ),
    sampled(
        "gpu.throttled_hardware",
        Dimension.STATE,
        "1 while the hardware itself holds them down",
        Together.HIGHEST,
        better=Better.LOWER,
    ),
    sampled(
        "gpu.ecc_corrected",
        Dimension.COUNT,
        "memory errors corrected since the driver was loaded",
        better=Better.LOWER,
    ),
    sampled(
        "gpu.ecc_uncorrected",
        Dimension.COUNT,
        "memory errors beyond correction, likewise",
        better=Better.LOWER,
    ),
    sampled(
        "gpu.xid_errors", Dimension.COUNT, "XID errors of the driver since the run began", better=Better.LOWER
    ),
    sampled("gpu.processes", Dimension.COUNT, "processes that have a context on the GPUs"),
    sampled(
        "gpu.process_memory",
        Dimension.BYTES,
        "GPU memory of the service's processes, or of all",
        better=Better.LOWER,
    ),
    sampled("host.cpu", Dimension.RATIO, "share of all cores busy, load generator's host"),
    sampled("host.cpu_core_max", Dimension.RATIO, "share of the busiest core"),
    sampled("host.load", Dimension.PLAIN, "processes that want to run, mean of a minute"),
    sampled("host.memory_used", Dimension.BYTES, "memory in use, load generator's host", better=Better.LOWER),
    sampled(
        "host.memory_available",
        Dimension.BYTES,
        "memory available, load generator's host",
        better=Better.HIGHER,
    ),
    sampled("host.swap_used", Dimension.BYTES, "swap space in use", better=Better.LOWER),
    sampled("host.network_received", Dimension.BYTES, "bytes received since boot"),
    sampled("host.network_sent", Dimension.BYTES, "bytes sent since boot"),
    sampled("host.network_receive_rate", Dimension.BYTE_RATE, "bytes received a second"),
    sampled("host.network_send_rate", Dimension.BYTE_RATE, "bytes sent a second"),
    sampled("host.disk_read_rate", Dimension.BYTE_RATE, "bytes read from disks a second"),
    sampled("host.disk_write_rate", Dimension.BYTE_RATE, "bytes written to disks a second"),
    *(
        sampled(f"{who}.{name}", dimension, f"{text} of {whose}", better=better)
        for who, whose in (
            ("server", "the service's processes"),
            ("client", "the load generator's processes"),
        )
        for name, dimension, text, better in (
            ("processes", Dimension.COUNT, "number", Better.EITHER),
            ("memory", Dimension.BYTES, "resident memory", Better.LOWER),
            ("cpu", Dimension.RATIO, "CPU, share of one core,", Better.LOWER),
            ("threads", Dimension.COUNT, "threads", Better.LOWER),
            ("fds", Dimension.COUNT, "open file descriptors", Better.LOWER),
        )
    ),
    sampled(
        "server.up",
        Dimension.STATE,
        "1 while the service answers its metrics page",
        Together.LOWEST,
        better=Better.HIGHER,
    ),
    sampled("server.restarts", Dimension.COUNT, "restarts seen since the run began", better=Better.LOWER),
    sampled("server.in_flight", Dimension.COUNT, "jobs the service says it is working on"),
    sampled(
        "server.scrape_duration",
        Dimension.TIME,
        "how long the metrics page took",
        Together.HIGHEST,
        better=Better.LOWER,
    ),
    sampled(
        "contract.absent", Dimension.COUNT, "expected families that no page has shown", better=Better.LOWER
    ),
    sampled("contract.idle", Dimension.COUNT, "expected families that are registered and never moved"),
    sampled("contract.live", Dimension.COUNT, "expected families that have moved", better=Better.HIGHER),
    sampled(
        "service.up",
        Dimension.STATE,
        "1 while the service answers its health probe; the mean is its uptime",
        Together.LOWEST,
        better=Better.HIGHER,
    ),
    sampled(
        "service.probe_duration",
        Dimension.TIME,
        "how long the health probe took",
        Together.HIGHEST,
        better=Better.LOWER,
    ),
    sampled("service.websocket.connections", Dimension.COUNT, "by which users hear of their jobs (updates)"),
    sampled("service.websocket.messages", Dimension.COUNT, "that have told of jobs since the run began"),
)

_TOGETHER = {metric.name: metric.together for metric in MACHINE_METRICS}


def together(metric: str, values: Sequence[float]) -> float:
    """One number for several of a kind, at least one; a metric of the suite's own (``prom.``) adds up."""
    return _TOGETHER.get(metric, Together.SUM).of(values)


MEMORY = ("server.memory", "gpu.memory_used")
"""Metrics that have a level while the service is idle."""

MIN_IDLE = 3
"""Fewest samples that make such a level."""
