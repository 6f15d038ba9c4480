"""The base of every settings model: frozen, no unknown keys, YAML names without the unit suffix."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema

_UNIT_SUFFIX = re.compile(r"_(s|bytes|per_s)$")


def yaml_name(field_name: str) -> str:
    """``timeout_s`` in code is ``timeout`` in YAML, where the value itself carries the unit."""
    return _UNIT_SUFFIX.sub("", field_name)


class Settings(BaseModel):
    """Base of the engine's and of every wing's settings."""

    model_config = ConfigDict(
        defer_build=True,  # a suite uses few of them, and builds those within its own
        frozen=True,
        extra="forbid",
        alias_generator=yaml_name,
        populate_by_name=True,
        serialize_by_alias=True,
        validate_default=False,
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        # Here, not above: only a schema asks for it.
        from genload.settings.descriptions import descriptions

        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        told = descriptions(cls)
        for name, field in cls.model_fields.items():
            shown = properties.get(field.alias or name)
            if shown is not None and name in told:
                shown.setdefault("description", told[name])
        return schema
