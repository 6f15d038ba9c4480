"""What may be named in a suite: metrics, operations, phases and labels, as the wings declare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from genload.settings.criteria.ast import Dimension, Subject
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.metrics.metric import Metric

ANY_LABEL = "*"
"""A monitor's word for labels that it does not know beforehand."""


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

    def unit(self, subject: Subject) -> Dimension | None:
        """What the subject's number measures once its statistic is taken; None where nobody knows: a metric
        of an open namespace, by other statistics than a count or a growth.
        """
        metric = self.metrics.get(subject.metric)
        if metric is not None:
            return metric.unit(subject.stat)
        return {"count": Dimension.COUNT, "growth": Dimension.RATIO}.get(subject.stat or "")

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
