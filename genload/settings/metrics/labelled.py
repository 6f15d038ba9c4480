"""One metric of several machines: the names of its labelled series, and how they make one number.

A monitor that watches several of a kind (replicas, GPUs) writes a series for each, named as a criterion would
filter for it (``server.memory{replica=10.0.0.7:5000}``), and one for all of them without a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from genload.settings.criteria.ast import Subject
from genload.settings.criteria.write import subject_text

_LABEL = re.compile(r'([A-Za-z_]\w*)=(?:"((?:[^"\\]|\\.)*)"|([^",{}]+))')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# What is not named here is an amount (memory, power, jobs in flight, CPU time), and amounts add up.
_TOGETHER: Mapping[str, Callable[[Sequence[float]], float]] = {
    "server.up": min,
    "server.scrape_duration": max,
    "service.up": min,
    "service.probe_duration": max,
    "gpu.utilisation": _mean,
    "gpu.memory_utilisation": _mean,
    "gpu.clock_sm": min,
    "gpu.clock_memory": min,
    "gpu.temperature": max,
    "gpu.throttled": max,
    "gpu.throttled_power": max,
    "gpu.throttled_thermal": max,
    "gpu.throttled_hardware": max,
}


def labelled(metric: str, labels: Mapping[str, str]) -> str:
    """``gpu.memory_used{gpu=0}``; labels in the order of the alphabet, the bare metric without any."""
    return subject_text(Subject(metric, filters=tuple(sorted(labels.items()))))


def unlabelled(series: str) -> tuple[str, dict[str, str]]:
    """The metric and the labels of a series' name: `labelled` backwards."""
    metric, brace, inside = series.partition("{")
    if not brace:
        return metric, {}
    found = _LABEL.findall(inside)
    return metric, {label: bare or _ESCAPE.sub(r"\1", quoted) for label, quoted, bare in found}


def together(metric: str, values: Sequence[float]) -> float:
    """One number for several of a kind, at least one: the sum of an amount, the mean of a share,
    the worst of a temperature, a clock, a state or a time.
    """
    combine: Callable[[Sequence[float]], float] = _TOGETHER.get(metric, sum)
    return combine(values)
