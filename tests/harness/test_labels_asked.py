"""What a scenario's criteria ask of the suite's monitors."""

from __future__ import annotations

from typing import Any

import pytest

from genload.harness.plan import RunRequest, make_plan

GPU = "monitors.gpu={interval: 1s}"


def monitors(criterion: str, *overrides: str) -> dict[str, Any]:
    """Their settings in force, and below `requested` those that were asked for."""
    asked = f'scenarios.light.criteria.it="{criterion}"'
    plan = make_plan(RunRequest("litetts/light", overrides=(GPU, *overrides, asked)))
    return {name: settings.model_dump() for name, settings in plan.suite.monitors.items()} | {
        "requested": {name: settings.model_dump() for name, settings in plan.requested.monitors.items()}
    }


@pytest.mark.parametrize(
    ("criterion", "gpu", "replica"),
    [
        ("each(gpu): gpu.memory_used.max < 22GiB", True, None),
        ("gpu.memory_used.max{gpu=0} < 22GiB", True, None),
        ("gpu.power.max <= 90% of gpu.power.max{gpu=0}", True, None),
        ("each(replica): server.up.min == 1 and server.memory.growth < 5%", None, True),
        ("gpu.memory_used.max < 22GiB", None, None),
    ],
)
def test_labels_that_criteria_name_are_told_apart_and_the_request_stands(
    criterion: str, gpu: bool | None, replica: bool | None
) -> None:
    found = monitors(criterion)
    assert (found["gpu"]["per_gpu"], found["exposition"]["per_replica"]) == (gpu, replica)
    asked = found["requested"]
    assert (asked["gpu"]["per_gpu"], asked["exposition"]["per_replica"]) == (None, None)


def test_what_the_suite_says_of_series_stands() -> None:
    found = monitors("each(gpu): gpu.memory_used.max < 22GiB", "monitors.gpu.per_gpu=false")
    assert found["gpu"]["per_gpu"] is False
