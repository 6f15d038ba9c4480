"""What a caller would call served: limits that one request has to keep all at once.

``goodput: {ttfa: 300ms, duration: 5s, faces: '>= 1000'}``: names of the operation's own metrics that each
request carries, each with the most that is good, or with `<`, `<=`, `>` or `>=` before it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from pydantic import PrivateAttr, model_serializer, model_validator

from genload.settings.criteria.ast import Dimension, Quantity
from genload.settings.metrics.metric import Metric
from genload.settings.model import Settings
from genload.settings.suggestion import suggest
from genload.settings.units import parse_quantity

_EXAMPLES = {
    Dimension.TIME: "a time such as 300ms",
    Dimension.BYTES: "a size such as 2MiB",
    Dimension.RATIO: "a share such as 5%",
}
_LIMIT = re.compile(r"\s*(<=|>=|<|>)?\s*(.*)", re.DOTALL)


_COMPARE: Mapping[str, Callable[[Any, float], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Limit(Settings):
    """``300ms``: at most so much; ``>= 1000``: at least."""

    holds: str
    """A quantity, or one with `<`, `<=`, `>` or `>=` before it."""

    _op: str = PrivateAttr()
    _quantity: Quantity = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, value: Any) -> Any:
        is_bare = isinstance(value, str | int | float) and not isinstance(value, bool)
        return {"holds": str(value)} if is_bare else value

    @model_validator(mode="after")
    def _parsed(self) -> Self:
        match = _LIMIT.fullmatch(self.holds)
        assert match is not None  # noqa: S101  it matches any text
        self._op, self._quantity = match[1] or "<=", parse_quantity(match[2])
        return self

    @model_serializer
    def _short(self) -> str:
        return self.holds

    @property
    def quantity(self) -> Quantity:
        return self._quantity

    def with_quantity(self, quantity: Quantity) -> Limit:
        """The same kind of limit, elsewhere."""
        return Limit(holds=f"{self._op} {quantity.text}")

    def kept_by(self, values: Any) -> Any:
        """Which numbers of an array are within it; one that is not there (NaN) is not."""
        return _COMPARE[self._op](values, self._quantity.value)


def check_limits(limits: Mapping[str, Limit], metrics: Iterable[Metric]) -> None:
    """See that each limit is one of a number that requests carry.

    Args:
        metrics: of which those of requests are of one operation.

    Raises:
        ValueError: there is no such number, or it has another unit.
    """
    able = {metric.short: metric for metric in metrics if metric.source == "requests" and metric.key}
    for name, limit in limits.items():
        metric = able.get(name)
        if metric is None:
            raise ValueError(f"no request has a '{name}': {suggest(name, able)}")
        wanted, given = metric.dimension, limit.quantity.dimension
        bare = given is Dimension.COUNT and wanted in (Dimension.PLAIN, Dimension.STATE)
        if given is not wanted and not bare and limit.quantity.value != 0:
            example = _EXAMPLES.get(wanted, "a bare number")
            raise ValueError(f"{limit.quantity.text} is no limit of {metric.name}: write {example}")
