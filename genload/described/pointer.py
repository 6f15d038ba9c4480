"""JSON Pointer (RFC 6901): setting one value in a graph that is sent again and again."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def put(tree: Any, pointer: str, value: Any) -> None:
    """Replace what the pointer leads to.

    Raises:
        ValueError: it leads to nothing that is there; the text says how far it got.
    """
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    at, way = tree, ""
    for part in parents:
        at, way = _below(at, part, way), f"{way}/{part}"
    _below(at, last, way)
    at[int(last) if isinstance(at, list) else last] = value


def _below(at: Any, part: str, way: str) -> Any:
    try:
        return at[int(part) if isinstance(at, list) else part]
    except (KeyError, IndexError, ValueError, TypeError):
        there = ", ".join(map(str, at)) if isinstance(at, dict) else f"{type(at).__name__}"
        raise ValueError(f"there is no '{part}' at '{way or '/'}', but {there:.200}") from None


def _checked(pointer: str) -> str:
    if not pointer.startswith("/"):
        remedy = "write it as in /10/inputs/image"
        raise PydanticCustomError(
            "pointer", "'{pointer}' is no JSON Pointer", {"pointer": pointer, "remedy": remedy}
        )
    return pointer


JsonPointer = Annotated[str, AfterValidator(_checked)]
