"""The service's own Prometheus page: the families a real ORFEAS moves, and those it only registers.

It lies where the real one lies: every request counts as ``POST``, every generation as ``success`` (the
worker swallows its own exceptions), and most of the page never moves at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, time

import psutil
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    Summary,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from .gpu import Gpu

_BEGAN_S = time()  # Unix time

TYPE_3D, PROVIDER = "3d", "hunyuan3d"
_REQUEST_BUCKETS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
_GENERATION_BUCKETS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0)

# Registered on a real ORFEAS and never written: present on the page with zeros, or with no sample at all.
_IDLE: tuple[tuple[type[Counter | Gauge | Histogram | Summary], str, tuple[str, ...]], ...] = (
    (Counter, "http_requests_total", ("method", "endpoint", "status")),
    (Histogram, "http_request_duration_seconds", ("method", "endpoint")),
    (Summary, "http_request_size_bytes", ("method", "endpoint")),
    (Summary, "http_response_size_bytes", ("method", "endpoint")),
    (Counter, "errors_total", ("type", "endpoint")),
    (Counter, "validation_errors_total", ("field", "error_type")),
    (Counter, "rate_limit_rejections_total", ("endpoint",)),
    (Counter, "text_to_image_generations_total", ("art_style", "status")),
    (Histogram, "text_to_image_duration_seconds", ("art_style",)),
    (Counter, "model_3d_generations_total", ("format", "quality", "status")),
    (Histogram, "model_3d_duration_seconds", ("format", "quality")),
    (Counter, "image_uploads_total", ("format", "status")),
    (Gauge, "gpu_usage_percent", ("gpu_id",)),
    (Gauge, "gpu_memory_bytes", ("gpu_id", "type")),
    (Gauge, "active_jobs", ("type",)),
    (Gauge, "job_queue_size", ("type",)),
    (Gauge, "concurrent_requests", ("endpoint",)),
    (Gauge, "app_uptime_seconds", ()),
    (Counter, "successful_generations_total", ("type",)),
    (Counter, "failed_generations_total", ("type", "reason")),
    (Histogram, "generated_file_size_bytes", ("type",)),
    (Gauge, "quality_overall_score", ()),
    (Gauge, "quality_manifold_rate", ()),
    (Gauge, "websocket_connections_active", ("client_type",)),
    (Counter, "websocket_messages_sent_total", ("event_type",)),
    (Counter, "websocket_errors_total", ("error_type",)),
    (Histogram, "websocket_connection_duration_seconds", ()),
    (Histogram, "pipeline_stage_duration_seconds", ("stage",)),
    (Counter, "pipeline_stage_errors_total", ("stage", "error_type")),
    (Counter, "cache_hits_total", ("cache_type",)),
    (Counter, "cache_misses_total", ("cache_type",)),
    (Gauge, "orfeas_job_queue_size", ()),
    (Histogram, "orfeas_job_processing_seconds", ("job_type",)),
)


@dataclass(slots=True)
class Answered:
    """What a tracked request came to; `status` is the label that the page will carry."""

    status: int = 500


class _Process(ProcessCollector):
    """The process, begun when this program was: one that restarts in place keeps the kernel's start time."""

    def collect(self) -> Iterable[Metric]:
        for family in super().collect():
            if family.name == "process_start_time_seconds":
                yield GaugeMetricFamily(family.name, family.documentation, value=_BEGAN_S)
            else:
                yield family


class Metrics:
    """All families, in a registry of their own."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._registry = registry = CollectorRegistry()
        _Process(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._requests = Counter(
            "orfeas_requests",
            "Total number of HTTP requests",
            ["method", "endpoint", "status"],
            registry=registry,
        )
        self._request_duration = Histogram(
            "orfeas_request_duration_seconds",
            "HTTP request duration in seconds",
            ["method", "endpoint"],
            buckets=_REQUEST_BUCKETS,
            registry=registry,
        )
        self._requests_in_progress = Gauge(
            "orfeas_requests_in_progress", "Requests being processed", ["endpoint"], registry=registry
        )
        self._generations = Counter(
            "orfeas_generations",
            "Total number of AI generations",
            ["type", "provider", "status"],
            registry=registry,
        )
        self._generation_duration = Histogram(
            "orfeas_generation_duration_seconds",
            "Generation duration in seconds",
            ["type", "provider"],
            buckets=_GENERATION_BUCKETS,
            registry=registry,
        )
        self._generations_in_progress = Gauge(
            "orfeas_generations_in_progress", "Generations in progress", ["type"], registry=registry
        )
        self._cpu = Gauge("orfeas_cpu_usage_percent", "CPU usage percentage", registry=registry)
        self._memory = Gauge("orfeas_memory_usage_bytes", "System memory usage in bytes", registry=registry)
        self._memory_percent = Gauge(
            "orfeas_memory_usage_percent", "Memory usage percentage", registry=registry
        )
        self._errors = Counter(
            "orfeas_errors", "Total number of errors", ["error_type", "endpoint"], registry=registry
        )
        self._gpu_reserved = Gauge(
            "orfeas_gpu_memory_bytes", "GPU memory usage in bytes", ["gpu_id"], registry=registry
        )
        self._gpu_allocated = Gauge(
            "orfeas_gpu_memory_allocated_bytes",
            "GPU memory allocated in bytes",
            ["gpu_id"],
            registry=registry,
        )
        self._generations_in_progress.labels(TYPE_3D)
        for kind, name, labels in _IDLE:
            kind(name, f"{name}, registered and never written", labels, registry=registry)

    @contextmanager
    def request(self, endpoint: str) -> Iterator[Answered]:
        """Track one request; the block sets the status. What it raises counts as a 500, as in ORFEAS."""
        answered, start_s = Answered(), monotonic()
        self._requests_in_progress.labels(endpoint).inc()
        try:
            yield answered
        finally:
            self._requests.labels("POST", endpoint, str(answered.status)).inc()
            self._request_duration.labels("POST", endpoint).observe(monotonic() - start_s)
            self._requests_in_progress.labels(endpoint).dec()

    def page_not_found(self) -> None:
        """A path that is none: ORFEAS's file route raises, which it counts as an error *and* a 500."""
        with self.request("/static"):
            self._errors.labels("NotFound", "/static").inc()

    def generation_begun(self) -> None:
        self._generations_in_progress.labels(TYPE_3D).inc()

    def generation_ended(self, duration_s: float) -> None:
        """Whatever came of it: completed and failed jobs count alike."""
        self._generations.labels(TYPE_3D, PROVIDER, "success").inc()
        self._generation_duration.labels(TYPE_3D, PROVIDER).observe(duration_s)
        self._generations_in_progress.labels(TYPE_3D).dec()

    def page(self) -> bytes:
        """The page in Prometheus's text format, its system and GPU gauges fresh."""
        memory = psutil.virtual_memory()
        self._cpu.set(psutil.cpu_percent(interval=None))
        self._memory.set(memory.used)
        self._memory_percent.set(memory.percent)
        self._gpu_reserved.labels("0").set(self._gpu.reserved_bytes)
        self._gpu_allocated.labels("0").set(self._gpu.allocated_bytes)
        return generate_latest(self._registry)
