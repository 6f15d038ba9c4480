"""``--time-scale``: one function on the typed model, driven by the `Unit` of each field.

A service whose time is modelled runs `factor` times as long; what is real stays real: connections keep
at least five seconds, bytes, counts and shares stay, and monitors still tick often enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, isfinite
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel

from genload.errors import UsageError
from genload.settings.criteria.ast import (
    Comparison,
    Conjunction,
    Dimension,
    Each,
    Expression,
    Interval,
    Quantity,
    Relative,
    Subject,
)
from genload.settings.criteria.criterion import Criterion
from genload.settings.criteria.write import to_text
from genload.settings.goodput import Limit
from genload.settings.suite import Suite
from genload.settings.units import TimeScaling, Unit, format_number
from genload.settings.wing_models import WingModels

MIN_TICKS = 50
MIN_TRANSPORT_S = 5.0  # what stands still for less, on a busy machine, is not gone
MIN_INTERVAL_S = 0.02  # below it, sampling itself would be a load
# How long a job takes is not known before the run. A timeout is some times that; a quarter is near it.
_JOB_SHARE_OF_TIMEOUT = 0.25

_Model = TypeVar("_Model", bound=BaseModel)
_Condition = TypeVar("_Condition", Comparison, Interval)


def scale(suite: Suite, factor: float, wings: WingModels) -> Suite:
    """`suite` with its modelled time multiplied by `factor`.

    Phases, think times, poll intervals, job timeouts, criteria in time and their windows are multiplied;
    rates divided; transport timeouts multiplied but kept at 5 s or more (or what they were, if less);
    monitors' intervals shortened where the shortest scenario would have fewer than 50 ticks.

    Raises:
        UsageError: a factor that is not a number above 0.
    """
    if not (isfinite(factor) and factor > 0):
        raise UsageError(f"the time scale {factor} is not above 0", remedy="use a factor such as 0.02")
    if factor == 1:
        return suite
    scaled = _scale_model(suite, factor, interval_limit_s=inf)
    limit_s = max(_shortest_load_s(scaled, wings) / MIN_TICKS, MIN_INTERVAL_S)
    monitors = {name: _scale_model(m, 1.0, interval_limit_s=limit_s) for name, m in scaled.monitors.items()}
    return scaled.model_copy(update={"monitors": monitors})


def scale_expression(expression: Expression, factor: float) -> Expression:
    """A criterion's tree with its times and windows multiplied, its rates divided."""
    if isinstance(expression, Each):
        return replace(expression, body=_scale_body(expression.body, factor))
    return _scale_body(expression, factor)


def unit_of(annotation: Any, metadata: list[Any]) -> Unit | None:
    """The `Unit` of a field, wherever it stands: in ``Seconds | None``, in ``dict[str, Seconds]``."""
    for item in metadata:
        if isinstance(item, Unit):
            return item
    if get_origin(annotation) is Annotated:
        inner, *items = get_args(annotation)
        return unit_of(inner, items)
    return next((unit for part in get_args(annotation) if (unit := unit_of(part, []))), None)


def _scale_model(model: _Model, factor: float, *, interval_limit_s: float) -> _Model:
    if isinstance(model, Criterion):
        scaled = to_text(scale_expression(model.expression, factor))
        return type(model).model_validate({"holds": scaled, "must": model.must})
    if isinstance(model, Limit):
        return type(model).model_validate(model.with_quantity(_scale_quantity(model.quantity, factor)).holds)
    changed: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        new = _scale_value(value, unit_of(field.annotation, field.metadata), factor, interval_limit_s)
        if new is not value:
            changed[name] = new
    return model.model_copy(update=changed) if changed else model


def _scale_value(value: Any, unit: Unit | None, factor: float, interval_limit_s: float) -> Any:
    if isinstance(value, BaseModel):
        return _scale_model(value, factor, interval_limit_s=interval_limit_s)
    if isinstance(value, Mapping):
        return {key: _scale_value(item, unit, factor, interval_limit_s) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_scale_value(item, unit, factor, interval_limit_s) for item in value)
    if unit is None or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return _scale_number(float(value), unit.scaling, factor, interval_limit_s)


def _scale_number(value: float, scaling: TimeScaling, factor: float, interval_limit_s: float) -> float:
    match scaling:
        case TimeScaling.MULTIPLY:
            return _rounded(value * factor)
        case TimeScaling.TRANSPORT:
            return max(_rounded(value * factor), min(value, MIN_TRANSPORT_S))
        case TimeScaling.DIVIDE:
            return _rounded(value / factor)
        case TimeScaling.SAMPLING:
            return min(value, _rounded(interval_limit_s))
        case TimeScaling.KEEP:
            return value


def _rounded(value: float) -> float:
    """To 12 digits, so that 120 s at 0.02 is 2.4 s in a report and not 2.4000000000000004 s."""
    return float(f"{value:.12g}")


def _shortest_load_s(suite: Suite, wings: WingModels) -> float:
    """How long the shortest of the scenarios lasts; an estimate for one that counts iterations."""
    job_s = suite.service.timeout_s * _JOB_SHARE_OF_TIMEOUT
    lengths = []
    for scenario in suite.scenarios.values():
        timeline = wings.timeline(scenario.shape)
        by_clock = sum(phase.duration_s or 0.0 for phase in timeline.phases)
        rounds = sum(-(-(phase.iterations or 0) // max(phase.users, 1)) for phase in timeline.phases)
        lengths.append(by_clock + rounds * job_s)
    return min(lengths)


def _scale_body(
    body: Comparison | Interval | Conjunction, factor: float
) -> Comparison | Interval | Conjunction:
    if isinstance(body, Conjunction):
        return Conjunction(tuple(_scale_condition(part, factor) for part in body.parts))
    return _scale_condition(body, factor)


def _scale_condition(part: Comparison | Interval, factor: float) -> Comparison | Interval:
    subject = _scale_subject(part.subject, factor)
    if isinstance(part, Interval):
        low, high = _scale_quantity(part.low, factor), _scale_quantity(part.high, factor)
        return Interval(subject, low, high)
    if isinstance(part.right, Relative):
        return replace(
            part, subject=subject, right=replace(part.right, of=_scale_subject(part.right.of, factor))
        )
    return replace(part, subject=subject, right=_scale_quantity(part.right, factor))


def _scale_subject(subject: Subject, factor: float) -> Subject:
    if subject.window is None:
        return subject
    window = replace(subject.window, length=_scale_quantity(subject.window.length, factor))
    return replace(subject, window=window)


def _scale_quantity(quantity: Quantity, factor: float) -> Quantity:
    if quantity.dimension is Dimension.TIME:
        value = _rounded(quantity.value * factor)
    elif quantity.dimension in (Dimension.RATE, Dimension.BYTE_RATE):
        value = _rounded(quantity.value / factor)
    else:
        return quantity
    return Quantity(value, quantity.dimension, format_number(value, quantity.dimension))
