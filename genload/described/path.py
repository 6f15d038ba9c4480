"""Paths into JSON (JMESPath), as a description has them: checked when the suite is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from genload.artifacts.answer.paths import compiled
from genload.settings.model import Settings

_GRAMMAR = 'write it as in data.id, files[0].url or "job-id".state (JMESPath)'


class _Path(str):
    """A text that is known to be a path."""

    __slots__ = ()


def _checked(path: str) -> str:
    try:
        compiled(path)
    except JMESPathError as error:
        at = getattr(error, "lex_position", None)
        where = f", from '{path[at:]}' on" if at else ""
        raise PydanticCustomError(
            "json_path",
            "'{path}' is no JSON path{where}",
            {"path": path, "where": where, "remedy": _GRAMMAR},
        ) from error
    return _Path(path)


JsonPath = Annotated[str, AfterValidator(_checked)]


def paths_in(described: Any) -> Iterator[str]:
    """Every path of a description, or of a part of one."""
    if isinstance(described, _Path):
        yield str(described)
    elif isinstance(described, Settings):
        for name in type(described).model_fields:
            yield from paths_in(getattr(described, name))
    elif isinstance(described, Mapping):
        for part in described.values():
            yield from paths_in(part)
