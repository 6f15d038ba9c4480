"""Numbers with their units as people write them, the same in every report, on the terminal and in errors."""

from __future__ import annotations

import math
from collections.abc import Callable

_TIMES = (
    (1e-3, 1e6, "µs"),
    (1.0, 1e3, "ms"),
    (600.0, 1.0, "s"),
    (7200.0, 1 / 60, "min"),
    (math.inf, 1 / 3600, "h"),
)
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")


def human(value: float | None, unit: str) -> str:
    """A number in base units as people write it: ``82.1 s``, ``3.2 %``, ``1.2 GiB``; "–" for none.

    Args:
        unit: a value of `genload.settings.criteria.ast.Dimension`; any other is written as it stands.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    value = float(value)
    if unit in _WRITERS:
        return _WRITERS[unit](value)
    return f"{_number(value)} {unit}".rstrip()


def shown_in(size: float, unit: str) -> tuple[float, str]:
    """The unit that people read numbers of this size in: what 1 of the base unit is in it, and its name.

    Args:
        size: a number in base units, as large as those to be shown.
        unit: as of `human`.
    """
    if unit == "s":
        return next(
            (factor, name) for limit, factor, name in _TIMES if abs(size) < limit or limit == math.inf
        )
    if unit in ("bytes", "bytes/s"):
        power = min(int(math.log(abs(size), 1024)), len(_BYTES) - 1) if abs(size) >= 1 else 0
        return 1024.0**-power, _BYTES[power] + unit.removeprefix("bytes")
    if unit == "1/s":
        return (1.0, "/s") if abs(size) >= 1 else (60.0, "/min")
    return {"ratio": (100.0, "%"), "count": (1.0, ""), "state": (1.0, "")}.get(unit, (1.0, unit))


def count_of(number: int, noun: str) -> str:
    """A number with its noun: ``1 request``, ``2 requests``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def change_size(size: float, unit: str, *, in_points: bool = False) -> str:
    """By how much something has changed, without a sign: ``5 %``, ``12 MiB``; of a share ``2 points``."""
    size = float(f"{abs(size):.3g}")
    return f"{size * 100:.3g} points" if in_points else human(size, unit)


def with_sign(size: float, words: str) -> str:
    """The words for a change by `size`: ``+5 %``, ``−2 points``; ``0 %`` for none that they can tell."""
    return words if words.partition(" ")[0] == "0" else f"{'−' if size < 0 else '+'}{words}"


def _number(value: float) -> str:
    """Whole numbers in full, others to three significant digits."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if 100 <= abs(value) < 1e6:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.3g}"


def _time(value: float) -> str:
    if value == 0:
        return "0 s"
    return _in_its_unit(value, "s")


def _percent(value: float) -> str:
    percent = round(value * 100, 9)
    # Cut, not rounded: a success rate under 100 % must never read 100 %.
    return f"{math.floor(percent * 100) / 100 if 99 < percent < 100 else _number(percent)} %"


def _rate(value: float) -> str:
    return "".join(_written(value, "1/s"))


def _in_its_unit(value: float, unit: str) -> str:
    return " ".join(_written(value, unit))


def _written(value: float, unit: str) -> tuple[str, str]:
    """The number and the name of its unit."""
    factor, name = shown_in(value, unit)
    number = _number(value * factor)
    # Rounding may reach another unit: what would be 1000 µs is 1 ms.
    rounded = float(number) / factor
    factor, reached = shown_in(rounded, unit)
    return (number, name) if reached == name else (_number(rounded * factor), reached)


_WRITERS: dict[str, Callable[[float], str]] = {
    "s": _time,
    "bytes": lambda value: _in_its_unit(value, "bytes"),
    "bytes/s": lambda value: _in_its_unit(value, "bytes/s"),
    "ratio": _percent,
    "1/s": _rate,
    "count": _number,
    "state": _number,
}
