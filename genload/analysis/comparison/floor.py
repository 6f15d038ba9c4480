"""Learning the noise of a service on a machine from a comparison of equal builds."""

from __future__ import annotations

from collections.abc import Mapping

from genload.analysis.comparison.comparable import machine_facts
from genload.analysis.comparison.comparison import Comparison, MetricShift
from genload.analysis.comparison.noise import Noise, NoiseFloor
from genload.analysis.comparison.shift import spread


def floor_of(comparison: Comparison, learned_at: str) -> NoiseFloor:
    """The noise floor of a comparison whose sides are the same build: all runs are one sample.

    Args:
        learned_at: UTC, ISO 8601.
    """
    noises = ((metric.metric, _noise(metric)) for metric in comparison.metrics)
    return NoiseFloor(
        metrics={name: noise for name, noise in noises if noise is not None},
        learned_at=learned_at,
        runs=len(comparison.base) + len(comparison.new),
        suite=comparison.suite,
        scenario=comparison.scenario,
        tested=comparison.new[0].tested,
    )


def _noise(metric: MetricShift) -> Noise | None:
    values = [value for value in (*metric.base, *metric.new) if value is not None]
    if metric.shift is None or len(values) < 2:
        return None
    scale = metric.shift.scale
    return Noise(spread=spread(values, scale), freedom=len(values) - 1, scale=scale)


def unfit(floor: NoiseFloor, scenario: str, tested: Mapping[str, str]) -> str:
    """Why a noise floor says nothing of a run; empty where it does.

    Args:
        tested: what the run tells of the service and its machine; where one of both is silent, they agree.
    """
    if floor.scenario != scenario:
        return f"the noise floor of {floor.learned_at} was not used: it is of {floor.scenario}"
    for name in machine_facts(floor.tested):
        told, here = floor.tested[name], tested.get(name)
        if here is not None and here != told:
            return (
                f"the noise floor of {floor.learned_at} was not used: it was learned where {name} was "
                f"{told}, and here it is {here}"
            )
    return ""
