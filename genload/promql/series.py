"""The series of an answer, and what samples they make of a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from genload.settings.metrics.labelled import labelled
from genload.settings.metrics.machines import together

MOST_SERIES = 64
_NAME = "__name__"
_HISTOGRAM = (
    "the query answers with native histograms, which are no numbers: "
    "take histogram_quantile, histogram_sum or histogram_count of them"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a query's answer: its labels, values by Unix time, and its name, if it has one."""

    labels: Mapping[str, str]
    points: Mapping[float, float]
    name: str = ""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Line:
        """From an entry of a vector or a matrix; NaN and infinity are no values.

        Raises:
            ValueError: it is a native histogram, which is no number.
        """
        if "histogram" in found or "histograms" in found:
            raise ValueError(_HISTOGRAM)
        pairs = found["values"] if "values" in found else [found["value"]]
        points = {float(at_s): float(value) for at_s, value in pairs if isfinite(float(value))}
        labels = dict(found["metric"])
        name = labels.pop(_NAME, "")
        return cls(labels, points, name)

    @property
    def identity(self) -> Mapping[str, str]:
        """Its labels, with the name as one of them: two names may have all others alike."""
        return {**self.labels, _NAME: self.name} if self.name else self.labels


def by_time(metric: str, lines: Sequence[Line]) -> dict[float, dict[str, float]]:
    """The samples that a query's series make of a metric, by Unix time.

    One series is the metric. Of several each is a series of its own, named by the labels in which they
    differ, and a metric of the engine is what they come to together: at the times when none of them has a
    hole. What several series of a query of the suite's own would come to, only the suite knows.
    """
    samples: dict[float, dict[str, float]] = {}
    if len(lines) == 1:
        return {at_s: {metric: value} for at_s, value in lines[0].points.items()}
    differing = _differing([line.identity for line in lines])
    for line in lines:
        name = labelled(metric, {label: line.identity.get(label, "") for label in differing})
        for at_s, value in line.points.items():
            samples.setdefault(at_s, {})[name] = value
    if not metric.startswith("prom."):
        for at_s, values in samples.items():
            owed = [line for line in lines if line.points and min(line.points) <= at_s <= max(line.points)]
            if len(owed) == len(values):
                values[metric] = together(metric, list(values.values()))
    return samples


def _differing(labels: Sequence[Mapping[str, str]]) -> list[str]:
    names = {name for one in labels for name in one}
    return sorted(name for name in names if len({one.get(name, "") for one in labels}) > 1)


def lines_of(answer: Any) -> list[Line]:
    """The series of an answer: a vector, a matrix, or a scalar, which is a series without labels.

    Raises:
        ValueError: it is something else, or too much.
    """
    if answer and not isinstance(answer[0], Mapping):
        answer = [{"metric": {}, "value": answer}]
    if len(answer) > MOST_SERIES:
        raise ValueError(f"the query finds {len(answer)} series, {MOST_SERIES} are the most: sum by (…) them")
    return [Line.of(found) for found in answer]
