"""run.json: everything about a run that is known before it begins."""

from __future__ import annotations

import platform
from importlib.metadata import version

import msgspec

from genload import __version__, extensions
from genload.harness.plan import RunPlan
from genload.runlog.records import FORMAT_VERSION, PopulationHeader, RunHeader
from genload.settings.scenario_catalogue import declared_metrics, request_labels

_VERSIONS_OF = ("locust", "gevent", "httptools", "numpy", "trimesh")


def run_header(plan: RunPlan, started_at: str) -> RunHeader:
    """Requested and effective settings, phases, metrics, versions; references to secrets, never secrets."""
    populations = {own.population: _population(own) for own in plan.populations}
    phases = [phase.recorded() for phase in plan.timeline.phases]
    alone = populations.pop("", None) or PopulationHeader(phases=phases, operation="", stages=[])
    return RunHeader(
        format=FORMAT_VERSION,
        suite=plan.suite.model_dump(mode="json"),
        requested=plan.requested.model_dump(mode="json"),
        scenario=plan.scenario_name,
        phases=phases,
        operation=alone.operation,
        stages=alone.stages,
        labels=alone.labels,
        time_scale=plan.time_scale,
        rehearsal=plan.rehearsal,
        seed=plan.seed,
        salt=plan.salt,
        strict=plan.strict,
        started_at=started_at,
        versions={
            "genload": __version__,
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()}",
            **{name: version(name) for name in _VERSIONS_OF},
        },
        asked_for=list(plan.asked_for),
        metrics=alone.metrics,
        populations=populations,
    )


def _population(plan: RunPlan) -> PopulationHeader:
    metrics = declared_metrics(plan.suite, plan.service, extensions.Wings())
    labels = request_labels(plan.suite, plan.scenario_name, plan.timeline, extensions.Wings())
    return PopulationHeader(
        phases=[phase.recorded() for phase in plan.timeline.phases],
        operation=plan.client_class.operation,
        stages=list(plan.client_class.stages_of(plan.service.request)),
        labels={name: list(values) for name, values in labels.items()},
        metrics=[msgspec.to_builtins(metric) for metric in metrics],
    )
