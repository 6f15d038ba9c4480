"""One scenario's criteria and the suite's monitors: what may be named, and what that asks of the monitors."""

from __future__ import annotations

from collections.abc import Iterable

from genload.settings.criteria.subjects import label_names
from genload.settings.metrics.capacity import CAPACITY_METRICS
from genload.settings.metrics.catalogue import Catalogue
from genload.settings.metrics.metric import Metric
from genload.settings.phases import Timeline
from genload.settings.service import Service
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels


def scenario_catalogue(suite: Suite, scenario: str, wings: WingModels) -> Catalogue:
    """Machine metrics, those of the suite's service, the labels of the scenario's requests and of the
    monitors' samples, and the phases of its shape.

    Raises:
        ValueError: the shape's settings make no sense together.
        ConfigError: a wing file that is not there.
    """
    timeline = wings.timeline(suite.scenarios[scenario].shape)
    phases = tuple(phase.name for phase in timeline.phases)
    labels = {"phase": phases, **request_labels(suite, scenario, timeline, wings)}
    metrics = declared_metrics(suite, suite.service_of(scenario), wings)
    if (capacity := suite.scenarios[scenario].capacity) is not None:
        metrics += tuple(metric for metric in CAPACITY_METRICS if metric.name == capacity.metric)
    return Catalogue.of(metrics, labels, timeline.duration_s, _sample_labels(suite))


def request_labels(
    suite: Suite, scenario: str, timeline: Timeline, wings: WingModels
) -> dict[str, tuple[str, ...]]:
    """The labels of a scenario's requests, with the values they can have, those that a trace asks for among
    them; none: any.
    """
    found = dict(wings.labels(suite.service_of(scenario)))
    for name in ("voice", "length"):
        asked = tuple(value for value in dict.fromkeys(getattr(ask, name) for ask in timeline.asks) if value)
        known = found.get(name)
        if asked and known != ():  # which is any
            found[name] = tuple(dict.fromkeys((*(known or ()), *asked)))
    return found | suite.scenarios[scenario].labels


def declared_metrics(suite: Suite, service: Service, wings: WingModels) -> tuple[Metric, ...]:
    """The metrics of a suite's service, as one scenario asks it, and those that its monitors' files declare.

    Raises:
        ConfigError: a wing file that is not there, or declares what it may not.
    """
    kinds = dict.fromkeys(settings.kind for settings in suite.monitors.values())
    of_monitors = [metric for kind in kinds for metric in wings.monitor_metrics(kind)]
    return (*wings.request_metrics(service.api, service.request), *of_monitors)


def with_fitting_monitors(suite: Suite, scenarios: Iterable[str]) -> Suite:
    """`suite` with monitors that ask its service as its clients do, and that fill the series by whose labels
    the scenarios' criteria ask.
    """
    loads = (load for name in scenarios for load in suite.loads(name))
    criteria = (each for load in loads for each in load.criteria.values())
    asked = {label for criterion in criteria for label in label_names(criterion.expression)}
    monitors = {
        name: monitor.of_service(suite.service).telling_apart(asked)
        for name, monitor in suite.monitors.items()
    }
    return suite.model_copy(update={"monitors": monitors})


def _sample_labels(suite: Suite) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for settings in suite.monitors.values():
        for label, metrics in settings.labels.items():
            found[label] = (*found.get(label, ()), *metrics)
    return found
