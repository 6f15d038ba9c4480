"""One metric of several machines: the names of its labelled series.

A monitor that watches several of a kind (replicas, GPUs) writes a series for each, named as a criterion would
filter for it (``server.memory{replica=10.0.0.7:5000}``), and one for all of them without a label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from genload.settings.criteria.ast import Subject
from genload.settings.criteria.write import subject_text

_LABEL = re.compile(r'([A-Za-z_]\w*)=(?:"((?:[^"\\]|\\.)*)"|([^",{}]+))')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


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
