"""The tables of docs/criteria.md, from the metrics themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from genload.service import JOB_STAGES
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.metrics.metric import SERIES_STATS, Failures, Metric, Of
from genload.settings.metrics.outputs import OUTPUT_METRICS
from genload.settings.metrics.requests import request_metrics
from genload.settings.metrics.spoken import speech_metrics

UNITS = {
    Dimension.TIME: "time",
    Dimension.BYTES: "size",
    Dimension.RATIO: "share",
    Dimension.COUNT: "count",
    Dimension.RATE: "per time",
    Dimension.BYTE_RATE: "size per time",
    Dimension.STATE: "0 or 1",
    Dimension.PLAIN: "number",
}
FAILURES = {
    Failures.LAST: "rank last",
    Failures.LEFT_OUT: "are left out",
    Failures.COUNTED: "count as they are",
}
SAID_OF = {
    Of.ALL: "",
    Of.STREAMED: "streamed answers",
    Of.INSPECTED: "inspected outputs",
    Of.HEARD: "answers listened to",
}


def with_tables(text: str) -> str:
    """The document with each table between its marks written anew."""
    return re.sub(
        r"(<!-- metrics: (\w+) -->\n).*?(<!-- end -->)",
        lambda match: match[1] + "\n".join(TABLES[match[2]]()) + "\n" + match[3],
        text,
        flags=re.DOTALL,
    )


def _of_requests(metrics: Iterable[Metric]) -> Iterator[str]:
    yield "| subject | is | unit | failed requests | said of |"
    yield "|---|---|---|---|---|"
    for metric in metrics:
        failures = FAILURES[metric.failures] if metric.key and metric.stats else "–"
        of = SAID_OF[metric.of] or "all"
        yield f"| `{_name(metric)}` | {metric.help} | {UNITS[metric.dimension]} | {failures} | {of} |"


def _name(metric: Metric) -> str:
    return f"{metric.short}.STAT" if metric.stats else metric.short


def _of_machines() -> Iterator[str]:
    yield "| metric | is | unit | several machines |"
    yield "|---|---|---|---|"
    for metric in MACHINE_METRICS:
        assert metric.stats == SERIES_STATS
        yield f"| `{metric.name}` | {metric.help} | {UNITS[metric.dimension]} | {metric.together} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "requests": lambda: _of_requests(request_metrics("generate", JOB_STAGES)),
    "meshes": lambda: _of_requests(OUTPUT_METRICS["mesh"]),
    "splats": lambda: _of_requests(OUTPUT_METRICS["splats"]),
    "images": lambda: _of_requests(OUTPUT_METRICS["image"]),
    "speech": lambda: _of_requests(speech_metrics("speech")),
    "machines": _of_machines,
}
