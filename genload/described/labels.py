"""Labels of a job that its answers tell: which replica behind a balancer took it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from genload.described.heard import Heard
from genload.described.numbers import Moment
from genload.described.or_text import OrText, exactly_one
from genload.described.path import JsonPath
from genload.plain import plain

LabelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]

_LONGEST = 60


class Label(OrText):
    """Where a label's value is; a text alone is a path."""

    path: JsonPath | None = None
    """In the answer's JSON."""
    header: str | None = None
    """The name of a header: ``x-served-by``."""
    of: Moment = "request"
    """In which answer: that to the `request`, that which tells the job's `end`, that with the `result`."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, "path", "header")
        return self

    def read(self, heard: Heard) -> str:
        """The value; "" where it is not there."""
        value = heard.answer.headers.get(self.header) if self.header else heard.find(self.path or "")
        return plain(str(value), _LONGEST) if isinstance(value, str | int) else ""


def read_labels(labels: Mapping[str, Label], heard: Heard, of: Moment | None = None) -> dict[str, str]:
    """Those that this answer has; None: it is the only one that there is."""
    found = {name: label.read(heard) for name, label in labels.items() if of in (None, label.of)}
    return {name: value for name, value in found.items() if value}
