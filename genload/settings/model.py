"""The base of every settings model: frozen, no unknown keys, YAML names without the unit suffix."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

_UNIT_SUFFIX = re.compile(r"_(s|bytes|per_s)$")


def yaml_name(field_name: str) -> str:
    """``timeout_s`` in code is ``timeout`` in YAML, where the value itself carries the unit."""
    return _UNIT_SUFFIX.sub("", field_name)


class Settings(BaseModel):
    """Base of the engine's and of every wing's settings."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=yaml_name,
        populate_by_name=True,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
        validate_default=False,
    )
