"""What an answer gives to the calls behind it: a value by name."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from genload.described.heard import Heard
from genload.described.or_text import OrText, exactly_one
from genload.described.path import JsonPath
from genload.described.values import OWN_NAMES, TEXT, Values


class Capture(OrText):
    """Where a value is found; a text alone is a path."""

    path: JsonPath | None = None
    """In the answer's JSON."""
    header: str | None = None
    """The name of a header: ``Location`` among them."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, "path", "header")
        return self

    def read(self, heard: Heard, key: str) -> Any:
        """The value.

        Raises:
            ServiceError: it is not there.
        """
        if self.path is not None:
            return heard.need(self.path, key)
        return heard.header(self.header or "", key)


def _own_names_kept(captures: dict[str, Capture]) -> dict[str, Capture]:
    for name in captures:
        own = name in OWN_NAMES or name == TEXT
        if own or not name.isidentifier():
            reason = f"'{name}' is genload's own" if own else f"'{name}' cannot be a name in a template"
            remedy = "name what is captured otherwise: letters, digits and _"
            raise PydanticCustomError("capture", "{reason}", {"reason": reason, "remedy": remedy})
    return captures


Captures = Annotated[dict[str, Capture], AfterValidator(_own_names_kept)]


def take(captures: dict[str, Capture], heard: Heard, values: Values) -> None:
    """Read every capture of one answer.

    Raises:
        ServiceError: one that is not there.
    """
    for name, capture in captures.items():
        values.captured[name] = capture.read(heard, f"capture.{name}")
