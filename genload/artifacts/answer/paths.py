"""What a path (JMESPath) finds in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

_MOST_KEYS = 20
_interpreter = TreeInterpreter()  # it keeps nothing of a tree; `search` would make one for every poll


@cache
def compiled(path: str) -> Any:
    """The path, parsed once in a process.

    Raises:
        JMESPathError: it cannot be parsed.
    """
    return jmespath.compile(path)


def found(path: str, tree: Any) -> Any:
    """What the path finds; None for nothing, and where it asks for what the tree's types do not have."""
    try:
        return _interpreter.visit(compiled(path).parsed, tree)
    except JMESPathError:
        return None


def there_is(tree: Any) -> str:
    """What a reader may have meant, when a path found nothing: ``it has id, status, output.url``."""
    if isinstance(tree, list):
        return f"it is a list of {len(tree)}" + (f"; of the first: {there_is(tree[0])}" if tree else "")
    if not isinstance(tree, Mapping):
        return f"it is {tree!r:.60}"
    names: list[str] = []
    for key, value in tree.items():
        below = [f"{key}.{inner}" for inner in value] if isinstance(value, Mapping) and value else [str(key)]
        names += below
    listed = ", ".join(names[:_MOST_KEYS]) + (", …" if len(names) > _MOST_KEYS else "")
    return f"it has {listed}" if names else "it is an empty object"
