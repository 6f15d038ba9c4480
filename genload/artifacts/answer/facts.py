"""What is found in an answer."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import msgspec

from genload.artifacts.output_error import OutputError


class AnswerError(OutputError):
    """An answer does not hold what it is read for.

    Attributes:
        error_class: ``bad_answer`` (no JSON), ``bad_zip`` (no zip, a damaged one, or not with the member).
    """


class AnswerFacts(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What stands at the paths of an answer's JSON.

    Attributes:
        found: as JSON, by path; without what is in `long`.
        long: paths to what is larger than an answer that is not spooled, or is the base64.
        there: what the JSON has, for people.
        decoded_bytes: how much the base64 was; None where there is none, or none was asked for.
        media_type: of a data URI.
        bad_base64: why what is to be base64 is none.
    """

    found: bytes
    long: list[str]
    there: str
    decoded_bytes: int | None = None
    media_type: str = ""
    bad_base64: str = ""

    @cached_property
    def values(self) -> dict[str, Any]:
        """By path; None for nothing."""
        values: dict[str, Any] = json.loads(self.found)
        return values


class Unpacked(msgspec.Struct, frozen=True):
    """A member of a zip."""

    name: str
    size_bytes: int
