"""The output of a request."""

from __future__ import annotations

from dataclasses import dataclass

from genload.spool import Content


@dataclass(frozen=True, slots=True)
class Artifact:
    """The output of a job; or of any request, where the output is the reason why the request failed."""

    content: Content
    name: str
    media_type: str
