"""The user's own texts: JSON lines, all of them read and checked before anything is sent."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import msgspec

from genload.artifacts.inputs.json_lines import read_json_lines

MAX_CHARACTERS = 100_000
_REMEDY = 'write one JSON object a line: {"text": "…", "weight": 2, "length": "short", "voice": "af_heart"}'


class TextLine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One text; `length` and `voice` are "" where the line does not say."""

    text: str
    weight: float = 1.0
    length: str = ""
    voice: str = ""


def read_texts(path: Path) -> list[TextLine]:
    """Every text of a file, in its order; empty lines are left out.

    Raises:
        ConfigError: what is wrong, by file and line.
    """
    found = read_json_lines(path, TextLine, _check, noun="text", key="texts.file", remedy=_REMEDY)
    return [line for _, line in found]


def check_text(text: str) -> None:
    """Raises ValueError: nobody can speak it, for people."""
    if not text.strip():
        raise ValueError("the text is empty")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the text has {len(text)} characters, more than {MAX_CHARACTERS}")


def _check(line: TextLine) -> None:
    check_text(line.text)
    if not (isfinite(line.weight) and line.weight > 0):
        raise ValueError(f"the weight {line.weight:g} is not above 0")
