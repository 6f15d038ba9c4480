"""What JSON says for people, wherever a service puts it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PLACES: tuple[tuple[str, ...], ...] = (
    ("error", "message"),
    ("detail", "message"),
    ("detail", "error"),
    ("detail", "errors"),
    ("message",),
    ("error",),
    ("detail",),
    ("details",),
    ("msg",),
)
"""Where services put them, the best place first: OpenAI, FastAPI and what is made with it, vLLM, Flask."""


def told(said: Any, places: Iterable[tuple[str, ...]] = PLACES) -> str:
    """Its words on one line.

    Args:
        places: where they may stand, by keys from the outside in, the best place first.

    Returns:
        what stands in the first place that has anything; all of it where there is none.
    """
    for place in places:
        if found := _at(said, place):
            return _line(found)
    return _line(said)


def _at(said: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        said = said.get(key) if isinstance(said, Mapping) else None
    return said


def _line(said: Any) -> str:
    """Of FastAPI's list of what is wrong with a request, where and what."""
    if isinstance(said, list):
        return "; ".join(_line(one) for one in said[:5])
    if isinstance(said, Mapping) and "msg" in said:
        where = said.get("loc")
        path = ".".join(str(part) for part in where) if isinstance(where, list) else ""
        return f"{path}: {said['msg']}" if path else str(said["msg"])
    return str(said)
