"""JSON as services write it."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def read_json(text: bytes | memoryview) -> Any:
    """What stands there.

    Raises:
        ValueError: no JSON, or nested too deeply to be read.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        pass  # Python's own servers write NaN, which is no JSON but which the slower reader takes
    try:
        return json.loads(bytes(text))
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
