"""Which metrics a suite counts on, and which of them can be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from genload.exposition.family_state import FamilyState
from genload.extensions import attribute
from genload.monitor import Monitor
from genload.runlog.layout import SAMPLES
from genload.runlog.records import MonitorPlan, Sample
from genload.settings.criteria.subjects import subjects
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.labelled import unlabelled
from genload.settings.scenario_catalogue import declared_metrics, scenario_catalogue
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels

CONTRACT_STATE = "contract.state"


@dataclass(slots=True)
class ExpectedMetric:
    """One metric of the suite's monitors or criteria.

    Attributes:
        unit: of its values, as `Dimension` has it.
        monitors: those that can fill it.
        origin: what it is read from there, for people; "" when its name says it.
        criteria: ``scenario/criterion`` of those that judge it.
        values: in the order of the samples; empty: absent.
    """

    name: str
    unit: str
    monitors: list[str] = field(default_factory=list)
    origin: str = ""
    criteria: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class ExpectedMetrics:
    """Those of some scenarios of a suite.

    Attributes:
        metrics: by name.
        families: the state of each metric family that a monitor expects, once `read`.
        plans: the monitors, once `read`.
        troubles: the last error of each monitor that had one, once `read`.
    """

    def __init__(self, suite: Suite, scenarios: Sequence[str], wings: WingModels) -> None:
        self.metrics: dict[str, ExpectedMetric] = {}
        self.families: dict[str, FamilyState] = {}
        self.plans: list[MonitorPlan] = []
        self.troubles: dict[str, str] = {}
        self._catalogue = Catalogue.of(declared_metrics(suite, suite.service, wings))
        monitors: dict[str, Monitor] = {
            name: attribute("monitors", settings.kind, "Monitor")(settings, suite.service.host)
            for name, settings in suite.monitors.items()
        }
        self._sampled = [name for name, monitor in monitors.items() if not monitor.nothing_here]
        for name in self._sampled:
            self._add_filled(name, monitors[name], monitors[name].metrics)
        for scenario in scenarios:
            self._add_criteria(suite, scenario, scenario_catalogue(suite, scenario, wings))
        # Of one that has nothing to sample here, only what is judged is missed.
        for name, monitor in monitors.items():
            if monitor.nothing_here:
                self._add_filled(name, monitor, [each for each in monitor.metrics if each in self.metrics])

    def _add_filled(self, name: str, monitor: Monitor, metrics: Iterable[str]) -> None:
        for metric in metrics:
            expected = self._expected(metric)
            expected.monitors.append(name)
            expected.origin = expected.origin or monitor.origin(metric)

    def _add_criteria(self, suite: Suite, scenario: str, catalogue: Catalogue) -> None:
        for criterion_name, criterion in suite.scenarios[scenario].criteria.items():
            for subject in subjects(criterion.expression):
                known = catalogue.metrics.get(subject.metric)
                if known is None or known.source == "samples":
                    judged_by = self._expected(subject.metric).criteria
                    name = f"{scenario}/{criterion_name}"
                    judged_by += [] if name in judged_by else [name]

    def _expected(self, name: str) -> ExpectedMetric:
        known = self._catalogue.metrics.get(name)
        unit = known.dimension.value if known else ""
        return self.metrics.setdefault(name, ExpectedMetric(name, unit))

    def sampled(self, folder: Path, times: int) -> bool:
        """Whether each monitor that has something to sample did so as often, whatever it found."""
        ticks = Counter(sample.monitor for sample in _samples(folder))
        return all(ticks[name] >= times for name in self._sampled)

    def reached(self, metric: ExpectedMetric) -> bool:
        """Whether some monitor that fills it had an answer, so that a metric without a value is not there."""
        there = [name for name in metric.monitors if name in self._sampled]
        return not there or any(name not in self.troubles for name in there)

    def read(self, folder: Path, plans: list[MonitorPlan]) -> None:
        """Take what the sampler wrote into `folder`."""
        self.plans = plans
        for sample in _samples(folder):
            self.troubles.pop(sample.monitor, None)
            if sample.error:
                self.troubles[sample.monitor] = sample.error
            for name, value in sample.values.items():
                metric, labels = unlabelled(name)
                if metric == CONTRACT_STATE:
                    self.families[labels["family"]] = FamilyState(int(value))
                elif not labels or name in self.metrics:  # all GPUs, all replicas together: one line a metric
                    self._expected(name).values.append(value)


def _samples(folder: Path) -> Iterator[Sample]:
    """Those written so far; a line that is being written is left out."""
    *whole, _ = (folder / SAMPLES).read_bytes().split(b"\n")
    return (msgspec.json.decode(line, type=Sample) for line in whole)
