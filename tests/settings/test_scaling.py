"""``--time-scale``: known answers, there and back, and no unit forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from genload.errors import UsageError
from genload.settings.criteria.criterion import Criterion
from genload.settings.scaling import MIN_INTERVAL_S, MIN_TICKS, MIN_TRANSPORT_S, scale, unit_of
from genload.settings.suite import Suite
from genload.settings.units import TimeScaling
from genload.settings.wing_models import WingModels

Write = Callable[..., Path]
Load = Callable[..., Suite]

FULL = """\
service:
  api: jobs
  timeout: 300s
  connect_timeout: 500ms
  receive_timeout: 60s
  request: {pauses: {a: 10s, b: 20s}}
locustfile: generation3d
monitors:
  page: {interval: 5s, timeout: 5s}
  host: {interval: 50ms}
scenarios:
  calm:
    shape: {kind: steady, duration: 10min, arrivals: 30/min}
    think: 10s
    criteria:
      fast: >-
        generate.duration.mean{last(5min)} <= 110% of generate.duration.mean{first(5min)}
        and generate.duration.p95 in 75s..90s
      busy: {must: false, holds: generate.throughput >= 30/min and server.memory.slope < 6MiB/min}
      same: "each(phase): generate.error_rate < 1% and generate.completed >= 50"
  burst:
    shape: {kind: burst}
"""


@pytest.fixture
def full(write: Write, load: Load) -> Suite:
    return load(write(FULL))


def numbers(
    value: Any, annotation: Any = None, metadata: Any = (), path: str = ""
) -> Iterator[tuple[str, TimeScaling, float]]:
    """(path, scaling, number) of everything with a unit in a model."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from numbers(getattr(value, name), field.annotation, field.metadata, f"{path}.{name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, annotation, metadata, f"{path}.{key}")
    elif isinstance(value, int | float) and (unit := unit_of(annotation, list(metadata))):
        yield path, unit.scaling, float(value)


def test_known_answers(full: Suite, wings: WingModels) -> None:
    scaled = scale(full, 0.02, wings)
    got = {path: value for path, _, value in numbers(scaled)}
    assert got[".service.timeout_s"] == 6.0
    assert got[".service.receive_timeout_s"] == 5.0
    assert got[".service.connect_timeout_s"] == 0.5  # never above what it was
    assert got[".service.ready_timeout_s"] == 120.0
    assert got[".service.request.pauses.b"] == 0.4
    assert got[".service.poll.interval_s"] == 0.04
    assert got[".service.poll.first_s"] == 0.004
    assert got[".service.poll.age_share"] == 0.12
    assert got[".service.poll.jitter"] == 0.2
    assert got[".service.max_answer_bytes"] == 256 * 2**20
    assert got[".scenarios.calm.shape.duration_s"] == 12.0
    assert got[".scenarios.calm.shape.arrivals_per_s"] == 25.0
    assert got[".scenarios.calm.think.max_s"] == 0.2
    assert got[".scenarios.burst.shape.during_s"] == 1.2
    assert got[".validity.max_cpu_for_s"] == 5.0
    assert got[".monitors.page.timeout_s"] == 5.0
    # The shortest scenario lasts 180 s, then 3.6 s.
    assert got[".monitors.page.interval_s"] == pytest.approx(3.6 / MIN_TICKS)
    assert got[".monitors.host.interval_s"] == 0.05


def test_criteria(full: Suite, wings: WingModels) -> None:
    criteria = scale(full, 0.02, wings).scenarios["calm"].criteria
    assert criteria["fast"].holds == (
        "generate.duration.mean{last(6s)} <= 110% of generate.duration.mean{first(6s)}"
        " and generate.duration.p95 in 1.5s..1.8s"
    )
    assert criteria["busy"].holds == "generate.throughput >= 25/s and server.memory.slope < 5242880B/s"
    assert not criteria["busy"].must
    assert criteria["same"].holds == "each(phase): generate.error_rate < 1% and generate.completed >= 50"
    assert all(Criterion(holds=c.holds).expression == c.expression for c in criteria.values())


def test_a_suite_of_iterations_alone_still_gets_its_ticks(
    write: Write, load: Load, wings: WingModels
) -> None:
    suite = load(
        write(
            "service: {api: jobs, timeout: 300s}\nlocustfile: generation3d\n"
            "monitors: {page: {interval: 60s}}\n"
            "scenarios: {one: {shape: {kind: counted, iterations: 10, users: 2}}}\n"
        )
    )
    # Five rounds of a quarter of the timeout, 75 s each.
    assert scale(suite, 0.1, wings).monitors["page"].interval_s == pytest.approx(5 * 7.5 / MIN_TICKS)
    assert scale(suite, 1e-4, wings).monitors["page"].interval_s == MIN_INTERVAL_S


def test_scale_one_changes_nothing(full: Suite, wings: WingModels) -> None:
    assert scale(full, 1.0, wings) == full


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_factor_that_is_none_is_bad_usage(full: Suite, wings: WingModels, factor: float) -> None:
    with pytest.raises(UsageError, match="time scale"):
        scale(full, factor, wings)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(factor=st.floats(0.001, 1000))
def test_there_and_back(full: Suite, wings: WingModels, factor: float) -> None:
    there = scale(full, factor, wings)
    back = scale(there, 1 / factor, wings)
    for (path, scaling, before), (_, _, middle), (_, _, after) in zip(
        numbers(full), numbers(there), numbers(back), strict=True
    ):
        match scaling:
            case TimeScaling.MULTIPLY:
                assert middle == pytest.approx(before * factor, rel=1e-9), path
                assert after == pytest.approx(before, rel=1e-9), path
            case TimeScaling.DIVIDE:
                assert middle == pytest.approx(before / factor, rel=1e-9), path
                assert after == pytest.approx(before, rel=1e-9), path
            case TimeScaling.TRANSPORT:
                assert middle == pytest.approx(
                    max(before * factor, min(before, MIN_TRANSPORT_S)), rel=1e-9
                ), path
            case TimeScaling.SAMPLING:
                assert middle <= before, path
            case TimeScaling.KEEP:
                assert middle == before == after, path
    window = back.scenarios["calm"].criteria["fast"].expression.parts[0].subject.window
    assert window.length.value == pytest.approx(300.0, rel=1e-9)


def test_nothing_with_a_unit_is_forgotten(full: Suite, wings: WingModels) -> None:
    """Every field whose name or annotation says time or rate has a `Unit` that the walk above finds."""
    found = {path for path, _, _ in numbers(full)}
    named = set(_named_quantities(full, ""))
    assert named and named <= found


def _named_quantities(model: BaseModel, path: str) -> Iterator[str]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        entries = value.items() if isinstance(value, dict) else [(None, value)]
        for key, item in entries:
            here = f"{path}.{name}" + (f".{key}" if key else "")
            if isinstance(item, BaseModel):
                yield from _named_quantities(item, here)
            elif name.endswith(("_s", "_bytes")) and item is not None:
                yield here
