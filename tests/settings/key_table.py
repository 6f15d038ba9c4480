"""The table of every key that a suite can have, as docs/suites.md shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from genload.settings.criteria.criterion import Criterion
from genload.settings.descriptions import descriptions
from genload.settings.goodput import Limit
from genload.settings.scaling import unit_of
from genload.settings.scenario import Population
from genload.settings.service import IdentitySource
from genload.settings.suite import Suite
from genload.settings.units import format_number
from genload.settings.wing_models import MonitorSettings, RequestSettings, ShapeSettings

ELSEWHERE = (ShapeSettings, RequestSettings, MonitorSettings, Criterion, IdentitySource, Limit, Population)
"""What wing files, or other documents, describe; a population has all that a scenario has."""
_TABLE = re.compile(r"(<!-- keys -->\n).*?(?=\n\n|\n?\Z)", re.DOTALL)


def with_table(text: str) -> str:
    """The document with its table as it should be now."""
    rows = [f"| `{key}` | {default} | {told} |" for key, default, told in keys(Suite)]
    return _TABLE.sub(
        lambda found: found[1] + "\n".join(["| key | unless set | is |", "|---|---|---|", *rows]), text
    )


def keys(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, str, str]]:
    """Each key with its default and what it is."""
    told = descriptions(model)
    for name, field in model.model_fields.items():
        key = above + (field.alias or name)
        below = [each for each in _models(field.annotation) if not issubclass(each, ELSEWHERE)]
        if below:
            inside = f"{key}.NAME." if _is_mapping(field) else f"{key}."
            yield from {row[0]: row for each in below for row in keys(each, inside)}.values()
        else:
            yield key, _default(field), " ".join(told.get(name, "").split()).replace("|", "¦")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _is_mapping(field: FieldInfo) -> bool:
    return str(field.annotation).startswith("dict[")


def _default(field: FieldInfo) -> str:
    value, unit = field.default, unit_of(field.annotation, field.metadata)
    if value is PydanticUndefined:
        return "must be set"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or value in ("", (), {}) or isinstance(value, BaseModel):
        return "–"
    if unit is not None:
        text = format_number(value, unit.dimension)
        return f"`{value * 100:g}%`" if text.endswith("/1") else f"`{text}`"
    return f"`[{', '.join(value)}]`" if isinstance(value, tuple) else f"`{value}`"
