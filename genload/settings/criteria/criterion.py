"""A criterion as it stands in a suite: its text, its tree, and whether it must hold."""

from __future__ import annotations

from typing import Any, Self

from pydantic import PrivateAttr, model_serializer, model_validator

from genload.settings.criteria.ast import Expression
from genload.settings.criteria.parse import parse
from genload.settings.model import Settings


class Criterion(Settings):
    """``name: expression`` or ``name: {must: false, holds: expression}``."""

    holds: str
    """The expression; its grammar is in genload/settings/criteria/parse.py."""
    must: bool = True
    """False: judged and reported, without a say in the verdict."""

    _expression: Expression = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, value: Any) -> Any:
        return {"holds": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _parsed(self) -> Self:
        self._expression = parse(self.holds)
        return self

    @model_serializer
    def _short(self) -> str | dict[str, Any]:
        return self.holds if self.must else {"must": False, "holds": self.holds}

    @property
    def expression(self) -> Expression:
        return self._expression
