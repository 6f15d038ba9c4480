"""Numbers of an answer that are kept with the job's record, and are metrics by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from genload.described.heard import Heard
from genload.described.or_text import OrText, exactly_one
from genload.described.path import JsonPath
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Failures, Metric, Of, request_number
from genload.settings.units import parse_quantity

Moment = Literal["request", "end", "result"]
NumberName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


def a_unit(unit: str) -> str:
    """The unit, if there is one of this name."""
    try:
        parse_quantity(f"1{unit}")
    except ValueError as error:
        remedy = "write one of s, ms, us, min, h, B, KB, MB, MiB, GiB, %, or leave it out"
        raise PydanticCustomError("unit", "{reason}", {"reason": str(error), "remedy": remedy}) from error
    return unit


class Number(OrText):
    """One number; a text alone is a path."""

    path: JsonPath | None = None
    """In the answer's JSON."""
    minus: JsonPath | None = None
    """What is taken from it: of two stamps the difference: ``{path: ended, minus: started, unit: ms}``."""
    header: str | None = None
    """The name of a header that holds it."""
    unit: Annotated[str, AfterValidator(a_unit)] = ""
    """What it is in: s, ms, MB, %; none: a plain number."""
    of: Moment = "end"
    """In which answer: that to the `request`, that which tells the job's `end`, that with the `result`."""

    @model_validator(mode="after")
    def _one_place(self) -> Number:
        exactly_one(self, "path", "header")
        return self

    @property
    def dimension(self) -> Dimension:
        """What it is once it is in base units; a plain number is a count."""
        return parse_quantity(f"1{self.unit}").dimension

    def read(self, heard: Heard) -> float | None:
        """In base units; None where it is not there, or is no number."""
        if self.header is not None:
            value = _number(heard.answer.headers.get(self.header))
        else:
            value = _number(heard.find(self.path or ""))
        less = 0.0 if self.minus is None else _number(heard.find(self.minus))
        if value is None or less is None:
            return None
        return (value - less) * parse_quantity(f"1{self.unit}").value


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None


def read_numbers(numbers: Mapping[str, Number], heard: Heard, of: Moment | None = None) -> dict[str, float]:
    """Those that this answer has; None: it is the only one that there is."""
    found = {name: number.read(heard) for name, number in numbers.items() if of in (None, number.of)}
    return {name: value for name, value in found.items() if value is not None}


def metrics_of(numbers: Mapping[str, Number], operation: str = "generate") -> tuple[Metric, ...]:
    """What criteria may name: ``generate.inference_s``. Of a time, failed requests rank last."""
    return tuple(
        request_number(
            f"{operation}.{name}",
            number.dimension,
            f"the service's own: {number.path or number.header}",
            failures=Failures.LAST if number.dimension is Dimension.TIME else Failures.LEFT_OUT,
            key=name,
        )
        for name, number in numbers.items()
    )


def metrics_of_check(units: Mapping[str, str]) -> tuple[Metric, ...]:
    """What criteria may name of the numbers that a user's own check returns, by their units."""
    return tuple(
        request_number(
            f"generate.{name}",
            parse_quantity(f"1{unit}").dimension,
            "the suite's own check",
            failures=Failures.LEFT_OUT,
            of=Of.INSPECTED,
            key=name,
        )
        for name, unit in units.items()
    )
