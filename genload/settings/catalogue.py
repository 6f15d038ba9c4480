"""What may be named in a suite: metrics, operations, phases and labels, as the wings declare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from genload.settings.criteria.ast import Dimension

SUMMARY_STATS = ("mean", "min", "max", "p", "count")
ANY_LABEL = "*"
"""A monitor's word for labels that it does not know beforehand."""
SERIES_STATS = ("mean", "min", "max", "last", "growth", "slope", "p", "count")


@dataclass(frozen=True, slots=True)
class Metric:
    """One name that a criterion may judge.

    Attributes:
        name: dotted, without the statistic: ``generate.duration``, ``server.memory``.
        dimension: what its numbers are.
        stats: statistics it takes; empty for a metric that is itself a number (``generate.error_rate``).
        source: ``requests`` (records) or ``samples`` (monitors).
        help: one line for docs, schema and error messages.
    """

    name: str
    dimension: Dimension
    stats: tuple[str, ...]
    source: str
    help: str


def request_metrics(operation: str, stages: tuple[str, ...] = ()) -> tuple[Metric, ...]:
    """The metrics every operation (``generate``, ``speech``) has, and one for each of its stages."""
    plain = (
        ("error_rate", Dimension.RATIO, "failed, timed out and unfinished ÷ attempted"),
        ("success_rate", Dimension.RATIO, "completed ÷ attempted"),
        ("attempted", Dimension.COUNT, "requests started in the window, warm-up left out"),
        ("completed", Dimension.COUNT, "requests that ended well, output checked"),
        ("failed", Dimension.COUNT, "attempted − completed"),
        ("unfinished", Dimension.COUNT, "still in flight when waiting for them ended"),
        ("rejections", Dimension.COUNT, "refusals (429, 503) met on the way, retried or final"),
        ("throughput", Dimension.RATE, "completions inside the window ÷ its length"),
        ("valid_rate", Dimension.RATIO, "outputs that passed their inspection ÷ outputs inspected"),
        (
            "cannot_inspect",
            Dimension.COUNT,
            "outputs that nothing here can look into, valid or not",
        ),
        (
            "connection_errors",
            Dimension.COUNT,
            "failed without a whole answer: refused, reset, cut off, timed out",
        ),
    )
    numbers = tuple(Metric(f"{operation}.{n}", d, (), "requests", h) for n, d, h in plain)
    durations = (
        Metric(
            f"{operation}.duration",
            Dimension.TIME,
            SUMMARY_STATS,
            "requests",
            "before the first connect to the last byte",
        ),
        Metric(
            f"{operation}.server_duration",
            Dimension.TIME,
            SUMMARY_STATS,
            "requests",
            "accepted to observed finish",
        ),
    )
    parts = tuple(
        Metric(f"{operation}.stage.{s}", Dimension.TIME, SUMMARY_STATS, "requests", f"time in stage {s}")
        for s in stages
    )
    return numbers + durations + parts


def speech_metrics(operation: str) -> tuple[Metric, ...]:
    """The metrics of an operation whose output is listened to; formulas in `genload.artifacts.playback`."""
    time, plain, ratio, count = Dimension.TIME, Dimension.PLAIN, Dimension.RATIO, Dimension.COUNT
    per_request = (
        ("ttfb", time, "send to the first byte of the answer's body"),
        ("ttfa", time, "send to the first 20 ms of audio that can be played"),
        ("first_sound", time, "send to the first audio that is not silent"),
        ("gap_max", time, "longest pause between two arrivals of one answer"),
        ("audio_duration", time, "length of the audio"),
        ("rtf", plain, "send to the last byte ÷ length of the audio: below 1 is faster than real time"),
        ("delivery_rtf", plain, "first audio to the last byte ÷ length of the audio"),
        ("stalls", count, "times that playback had to wait, with the suite's pre-buffer"),
        ("underrun", time, "longest such wait of one answer; 0 when there was none"),
        ("startup_buffer", time, "least pre-buffer that would have avoided every stall"),
        ("silence", ratio, "share of the audio that is silent"),
        ("rms", plain, "loudness, 0..1 of full scale"),
        ("characters", count, "length of the text"),
        ("start_delay", time, "how late it was sent after the moment that an open schedule intended"),
    )
    whole = (
        ("audio_throughput", plain, "seconds of audio completed inside the window ÷ its length"),
        ("per_character", time, "duration against text length: the slope, seconds a character"),
    )
    return (
        *(Metric(f"{operation}.{n}", d, SUMMARY_STATS, "requests", h) for n, d, h in per_request),
        *(Metric(f"{operation}.{n}", d, (), "requests", h) for n, d, h in whole),
    )


def _sampled(name: str, dimension: Dimension, text: str) -> Metric:
    return Metric(name, dimension, SERIES_STATS, "samples", text)


