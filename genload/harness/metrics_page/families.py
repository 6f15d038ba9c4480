"""What stands on the page: one noun, which the page, its document and its tests read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client import Metric as Exposed
from prometheus_client.utils import floatToGoString

from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Metric

_UNITS = {
    Dimension.TIME: "seconds",
    Dimension.BYTES: "bytes",
    Dimension.RATIO: "ratio",
    Dimension.RATE: "per_second",
    Dimension.BYTE_RATE: "bytes_per_second",
}
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")
_DECADE = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)

BOUNDS_S = (*(round(step * 10.0**power, 3) for power in range(-2, 3) for step in _DECADE), 1000.0)
"""Upper bounds of latency: six a decade, from 10 ms to 1000 s."""
_BOUNDS = tuple(map(floatToGoString, BOUNDS_S))


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family.

    Attributes:
        name: without the suffix of its type (``_total``, ``_info``, ``_bucket``).
        labels: beside those of the run, which every series has.
    """

    name: str
    type: Literal["counter", "gauge", "histogram", "info", "summary"]
    help: str
    labels: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The last word of the name where that is a unit, as OpenMetrics wants it."""
        last = self.name.rpartition("_")[2]
        return last if last in ("seconds", "bytes", "ratio") else ""


INFO = Family("genload_run", "info", "What runs", ("api", "host", "time_scale", "seed", "version"))
STARTED = Family("genload_run_start_time_seconds", "gauge", "When the run began, Unix time")
STAGE = Family("genload_run_stage", "gauge", "1 for what the run does now", ("stage",))
PHASE = Family("genload_phase_active", "gauge", "1 for the phase of the load that goes on", ("phase",))
REMAINING = Family(
    "genload_load_remaining_seconds", "gauge", "How long the load still lasts, if a clock ends it"
)
USERS = Family("genload_users", "gauge", "Users, by what they do", ("state",))
IN_FLIGHT = Family("genload_requests_in_flight", "gauge", "Logical requests that have begun and not ended")
REQUESTS = Family(
    "genload_requests",
    "counter",
    "Logical requests that have ended, warm-up left out",
    ("operation", "phase", "outcome"),
)
ERRORS = Family(
    "genload_request_errors",
    "counter",
    "Failed logical requests by error class",
    ("operation", "error_class"),
)
CRITERION = Family("genload_criterion", "info", "The criteria of the scenario", ("criterion", "rule", "must"))
OBSERVED = Family(
    "genload_criterion_observed",
    "gauge",
    "What was observed so far, in the base unit named",
    ("criterion", "unit"),
)
STATE = Family(
    "genload_criterion_state",
    "gauge",
    "1 for the result by what was observed so far",
    ("criterion", "must", "state"),
)
EVIDENCE = Family(
    "genload_criterion_evidence", "gauge", "1 for the evidence of a verdict", ("criterion", "evidence")
)
VALID = Family("genload_run_valid", "gauge", "1 if the measurement was sound; known at the end")
EXIT_CODE = Family("genload_run_exit_code", "gauge", "The verdict's exit code; known at the end")
WORKERS = Family("genload_workers", "gauge", "Worker processes of a master", ("state",))
LAG = Family(
    "genload_process_lag_seconds",
    "gauge",
    "The latest wake-up at the newest look, of a process with users",
    ("process",),
)
CPU = Family("genload_process_cpu_ratio", "gauge", "CPU of a process with users; 1 is a core", ("process",))
MEMORY = Family(
    "genload_process_resident_memory_bytes", "gauge", "Memory of a process with users", ("process",)
)

FIXED = (
    *(INFO, STARTED, STAGE, PHASE, REMAINING, USERS, IN_FLIGHT, REQUESTS, ERRORS),
    *(CRITERION, OBSERVED, STATE, EVIDENCE, VALID, EXIT_CODE, WORKERS, LAG, CPU, MEMORY),
)
"""Those with a name of their own; the others are called as the catalogue calls them."""

# Not a histogram, which would be as large as the rest of the page.
STAGE_TIMES = Family(
    "genload_request_stage_seconds",
    "summary",
    "Time in a stage, of requests that ended well",
    ("operation", "phase", "stage"),
)


def of_requests(metric: Metric) -> Family:
    """A time that requests carry: ``speech.ttfa`` is ``genload_request_ttfa_seconds``."""
    name = f"genload_request_{_word(metric.short)}_seconds"
    return Family(name, "histogram", metric.help, ("operation", "phase", "outcome"))


def of_machines(name: str, metric: Metric | None) -> Family:
    """A number of monitors: ``gpu.power`` is ``genload_gpu_power_watts``; None for one that only the suite
    knows."""
    unit = "" if metric is None else _UNITS.get(metric.dimension, metric.measured_in)
    words = "genload", _word(name.removesuffix("_rate") if unit.endswith("per_second") else name), unit
    help = "As the suite's monitors name it" if metric is None else metric.help
    return Family("_".join(filter(None, words)), "gauge", help)


def label_of(name: str) -> str:
    """A monitor's own label; underscores at its ends are Prometheus's, as in ``__name__``."""
    return _word(name).strip("_") or "label"


def _word(name: str) -> str:
    return _NO_NAME.sub("_", name)


class Sheet:
    """Families of one run, filled.

    Args:
        labels: of the run, on every series.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._filled: dict[str, Exposed] = {}

    def __iter__(self) -> Iterator[Exposed]:
        return iter(self._filled.values())

    def add(self, family: Family, value: float, suffix: str = "", /, **labels: str) -> None:
        """One sample; labels of the run itself win."""
        filled = self._filled.get(family.name)
        if filled is None:
            filled = Exposed(family.name, family.help, family.type, family.unit)
            self._filled[family.name] = filled
        suffix = suffix or {"counter": "_total", "info": "_info"}.get(family.type, "")
        filled.add_sample(family.name + suffix, {**labels, **self._labels}, value)

    def add_histogram(
        self, family: Family, at_most: Iterable[int], count: int, sum_s: float, /, **labels: str
    ) -> None:
        """How many were at most each of `BOUNDS_S`, and how many there were."""
        for bound, number in zip(_BOUNDS, at_most, strict=True):
            self.add(family, number, "_bucket", le=bound, **labels)
        self.add(family, count, "_bucket", le="+Inf", **labels)
        self.add_summary(family, count, sum_s, **labels)

    def add_summary(self, family: Family, count: int, sum_s: float, /, **labels: str) -> None:
        """How many there were, and their sum."""
        self.add(family, count, "_count", **labels)
        self.add(family, sum_s, "_sum", **labels)
