"""Quantities with units: ``82s``, ``10min``, ``5%``, ``22GiB``, ``30/min``, ``1/3``.

YAML carries the unit in the value, code carries it in the name (`timeout: 300s` ↔ `timeout_s`), and the
`Annotated` types below join the two. They serialise back to text with a unit, so that a resolved suite
in a run directory is again a suite that can be loaded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from genload.settings.criteria.ast import Dimension, Quantity

# Factor to the base unit, by dimension. `KB` is 1000 bytes and `KiB` 1024, as IEC 80000-13 has it.
_TIME = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(?:/\s*({_NUMBER}))?\s*([A-Za-z%]*)(?:\s*/\s*([A-Za-z]+))?\s*")


def parse_quantity(text: str) -> Quantity:
    """Read a number with an optional unit; a bare number is a count, ``1/3`` a ratio.

    Raises:
        ValueError: no number, an unknown unit, or not finite; the message names the known units.
    """
    match = _QUANTITY.fullmatch(text)
    if not match:
        raise ValueError(f"'{text}' is not a number with a unit such as 90s, 5%, 2GiB or 30/min")
    number, divisor, unit, per = match.groups()
    value = float(number)
    if divisor is not None:
        if float(divisor) == 0:
            raise ValueError(f"'{text}' divides by zero")
        value /= float(divisor)
    factor, dimension = _unit(unit, per, is_fraction=divisor is not None)
    value *= factor
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is not a finite number")
    return Quantity(value, dimension, text.strip())


def _unit(unit: str, per: str | None, *, is_fraction: bool) -> tuple[float, Dimension]:
    if per is not None:
        if per not in _TIME:
            raise ValueError(f"'/{per}' is no unit of rate: use /s, /min or /h")
        if unit in _BYTES:
            return _BYTES[unit] / _TIME[per], Dimension.BYTE_RATE
        if unit:
            raise ValueError(f"'{unit}/{per}' is no unit of rate: use 30/min or 5MiB/min")
        return 1 / _TIME[per], Dimension.RATE
    if unit == "":
        return 1.0, Dimension.RATIO if is_fraction else Dimension.COUNT
    if unit == "%":
        return 0.01, Dimension.RATIO
    if unit in _TIME:
        return _TIME[unit], Dimension.TIME
    if unit in _BYTES:
        return float(_BYTES[unit]), Dimension.BYTES
    raise ValueError(
        f"unknown unit '{unit}': use {', '.join(_TIME)}, %, {', '.join(_BYTES)}, or a rate such as 30/min"
    )


def format_number(value: float, dimension: Dimension) -> str:
    """The shortest text that reads back as exactly `value`, in the base unit of its dimension."""
    text = repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    suffix = {Dimension.TIME: "s", Dimension.BYTES: "B", Dimension.RATE: "/s", Dimension.BYTE_RATE: "B/s"}
    if dimension is Dimension.RATIO:
        return f"{text}/1"
    return text + suffix.get(dimension, "")


class TimeScaling(Enum):
    """What ``--time-scale`` does to a setting that has a time in it."""

    MULTIPLY = "multiply"  # modelled time: phases, think times, poll intervals, job timeouts
    TRANSPORT = "transport"  # real time on the wire: multiplied, but never under 1 s
    DIVIDE = "divide"  # rates
    SAMPLING = "sampling"  # a monitor's interval: kept, but never so long that a scenario has too few ticks
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Unit:
    """Annotation on a field: its dimension and how it scales."""

    dimension: Dimension
    scaling: TimeScaling = TimeScaling.KEEP


def _reader(dimension: Dimension, example: str) -> BeforeValidator:
    def refused(reason: str) -> PydanticCustomError:
        return PydanticCustomError("unit", "{reason}", {"reason": reason, "example": example})

    def read(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise refused("a quantity is a number with its unit")
        if info.context is None and not isinstance(value, str):
            return value  # code, which knows the base unit; a file always comes with a context
        try:
            quantity = parse_quantity(str(value))
        except ValueError as error:
            raise refused(str(error)) from error
        bare_zero = quantity.value == 0 and quantity.dimension is Dimension.COUNT
        if quantity.dimension is not dimension and not bare_zero:
            raise refused(f"'{value}' has the wrong unit, or none")
        if quantity.value < 0:
            raise refused(f"'{value}' is negative")
        return quantity.value

    return BeforeValidator(read)


def _writer(dimension: Dimension) -> PlainSerializer:
    return PlainSerializer(lambda value: format_number(value, dimension), return_type=str)


def _schema(dimension: Dimension, example: str) -> WithJsonSchema:
    """A text with a unit of this dimension, or 0: what `_reader` takes, as far as a pattern can say it."""
    time, size = "|".join(_TIME), "|".join(_BYTES)
    units = {
        Dimension.TIME: rf"({time})",
        Dimension.BYTES: rf"({size})",
        Dimension.RATIO: "%",
        Dimension.RATE: rf"/ *({time})",
    }
    number = r"[0-9.]+([eE][+-]?[0-9]+)?"
    forms = [rf"{number} *(/ *{number} *)?{units[dimension]}", "0"]
    if dimension is Dimension.RATIO:
        forms.append(rf"{number} */ *{number}")
    pattern = rf"^ *({'|'.join(forms)}) *$"
    return WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": pattern}, {"const": 0}], "examples": [example]}
    )


def _text_form(dimension: Dimension, example: str) -> tuple[BeforeValidator, PlainSerializer, WithJsonSchema]:
    return _reader(dimension, example), _writer(dimension), _schema(dimension, example)


_TIME_IO = _text_form(Dimension.TIME, "90s")

Seconds = Annotated[float, *_TIME_IO, Unit(Dimension.TIME, TimeScaling.MULTIPLY)]
"""Modelled time, which ``--time-scale`` shortens: phases, think times, poll intervals, job timeouts."""

TransportSeconds = Annotated[float, *_TIME_IO, Unit(Dimension.TIME, TimeScaling.TRANSPORT)]
"""Time on the wire: shortened too, but never under 5 s."""

RealSeconds = Annotated[float, *_TIME_IO, Unit(Dimension.TIME)]
"""Time that no scale touches, such as the limits on the client's own scheduling lag."""

SamplingSeconds = Annotated[float, *_TIME_IO, Unit(Dimension.TIME, TimeScaling.SAMPLING)]
"""A monitor's interval: shortened only as far as a scaled scenario needs for enough ticks."""

Bytes = Annotated[float, *_text_form(Dimension.BYTES, "64MiB"), Unit(Dimension.BYTES)]
Ratio = Annotated[float, *_text_form(Dimension.RATIO, "5%"), Unit(Dimension.RATIO)]
Speed = Annotated[float, Unit(Dimension.PLAIN, TimeScaling.DIVIDE)]
"""How many times as fast as recorded; a plain number, which ``--time-scale`` divides as it does rates."""

PerSecond = Annotated[float, *_text_form(Dimension.RATE, "30/min"), Unit(Dimension.RATE, TimeScaling.DIVIDE)]
