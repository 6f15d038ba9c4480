"""What a job made, and what a request brought where that is what failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a job made."""

    content: bytes
    name: str
    media_type: str
