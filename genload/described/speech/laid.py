"""The calls of a description, put together: what one way of answering lays on the call, what a suite adds,
and what is left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from genload.described.call import Call
from genload.settings.wing_models import RequestSettings

if TYPE_CHECKING:
    from genload.described.speech.dialect import Dialect, Socket, Way

_BODIES = ("json", "form", "multipart")


def call_of(dialect: Dialect, way: Way | None) -> dict[str, Any]:
    """The call that asks for an answer in this way (None: it is told nothing), as a description has it."""
    if way is not None and way.path:
        return _written(way)
    base = _written(dialect)
    return base if way is None else RequestSettings.laid_on(base, _written(way))


def opening_of(socket: Socket) -> dict[str, Any]:
    """The call that opens a WebSocket."""
    return {"method": "GET", "path": socket.path, "query": socket.query, "headers": socket.headers}


def with_extra(call: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The call with further keys, taken as they stand: in its body, or in the query of one without."""
    part = next((name for name in _BODIES if name in call), "query")
    return {**call, part: {**call.get(part, {}), **literal(extra)}}


def literal(tree: Any) -> Any:
    """JSON-like data as templates that mean it as it stands."""
    if isinstance(tree, str):
        return tree.replace("{", "{{").replace("}", "}}")
    if isinstance(tree, Mapping):
        return {key: literal(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [literal(value) for value in tree]
    return tree


def settled(tree: Any, lacking: Collection[str], values: Mapping[str, Any]) -> Any:
    """JSON-like data without the keys that are nothing but a name that is lacking; and of a text that is
    nothing but a name with a value, the value.
    """
    if isinstance(tree, Mapping):
        absent = {f"{{{name}}}" for name in lacking}
        return {
            key: settled(value, lacking, values)
            for key, value in tree.items()
            if not (isinstance(value, str) and value in absent)
        }
    if isinstance(tree, list | tuple):
        return [settled(value, lacking, values) for value in tree]
    if isinstance(tree, str) and tree[:1] == "{" and tree[1:-1] in values:
        return literal(values[tree[1:-1]])
    return tree


def _written(call: Call) -> dict[str, Any]:
    """The keys of the call that are set, by the names that they have in YAML."""
    return call.model_dump(include=set(Call.model_fields), exclude_defaults=True)
