"""The output of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """The output of a job; or of any request, where the output is the reason why the request failed."""

    content: bytes
    name: str
    media_type: str
