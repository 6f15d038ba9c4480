"""Keys that may be written as one text: ``state: status`` for ``state: {path: status}``."""

from __future__ import annotations

from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from genload.settings.model import Settings


class OrText(Settings):
    """A mapping of which one text is the short form: the value of its first key."""

    @model_validator(mode="before")
    @classmethod
    def _spelt_out(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        first = next(iter(cls.model_fields.values()))
        return {str(first.alias): value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        whole = super().__get_pydantic_json_schema__(core_schema, handler)
        return {"anyOf": [{"type": "string"}, whole]}


def exactly_one(settings: Settings, *names: str) -> str:
    """Which of the keys is given.

    Raises:
        PydanticCustomError: none, or several.
    """
    given = [name for name in names if getattr(settings, name) is not None]
    if len(given) == 1:
        return given[0]
    reason = f"{' and '.join(given)} exclude each other" if given else f"one of {', '.join(names)} is needed"
    remedy = "leave one of them" if given else f"write {names[0]}: …"
    raise PydanticCustomError("one_of", "{reason}", {"reason": reason, "remedy": remedy})