# The vocabulary of machines. It is the engine's, because several monitors fill the same name
# (NVML, an agent, the service's own page): one word for one thing, whoever measured it.
MACHINE_METRICS: tuple[Metric, ...] = (
    _sampled("gpu.utilisation", Dimension.RATIO, "share of time a kernel ran; the mean of several GPUs"),
    _sampled(
        "gpu.memory_utilisation", Dimension.RATIO, "share of time the memory was read or written; the mean"
    ),
    _sampled(
        "gpu.memory_used",
        Dimension.BYTES,
        "memory in use on the GPU, without what the driver reserves; the sum",
    ),
    _sampled("gpu.memory_free", Dimension.BYTES, "memory free on the GPU; the sum"),
    _sampled("gpu.memory_total", Dimension.BYTES, "memory of the GPU; the sum"),
    _sampled("gpu.power", Dimension.PLAIN, "power draw, watts; the sum"),
    _sampled("gpu.energy", Dimension.PLAIN, "energy counter, joules; the sum"),
    _sampled("gpu.temperature", Dimension.PLAIN, "degrees Celsius; the hottest"),
    _sampled("gpu.clock_sm", Dimension.PLAIN, "streaming multiprocessor clock, hertz; the lowest"),
    _sampled("gpu.clock_memory", Dimension.PLAIN, "memory clock, hertz; the lowest"),
    _sampled(
        "gpu.throttled", Dimension.STATE, "1 while clocks are held down for power, heat or a fault; of any"
    ),
    _sampled("gpu.throttled_power", Dimension.STATE, "1 while held down by a power limit or brake; of any"),
    _sampled("gpu.throttled_thermal", Dimension.STATE, "1 while held down by heat; of any"),
    _sampled(
        "gpu.throttled_hardware", Dimension.STATE, "1 while the hardware itself holds them down; of any"
    ),
    _sampled(
        "gpu.ecc_corrected", Dimension.COUNT, "memory errors corrected since the driver was loaded; the sum"
    ),
    _sampled("gpu.ecc_uncorrected", Dimension.COUNT, "memory errors beyond correction, likewise; the sum"),
    _sampled("gpu.xid_errors", Dimension.COUNT, "XID errors of the driver since the run began; the sum"),
    _sampled("gpu.processes", Dimension.COUNT, "processes that have a context on the GPUs"),
    _sampled("gpu.process_memory", Dimension.BYTES, "GPU memory of the service's processes, or of all"),
    _sampled("host.cpu", Dimension.RATIO, "share of all cores busy, load generator's host"),
    _sampled("host.cpu_core_max", Dimension.RATIO, "share of the busiest core"),
    _sampled("host.load", Dimension.PLAIN, "processes that want to run, mean of a minute"),
    _sampled("host.memory_used", Dimension.BYTES, "memory in use, load generator's host"),
    _sampled("host.memory_available", Dimension.BYTES, "memory available, load generator's host"),
    _sampled("host.swap_used", Dimension.BYTES, "swap space in use"),
    _sampled("host.network_received", Dimension.BYTES, "bytes received since boot"),
    _sampled("host.network_sent", Dimension.BYTES, "bytes sent since boot"),
    _sampled("host.network_receive_rate", Dimension.BYTE_RATE, "bytes received a second"),
    _sampled("host.network_send_rate", Dimension.BYTE_RATE, "bytes sent a second"),
    _sampled("host.disk_read_rate", Dimension.BYTE_RATE, "bytes read from disks a second"),
    _sampled("host.disk_write_rate", Dimension.BYTE_RATE, "bytes written to disks a second"),
    *(
        _sampled(f"{who}.{name}", dimension, f"{text} of {whose}")
        for who, whose in (
            ("server", "the service's processes"),
            ("client", "the load generator's processes"),
        )
        for name, dimension, text in (
            ("processes", Dimension.COUNT, "number"),
            ("memory", Dimension.BYTES, "resident memory"),
            ("cpu", Dimension.RATIO, "CPU, share of one core,"),
            ("threads", Dimension.COUNT, "threads"),
            ("fds", Dimension.COUNT, "open file descriptors"),
        )
    ),
    _sampled("server.up", Dimension.STATE, "1 while the service answers its metrics page"),
    _sampled("server.restarts", Dimension.COUNT, "restarts seen since the run began"),
    _sampled("server.in_flight", Dimension.COUNT, "jobs the service says it is working on"),
    _sampled("server.scrape_duration", Dimension.TIME, "how long the metrics page took"),
    _sampled("contract.absent", Dimension.COUNT, "expected families that no page has shown"),
    _sampled("contract.idle", Dimension.COUNT, "expected families that are registered and never moved"),
    _sampled("contract.live", Dimension.COUNT, "expected families that have moved"),
    _sampled(
        "service.up", Dimension.STATE, "1 while the service answers its health probe; the mean is its uptime"
    ),
    _sampled("service.probe_duration", Dimension.TIME, "how long the health probe took"),
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything a criterion of one scenario may name.

    `open_prefixes` are namespaces whose members only the suite knows (``prom.`` queries).
    `labels` maps a label (``phase`` among them) to its known values; an empty tuple means any value.
    `sample_labels` are those of the suite's monitors, with the beginnings of the metrics that have them.
    `duration_s` is the length of the load, `inf` when no clock ends it.
    """

    metrics: Mapping[str, Metric]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open_prefixes: tuple[str, ...] = ("prom.",)
    duration_s: float = inf
    sample_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def labels_of_samples(self, metric: str) -> tuple[str, ...]:
        """The labels by which one of the monitors' metrics may be filtered, besides the phase."""
        return tuple(label for label, begins in self.sample_labels.items() if metric.startswith(begins))

    @classmethod
    def of(
        cls,
        metrics: tuple[Metric, ...],
        labels: Mapping[str, tuple[str, ...]] | None = None,
        duration_s: float = inf,
        sample_labels: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Catalogue:
        """The vocabulary of machines together with what the wings declare."""
        known = {m.name: m for m in (*MACHINE_METRICS, *metrics)}
        return cls(known, dict(labels or {}), duration_s=duration_s, sample_labels=dict(sample_labels or {}))
